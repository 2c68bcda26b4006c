import fc from "fast-check";
import t from "tap";
import { backoff } from "../../src/runtime/backoff.ts";
import { seededRandom } from "../../src/runtime/random.ts";

const draw = (seed: number): number[] => Array.from({ length: 1000 }, seededRandom(seed));

t.test("the wait doubles from the base to the cap, and half of it is random", async (t) => {
  const options = { baseMs: 100, capMs: 1000 };
  const of = (attempt: number, drawn: number): number => backoff(attempt, options, () => drawn);
  t.same(
    [0, 1, 2, 3, 4, 5].map((attempt) => of(attempt, 0)),
    [50, 100, 200, 400, 500, 500],
  );
  t.equal(of(0, 0.5), 75);
  t.equal(of(9, 0.5), 750);
});

t.test("a base of zero is no wait, however many tries there were", async (t) => {
  t.equal(
    backoff(5000, { baseMs: 0, capMs: 1000 }, () => 0.5),
    0,
  );
});

t.test("never at once, never beyond the cap, for any number of tries", async () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 600_000 }),
      fc.integer(),
      (attempt, baseMs, capMs, seed) => {
        const ms = backoff(attempt, { baseMs, capMs }, seededRandom(seed));
        return ms >= Math.min(baseMs, capMs) / 2 && ms <= capMs;
      },
    ),
  );
});

t.test("equal seeds draw equal numbers in [0, 1), different seeds different ones", async (t) => {
  t.same(draw(7), draw(7));
  t.notSame(draw(7), draw(8));
  t.ok(draw(7).every((number) => number >= 0 && number < 1));
  const mean = draw(7).reduce((sum, number) => sum + number) / 1000;
  t.ok(mean > 0.45 && mean < 0.55, `mean ${mean}`);
});
