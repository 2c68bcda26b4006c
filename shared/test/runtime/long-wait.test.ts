import t from "tap";
import { sayIfLong } from "../../src/runtime/long-wait.ts";
import { VirtualClock } from "../bus/virtual-clock.ts";

t.test("what takes longer than a second is named once, as it is then; its result is handed on", async (t) => {
  const clock = new VirtualClock();
  const said: string[] = [];
  let name = "this";
  const work = sayIfLong(() => name, { clock, say: (line) => said.push(line) }, clock.sleep(5000));
  await clock.run(900);
  t.strictSame(said, []);
  name = "that";
  await clock.run(100);
  t.strictSame(said, ["waiting for that"]);
  await clock.run(10_000);
  await work;
  t.strictSame(said, ["waiting for that"]);
});

t.test("of what is over within a second nothing is said, also where it fails", async (t) => {
  const clock = new VirtualClock();
  const ports = { clock, say: (line: string) => void t.fail(line) };
  t.equal(await sayIfLong(() => "it", ports, Promise.resolve(7)), 7);
  await t.rejects(
    sayIfLong(() => "it", ports, Promise.reject(new Error("no"))),
    { message: "no" },
  );
  await clock.run(10_000);
});
