import t from "tap";
import { ReadTimes } from "../../src/reconcile/read-times.ts";

const OPTIONS = { driftMs: 100_000, lateMs: 40_000, random: () => 0.5 };

/** Reads whenever it is due, for so long. @returns when */
function reads(times: ReadTimes, untilMs: number): number[] {
  const found: number[] = [];
  for (let now = 0; now <= untilMs; now += 500) {
    if (now < times.restsUntil || now < times.at) continue;
    found.push(now);
    times.wasRead(now);
  }
  return found;
}

t.test("it is read first of all, and then for drift, give or take a fifth by chance", async (t) => {
  t.strictSame(reads(new ReadTimes(OPTIONS), 250_000), [0, 100_000, 200_000]);
  for (const [drawn, ms] of [
    [0, 80_000],
    [1, 120_000],
  ] as const) {
    const times = new ReadTimes({ ...OPTIONS, random: () => drawn });
    times.wasRead(0);
    t.equal(Math.round(times.at), ms);
  }
});

t.test(
  "while another one's write may come late, it is read after twice the time again and again",
  async (t) => {
    const times = new ReadTimes(OPTIONS);
    times.suspect(0);
    t.equal(times.isLate(39_999), true);
    t.equal(times.isLate(40_000), false);
    t.strictSame(reads(times, 150_000), [0, 3000, 6000, 12_000, 24_000, 40_000, 140_000]);
  },
);

t.test(
  "after a write of our own without an answer it is read once more, when it can't be late",
  async (t) => {
    const times = new ReadTimes(OPTIONS);
    times.unanswered(0);
    t.strictSame(reads(times, 150_000), [0, 40_000, 140_000]);
  },
);

t.test("a refusal is waited out for longer each time, a missing file for as long as before", async (t) => {
  const times = new ReadTimes(OPTIONS);
  const refused = Array.from({ length: 6 }, () => times.refused(1000, false));
  t.strictSame(refused, [30_000, 60_000, 120_000, 240_000, 480_000, 600_000]);
  t.equal(times.restsUntil, 601_000);
  t.equal(times.refused(2000, true), 5000);
  t.equal(times.restsUntil, 7000);
  times.answered();
  t.equal(times.refused(0, false), 30_000, "it answered in between");
  times.tookOver();
  t.ok(times.restsUntil < 0);
});
