import t from "tap";
import { systemClock } from "../../src/runtime/clock.ts";

t.test("sleeping takes at least the time asked for", async (t) => {
  const started = systemClock.monotonic();
  await systemClock.sleep(30);
  t.ok(systemClock.monotonic() - started >= 29);
});

t.test("an abort ends a sleep with the signal's reason, before and during it", async (t) => {
  const reason = new Error("stopping");
  await t.rejects(systemClock.sleep(60_000, AbortSignal.abort(reason)), reason);
  const stopping = new AbortController();
  const sleeping = systemClock.sleep(60_000, stopping.signal);
  stopping.abort(reason);
  await t.rejects(sleeping, reason);
});

t.test("a timer runs once; a canceled one never", async (t) => {
  const ran: string[] = [];
  const cancel = systemClock.timer(1, () => ran.push("canceled"));
  cancel();
  await new Promise<void>((resolve) => {
    systemClock.timer(2, () => {
      ran.push("timer");
      resolve();
    });
  });
  await systemClock.sleep(5);
  t.same(ran, ["timer"]);
});

t.test("a time longer than Node's timers take does not run at once", async (t) => {
  let ran = false;
  const cancel = systemClock.timer(2 ** 31 + 5, () => (ran = true));
  const stopping = new AbortController();
  const sleeping = systemClock.sleep(2 ** 40, stopping.signal);
  await systemClock.sleep(20);
  t.equal(ran, false);
  stopping.abort(new Error("enough"));
  await t.rejects(sleeping, { message: "enough" }, "it was still asleep");
  cancel();
});

t.test("wall clock and monotonic clock are what they say", async (t) => {
  t.ok(Math.abs(systemClock.now() - Date.now()) < 1000);
  const readings = Array.from({ length: 100 }, () => systemClock.monotonic());
  t.same(
    readings,
    readings.toSorted((a, b) => a - b),
  );
});
