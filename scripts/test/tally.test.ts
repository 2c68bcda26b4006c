import t from "tap";
import { Tally } from "../tally.ts";

function tallyOf(lines: string[], code: number | undefined = 0): Tally {
  const tally = new Tally();
  tally.read("a.test.ts", lines.join("\n"), code);
  return tally;
}

t.test("named tests are counted, assertions are not", async (t) => {
  const tally = tallyOf([
    "# Subtest: one",
    "    ok 1 - x",
    "    ok 2 - y",
    "ok 1 - one # time=2ms",
    "ok 2 - two # time=1ms",
  ]);
  t.equal(tally.closingLine(), "2 passed, 0 failed");
  t.equal(tally.ok({ strict: true }), true);
});

t.test("a failing test is named with its file", async (t) => {
  const tally = tallyOf(["ok 1 - one # time=2ms", "not ok 2 - two # time=2ms"], 1);
  t.equal(tally.closingLine(), "1 passed, 1 failed");
  t.strictSame(tally.report(), ["failed: a.test.ts: two"]);
  t.equal(tally.ok({ strict: false }), false);
});

t.test("a skipped test says why, and fails a strict run", async (t) => {
  const tally = tallyOf(["ok 1 - one # time=1ms", "ok 2 - two # SKIP needs Go"]);
  t.equal(tally.closingLine(), "1 passed, 0 failed, 1 skipped");
  t.strictSame(tally.report(), ["1 skipped: needs Go"]);
  t.equal(tally.ok({ strict: false }), true);
  t.equal(tally.ok({ strict: true }), false);
  t.equal(tally.ok({ strict: true, allowed: ["Docker"] }), false, "another reason was allowed");
  t.equal(tally.ok({ strict: true, allowed: ["Go"] }), true);
});

t.test(
  "a file without a test, one that breaks after its tests, and one that is killed are failures",
  async (t) => {
    t.strictSame(tallyOf(["TAP version 14", "1..0"]).report(), ["failed: a.test.ts holds no test that ran"]);
    t.strictSame(tallyOf(["ok 1 - one"], 1).report(), ["failed: a.test.ts ended with 1 outside its tests"]);
    const killed = new Tally();
    killed.read("a.test.ts", "ok 1 - one", undefined);
    t.strictSame(killed.report(), ["failed: a.test.ts was killed outside its tests"]);
    t.equal(new Tally().ok({ strict: false }), false, "no test at all is no success");
  },
);
