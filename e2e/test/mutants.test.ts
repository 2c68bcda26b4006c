import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { parseMutant, readMutants } from "../mutants/mutant.ts";
import { partOf } from "../mutants/part.ts";
import { staleness } from "../mutants/tree.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DAY_MS = 86_400_000;

const wrong = (text: string): string[] => {
  try {
    parseMutant("x.patch", text);
    return [];
  } catch (error) {
    return (error as Error).message.split("\n");
  }
};

t.test("every mutant still fits the source it changes, and its suites are there", (t) => {
  const mutants = readMutants();
  t.ok(mutants.length >= 30, `${mutants.length} mutants`);
  for (const mutant of mutants) {
    t.equal(staleness(ROOT, mutant), undefined, mutant.name);
    for (const suite of mutant.suites) t.ok(existsSync(join(ROOT, suite)), `${mutant.name}: ${suite}`);
  }
  t.end();
});

t.test("a patch that is no mutant is told with everything that is wrong with it", (t) => {
  const diff = "--- a/x.ts\n+++ b/x.ts\n@@ -1 +1 @@\n-a\n+b\n";
  const right = `name: x\nreason: y\nsuites: a.test.ts b.test.ts\n\n${diff}`;
  t.strictSame(parseMutant("x.patch", right), {
    name: "x",
    reason: "y",
    suites: ["a.test.ts", "b.test.ts"],
    file: "x.ts",
    diff,
  });
  t.strictSame(wrong("name: z\nwhy: none\n"), [
    'x.patch has no line "reason: …"',
    'x.patch has no line "suites: …"',
    'x.patch has a line "why", which is none of name, reason, suites',
    "x.patch changes 0 files; one is right",
    'x.patch is called "z", unlike its file',
  ]);
  t.match(wrong(right + diff.replaceAll("x.ts", "y.ts")), [/changes 2 files/]);
  t.end();
});

t.test("parts hold each mutant once; those of the date come around", (t) => {
  const all = Array.from({ length: 31 }, (_, at) => at);
  t.same(
    [1, 2, 3].flatMap((k) => partOf(all, `${k}/3`, 0)).toSorted((a, b) => a - b),
    all,
  );
  const days = Array.from({ length: 60 }, (_, day) => partOf(all, "auto", day * DAY_MS));
  t.same(new Set(days.slice(0, 3).flat()), new Set(all));
  t.ok(days.every((part) => part.length <= 12));
  for (const part of ["0/3", "4/3", "x", "1/0", ""]) t.throws(() => partOf(all, part, 0), /give k\/n/, part);
  t.end();
});
