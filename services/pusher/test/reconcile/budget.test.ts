import fc from "fast-check";
import t from "tap";
import { TokenBucket } from "../../src/reconcile/budget.ts";

t.test("an idle device takes its burst at once and then so many a second", (t) => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 4 });
  t.strictSame([bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 0]);
  t.equal(bucket.take(0), 250, "the fourth waits a quarter of a second");
  t.equal(bucket.take(100), 150);
  t.equal(bucket.take(250), 0);
  t.equal(bucket.take(250), 250);
  t.end();
});

t.test("rest is saved up to the burst and no further", (t) => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 1 });
  bucket.take(0);
  bucket.take(0);
  t.strictSame([bucket.take(3_600_000), bucket.take(3_600_000)], [0, 0]);
  t.ok(bucket.take(3_600_000) > 0);
  t.end();
});

t.test("in no stretch of time more calls go out than burst and rate allow", (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.double({ min: 0.1, max: 50, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 200 }),
      (burst, perSecond, gaps) => {
        const bucket = new TokenBucket({ burst, perSecond });
        const sent: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          if (bucket.take(now) === 0) sent.push(now);
        }
        return sent.every((from, i) =>
          sent.every((to, j) => j < i || j - i + 1 <= burst + ((to - from) / 1000) * perSecond + 1e-3),
        );
      },
    ),
  );
  t.end();
});

t.test("whoever waits as long as he is told may send", (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 500, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 50 }),
      (perSecond, gaps) => {
        const bucket = new TokenBucket({ burst: 1, perSecond });
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const wait = bucket.take(now);
          if (wait === 0) continue;
          now += wait;
          if (bucket.take(now) !== 0) return false;
        }
        return true;
      },
    ),
  );
  t.end();
});
