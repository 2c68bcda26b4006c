// Plants one bug after another into a copy of the tree: each must pass the check and be caught by a named test.
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { optionsOr, parseCommand } from "../../scripts/options.ts";
import { Check } from "./check.ts";
import { readMutants, type Mutant } from "./mutant.ts";
import { partOf } from "./part.ts";
import { runSuite, stopAll } from "./suite.ts";
import { Tree } from "./tree.ts";

const HELP = `npm run mutants -- [options]

  --only NAME    this one (repeatable; a part of the name is enough)
  --part k/n     every n-th, beginning with the k-th
  --part auto    a part that changes with the date, for a few minutes of each day
  --quick        without types, lint and format, for who writes one
  --list         names and reasons
  --help

Plants the bugs of e2e/mutants/*.patch one after another into a copy of this tree. Each must pass types, lint and
format, and make a named test of its suites fail: one that survives is a missing test.`;

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Result {
  readonly mutant: Mutant;
  readonly suite: string;
  /** The test that failed, or why none did. */
  readonly word: string;
  readonly seconds: number;
  readonly caught: boolean;
}

const { chosen, quick, list } = optionsOr(
  HELP,
  parseCommand(
    process.argv.slice(2),
    {
      only: { type: "string", multiple: true, default: [] },
      part: { type: "string", default: "1/1" },
      quick: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
    },
    (given) => {
      const { only, part, ...flags } = given.values;
      let mutants: Mutant[] = [];
      try {
        mutants = readMutants();
        for (const text of only)
          if (!mutants.some(({ name }) => name.includes(text)))
            given.faults.push(`--only ${text}: no mutant is called so; --list names them all`);
        if (only.length > 0) mutants = mutants.filter(({ name }) => only.some((text) => name.includes(text)));
        mutants = partOf(mutants, part, Date.now());
      } catch (error) {
        given.faults.push((error as Error).message);
      }
      return { chosen: mutants, ...flags };
    },
  ),
);
process.exit(await main());

async function main(): Promise<number> {
  if (list) {
    for (const { name, reason } of chosen) console.log(`${name}: ${reason}`);
    return 0;
  }
  const tree = Tree.copy(root);
  const end = (): void => {
    stopAll();
    tree.remove();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      end();
      process.exit(130);
    });
  }
  try {
    return report(await seed(tree, chosen));
  } finally {
    end();
  }
}

async function seed(tree: Tree, mutants: readonly Mutant[]): Promise<Result[]> {
  const check = quick
    ? undefined
    : new Check(
        tree.root,
        mutants.map(({ file }) => file),
      );
  for (const line of check?.known ?? []) console.log(`# fault of the tree itself: ${line}`);
  const sound = new Map<string, ReadonlySet<string>>();
  for (const suite of new Set(mutants.flatMap(({ suites }) => suites))) {
    const { passed, failed, late } = await runSuite(tree.root, suite);
    sound.set(suite, new Set(passed));
    for (const name of failed) console.log(`# fails without a bug: ${suite}: ${name}`);
    if (late) console.log(`# takes too long without a bug: ${suite}`);
  }
  const results: Result[] = [];
  for (const mutant of mutants) {
    const result = await plant(tree, check, mutant, sound);
    console.log(`${result.caught ? "ok" : "not ok"} - ${mutant.name}: ${result.word}`);
    results.push(result);
  }
  return results;
}

async function plant(
  tree: Tree,
  check: Check | undefined,
  mutant: Mutant,
  sound: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Result> {
  const began = performance.now();
  const result = (suite: string, word: string, caught = false): Result => ({
    mutant,
    suite: suite === "" ? "" : basename(suite, ".test.ts"),
    word,
    caught,
    seconds: (performance.now() - began) / 1000,
  });
  let undo: () => void;
  try {
    undo = tree.plant(mutant);
  } catch (error) {
    return result("", (error as Error).message);
  }
  try {
    const faults = check?.faults(mutant.file) ?? [];
    if (faults.length > 0) return result("", `does not pass the check: ${faults.join("\n")}`);
    for (const suite of mutant.suites) {
      // Only a test that passes without the bug can catch it.
      const counts = (name: string): boolean => sound.get(suite)?.has(name) === true;
      const { failed } = await runSuite(tree.root, suite, counts);
      const caught = failed.find(counts);
      if (caught !== undefined) return result(suite, caught, true);
    }
    return result("", "survived: a test is missing");
  } finally {
    undo();
  }
}

function report(results: readonly Result[]): number {
  const survived = results.filter(({ caught }) => !caught);
  console.log("\n| mutant | suite | caught by | s |\n| --- | --- | --- | --- |");
  for (const { mutant, suite, word, seconds, caught } of results) {
    const by = caught ? word : `**${word.split("\n")[0] ?? ""}**`;
    console.log(`| ${mutant.name} | ${suite} | ${by} | ${seconds.toFixed(1)} |`);
  }
  for (const { mutant, word } of survived) console.log(`\nnot caught: ${mutant.name}: ${word}`);
  console.log(`\n${results.length - survived.length} of ${results.length} mutants caught`);
  return survived.length === 0 ? 0 : 1;
}
