import t from "tap";
import { silentLogger } from "@podgate/shared/runtime/logger";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import type { Outcome, Step } from "../../src/firewall/firewall.ts";
import { TokenBucket } from "../../src/reconcile/budget.ts";
import { Device, type ReadOutcome, type Work } from "../../src/reconcile/device.ts";
import { Lockout } from "../../src/reconcile/lockout.ts";

const DONE: Outcome = { result: "done", changed: true };
const retry = (reason: "unauthorized" | "busy" | "unreachable"): Outcome => ({
  result: "retry",
  reason,
  message: reason,
  reread: false,
});

/** A target with so many steps to do; each takes 10 ms and is answered as told. */
class Target implements Work {
  recall = async (): Promise<void> => undefined;

  readonly target: string;
  readonly calls: number[] = [];
  readonly reads: number[] = [];
  readonly #clock: VirtualClock;
  steps: number;
  answers: Outcome[] = [];
  readAnswer: ReadOutcome = { result: "done" };
  due = false;
  inFlight = 0;
  isTokenNew = false;
  /** A call that was not answered may still be done. */
  isLate = false;

  constructor(target: string, clock: VirtualClock, steps: number) {
    this.target = target;
    this.#clock = clock;
    this.steps = steps;
  }

  readDue(): boolean {
    return this.due;
  }

  async read(): Promise<ReadOutcome> {
    this.reads.push(this.#clock.monotonic());
    if (this.readAnswer.result === "done") this.due = false;
    return this.readAnswer;
  }

  next(): Step | undefined {
    return this.steps === 0
      ? undefined
      : { kind: "create-address", name: "n", address: "10.0.0.1", reason: "test" };
  }

  async apply(): Promise<Outcome> {
    this.calls.push(this.#clock.monotonic());
    this.inFlight += 1;
    this.isTokenNew = false;
    await this.#clock.sleep(10);
    this.inFlight -= 1;
    const answer = this.answers.shift() ?? DONE;
    if (answer.result === "done") this.steps -= 1;
    return answer;
  }

  wakeAt(): number {
    return Number.POSITIVE_INFINITY;
  }

  tookOver(): void {
    this.due = true;
  }

  suspect(): void {
    this.due = true;
  }

  late(): boolean {
    return this.isLate;
  }

  hasNewToken(): boolean {
    return this.isTokenNew;
  }
}

class Store {
  readonly kept = new Map<string, string>();
  async load(key: string, schema: { parse(value: unknown): unknown }) {
    const text = this.kept.get(key);
    return text === undefined ? undefined : (schema.parse(JSON.parse(text)) as never);
  }
  async save(key: string, value: object): Promise<boolean> {
    this.kept.set(key, JSON.stringify(value));
    return true;
  }
}

function start(clock: VirtualClock, work: readonly Work[], store = new Store(), burst = 1000) {
  const device = new Device("fw:443", work, {
    clock,
    logger: silentLogger,
    budget: new TokenBucket({ burst, perSecond: 4 }),
    lockout: new Lockout({ device: "fw:443", memory: store as never, clock }),
    backoff: (attempt) => 1000 * 2 ** attempt,
  });
  const stopping = new AbortController();
  const ended = device.run(stopping.signal);
  return { device, stop: () => stopping.abort(), ended };
}

t.test("targets of one device share one call in flight, the budget, and turns", async (t) => {
  const clock = new VirtualClock();
  const a = new Target("a", clock, 5);
  const b = new Target("b", clock, 5);
  let most = 0;
  const { stop, ended } = start(clock, [a, b], new Store(), 4);
  await clock.run(60_000, () => {
    most = Math.max(most, a.inFlight + b.inFlight);
    return a.steps + b.steps === 0;
  });
  t.equal(most, 1);
  const all = [...a.calls.map((at) => ({ at, who: "a" })), ...b.calls.map((at) => ({ at, who: "b" }))];
  const order = all.toSorted((x, y) => x.at - y.at);
  t.equal(order.map(({ who }) => who).join(""), "ababababab");
  t.ok((order[3]?.at ?? 0) < 100, "the burst goes out at once");
  t.ok((order.at(-1)?.at ?? 0) >= 1400, "then four a second");
  stop();
  await ended;
});

t.test("a refused token stops every target of the device, for longer each time", async (t) => {
  const clock = new VirtualClock();
  const a = new Target("a", clock, 3);
  const b = new Target("b", clock, 3);
  a.answers = [retry("unauthorized")];
  b.answers = [retry("unauthorized")];
  const { device, stop, ended } = start(clock, [a, b]);
  await clock.run(50);
  const said = device.trouble;
  t.match(said, /unauthorized; nothing is sent until \d{4}-\d\d-\d\dT[\d:]+Z/);
  await clock.run(89_000);
  t.equal(
    device.trouble,
    said,
    "the same words all the time: a status that changed would be written each second",
  );
  t.equal(a.calls.length + b.calls.length, 1, "nobody asks while it lasts");
  await clock.run(100_000);
  t.equal(a.calls.length + b.calls.length, 2);
  await clock.run(70_000);
  t.equal(a.calls.length + b.calls.length, 2, "twice as long the second time");
  await clock.run(60_000, () => a.steps + b.steps === 0);
  t.equal(a.steps + b.steps, 0, "and it goes on where it was");
  t.equal(device.trouble, undefined);
  stop();
  await ended;
});

t.test("the stop survives a restart, and the end of it is remembered, too", async (t) => {
  const clock = new VirtualClock();
  const store = new Store();
  const before = new Target("a", clock, 1);
  before.answers = [retry("unauthorized")];
  const first = start(clock, [before], store);
  await clock.run(1000);
  first.stop();
  await clock.run(100);
  await first.ended;
  const after = new Target("a", clock, 1);
  const second = start(clock, [after], store);
  await clock.run(80_000);
  t.equal(after.calls.length, 0);
  await clock.run(20_000);
  t.equal(after.calls.length, 1);
  second.stop();
  await second.ended;
  const again = new Target("a", clock, 1);
  const third = start(clock, [again], store);
  await clock.run(100);
  t.equal(again.calls.length, 1, "nothing is left of it");
  third.stop();
  await third.ended;
});

t.test("another token than the refused one is tried at once, one time in a while", async (t) => {
  const clock = new VirtualClock();
  const a = new Target("a", clock, 2);
  const b = new Target("b", clock, 1);
  a.answers = [retry("unauthorized"), retry("unauthorized"), retry("unauthorized")];
  b.due = false;
  const { stop, ended } = start(clock, [a, b]);
  await clock.run(20_000);
  t.strictSame([a.calls, b.calls], [[0], []]);
  b.isTokenNew = true;
  await clock.run(10_000);
  t.equal(a.calls.length + b.calls.length, 1, "what another target has says nothing about the refused one");
  a.isTokenNew = true;
  await clock.run(10_000);
  t.equal(a.calls.length, 2, "tried within seconds");
  t.equal(b.calls.length, 0, "and before anything else");
  a.isTokenNew = true;
  await clock.run(79_000);
  t.equal(
    a.calls.length,
    2,
    "refused as well: whatever the file holds by now, the device is left alone for 90 s",
  );
  await clock.run(12_000);
  t.equal(a.calls.length, 3, "then it is asked again");
  stop();
  await ended;
  t.ok((a.calls[1] ?? 0) <= 36_000, "a file is looked at every 5 s");
  t.ok((a.calls[2] ?? 0) - (a.calls[1] ?? 0) >= 90_000);
});

t.test("a token that is tried early and refused makes the silence no shorter than it was", async (t) => {
  const clock = new VirtualClock();
  const a = new Target("a", clock, 1);
  a.answers = Array.from({ length: 4 }, () => retry("unauthorized"));
  const { stop, ended } = start(clock, [a]);
  // Refused at 0, 90 and 270 s: the third silence lasts until 630 s.
  await clock.run(280_000);
  t.equal(a.calls.length, 3);
  a.isTokenNew = true;
  await clock.run(10_000);
  t.equal(a.calls.length, 4);
  await clock.run(335_000);
  t.equal(a.calls.length, 4);
  await clock.run(10_000);
  t.equal(a.calls.length, 5);
  stop();
  await ended;
});

t.test(
  "whoever takes a device over keeps its silence: which token was refused nobody knows any more",
  async (t) => {
    const clock = new VirtualClock();
    const a = new Target("a", clock, 1);
    a.answers = [retry("unauthorized")];
    const store = new Store();
    const first = start(clock, [a], store);
    await clock.run(1000);
    first.stop();
    await clock.run(100);
    await first.ended;
    a.isTokenNew = true;
    const second = start(clock, [a], store);
    await clock.run(80_000);
    t.equal(a.calls.length, 1);
    second.stop();
    await second.ended;
  },
);

t.test("a device without an answer is asked less and less, and then at once again", async (t) => {
  const clock = new VirtualClock();
  const a = new Target("a", clock, 1);
  a.answers = [retry("unreachable"), retry("busy"), retry("unreachable")];
  const { stop, ended } = start(clock, [a]);
  await clock.run(60_000, () => a.steps === 0);
  t.strictSame(a.calls, [0, 1010, 3020, 7030]);
  stop();
  await ended;
});

t.test("a refused read of one target does not keep the others from writing", async (t) => {
  const clock = new VirtualClock();
  const a = new Target("a", clock, 0);
  const b = new Target("b", clock, 3);
  a.due = true;
  a.readAnswer = { result: "failed", reason: "refused", message: "no right" };
  const read = a.read.bind(a);
  a.read = async () => {
    a.due = false;
    return read();
  };
  const { device, stop, ended } = start(clock, [a, b]);
  await clock.run(1000);
  t.equal(b.steps, 0);
  t.equal(device.trouble, undefined);
  stop();
  await ended;
});

t.test("at the end the call in flight is finished and no other begins", async (t) => {
  const clock = new VirtualClock();
  const a = new Target("a", clock, 5);
  const { stop, ended } = start(clock, [a]);
  await clock.run(1000, () => a.inFlight === 1);
  stop();
  await clock.run(1000);
  await ended;
  t.equal(a.steps, 4);
  t.equal(a.calls.length, 1);
});

t.test("a device is left clean only where nothing that was sent may still be done", async (t) => {
  for (const isLate of [false, true]) {
    const clock = new VirtualClock();
    const [a, b] = [new Target("a", clock, 1), new Target("b", clock, 1)];
    const { stop, ended } = start(clock, [a, b]);
    await clock.run(1000);
    b.isLate = isLate;
    stop();
    t.equal(await ended, !isLate);
  }
});

t.test("nothing is asked or written before it is known what was held before", async (t) => {
  const clock = new VirtualClock();
  const work = new Target("a", clock, 1);
  work.due = true;
  work.recall = () => clock.sleep(5000);
  const { stop, ended } = start(clock, [work]);
  await clock.run(4000);
  t.equal(work.calls.length + work.reads.length, 0);
  await clock.run(2000);
  t.equal(work.calls.length, 1);
  stop();
  await ended;
});
