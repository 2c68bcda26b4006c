import t from "tap";
import { Process } from "../process.ts";
import { Timeline } from "../timeline.ts";

t.test(
  "events happen at their time, those of one moment in the order in which they were asked for",
  async (t) => {
    const timeline = new Timeline();
    const seen: string[] = [];
    const note = (what: string) => () => void seen.push(`${what} at ${String(timeline.now)}`);
    timeline.after(20, note("c"));
    timeline.after(10, note("a"));
    timeline.after(10, note("b"));
    timeline.after(15, note("never"))();
    await timeline.advance(19);
    t.same(seen, ["a at 10", "b at 10"]);
    await timeline.advance(1);
    t.same(seen.at(-1), "c at 20");
  },
);

t.test("time stands still until what an event set off has come to rest", async (t) => {
  const timeline = new Timeline();
  let at = 0;
  timeline.after(10, () => {
    void (async () => {
      for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
      at = timeline.now;
    })();
  });
  timeline.after(11, () => undefined);
  await timeline.advance(50);
  t.equal(at, 10);
});

t.test("a stopped process gets nothing until it goes on, then all of it in order", async (t) => {
  const timeline = new Timeline();
  const process = new Process("p", timeline);
  const seen: string[] = [];
  process.clock.timer(10, () => seen.push("timer"));
  process.stop();
  process.deliver(() => seen.push("message"));
  await timeline.advance(20);
  t.same(seen, []);
  process.resume();
  t.same(seen, ["message", "timer"]);
  t.equal(process.clock.monotonic(), 20, "its clock went on");
});

t.test("a dead process gets no answer and no timer, and what it calls has no effect", async (t) => {
  const timeline = new Timeline();
  const process = new Process("p", timeline);
  const seen: string[] = [];
  process.clock.timer(10, () => seen.push("timer"));
  void process
    .call<string>("ask", ({ resolve }) => void timeline.after(5, () => resolve("answer")))
    .then((answer) => seen.push(answer));
  process.kill();
  void process.call("write", () => seen.push("effect"));
  await timeline.advance(20);
  t.same(seen, []);
});

t.test("a process that dies before a call leaves no effect, one that dies after it does", async (t) => {
  const effects: string[] = [];
  for (const fate of ["die-before", "die-after"] as const) {
    const timeline = new Timeline();
    const process = new Process(fate, timeline);
    process.probe = () => fate;
    let answered = false;
    void process
      .call<void>("write", ({ resolve }) => {
        effects.push(fate);
        resolve();
      })
      .then(() => (answered = true));
    await timeline.advance(1);
    t.equal(process.state, "dead");
    t.notOk(answered);
  }
  t.same(effects, ["die-after"]);
});

t.test("a process' wall clock can be wrong, its monotonic one can't", async (t) => {
  const timeline = new Timeline();
  const process = new Process("p", timeline);
  const before = process.clock.now();
  process.skewMs = -60_000;
  await timeline.advance(1000);
  t.equal(process.clock.now(), before - 59_000);
  t.equal(process.clock.monotonic(), 1000);
});
