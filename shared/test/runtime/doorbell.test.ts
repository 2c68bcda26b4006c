import t from "tap";
import { Doorbell } from "../../src/runtime/doorbell.ts";

/** A timer that runs when the test says so. */
function alarm() {
  const pending = new Set<() => void>();
  return {
    pending,
    timer: (_ms: number, run: () => void) => {
      pending.add(run);
      return () => void pending.delete(run);
    },
    strike: () => {
      const due = [...pending];
      pending.clear();
      for (const run of due) run();
    },
  };
}

const never = new AbortController().signal;

async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise(setImmediate);
  return done;
}

t.test("a ring ends the wait and its timer", async (t) => {
  const bell = new Doorbell();
  const { timer, pending } = alarm();
  const waiting = bell.wait(1000, timer, never);
  t.equal(await isDone(waiting), false);
  bell.ring();
  await waiting;
  t.equal(pending.size, 0);
});

t.test("a ring while awake is not lost, and several count as one", async (t) => {
  const bell = new Doorbell();
  const { timer } = alarm();
  bell.ring();
  bell.ring();
  await bell.wait(1000, timer, never);
  t.equal(await isDone(bell.wait(1000, timer, never)), false);
});

t.test("the time ends the wait without a ring", async () => {
  const bell = new Doorbell();
  const { timer, strike } = alarm();
  const waiting = bell.wait(1000, timer, never);
  strike();
  await waiting;
});

t.test("an abort ends the wait, also one that came before", async (t) => {
  const bell = new Doorbell();
  const { timer, pending } = alarm();
  const stopping = new AbortController();
  const waiting = bell.wait(1000, timer, stopping.signal);
  stopping.abort();
  await waiting;
  await bell.wait(1000, timer, stopping.signal);
  t.equal(pending.size, 0);
});

t.test("no time to wait is no wait", async (t) => {
  const { timer, pending } = alarm();
  await new Doorbell().wait(0, timer, never);
  await new Doorbell().wait(-5, timer, never);
  t.equal(pending.size, 0);
});
