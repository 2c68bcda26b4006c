import t from "tap";
import { testSeed } from "../../stack/seed.ts";
import { FAULTS } from "../faults/all.ts";
import { runsIn, simulate, type Ended, type Run } from "./command.ts";

/** Any that are fixed. */
const FIXED = { seed: 1, runs: 10, steps: 400 };
/** Classes that are seldom drawn, or to which the others seldom leave anything: these are tried by themselves, too. */
const RARE = FAULTS.filter(({ name, weight = 1 }) => weight < 1 || name === "admin-uses");
const ALONE_STEPS = 60;
const LEAST_FAULTS = 1000;

/** Runs of fixed seeds. */
const fixed: Run[] = [];

t.test("two runs of one seed do the same things in the same order", async (t) => {
  const args = ["--seed", "4711", "--steps", "60", "--json"];
  const [first, second] = await Promise.all([simulate(...args), simulate(...args)]);
  const [a] = runsIn(first);
  const [b] = runsIn(second);
  t.ok(a !== undefined && a.hash !== "", first.errors);
  t.equal(a?.hash, b?.hash);
  const [other] = runsIn(await simulate("--seed", "4712", "--steps", "60", "--json"));
  t.not(other?.hash, a?.hash, "and another seed does others");
});

t.test("fixed seeds: whatever goes wrong, no firewall is", async (t) => {
  const storms = (first: number, many: number): Promise<Ended> =>
    simulate("--seed", String(first), "--runs", String(many), "--steps", String(FIXED.steps), "--json");
  const names = RARE.map(({ name }) => name).join(",");
  const alone = (): Promise<Ended> =>
    simulate(
      "--each",
      "--faults",
      names,
      "--seed",
      String(FIXED.seed),
      "--steps",
      String(ALONE_STEPS),
      "--json",
    );
  const { seed, runs: count } = FIXED;
  // The rest takes as long as those alone: there are two processors.
  const most = Math.ceil(count / 2) + 1;
  const [first, others] = await Promise.all([
    storms(seed, most),
    storms(seed + most, count - most).then(async (ended) => [ended, await alone()]),
  ]);
  for (const ended of [first, ...others]) {
    t.equal(ended.errors, "");
    for (const run of runsIn(ended)) {
      t.same(run.violations, [], `seed ${String(run.seed)}; again: ${run.replay}`);
      fixed.push(run);
    }
  }
  t.equal(fixed.length, count + 1 + RARE.length);
});

t.test("that were enough faults, and every class of them really changed something", (t) => {
  const faults = fixed.reduce((sum, run) => sum + run.faults, 0);
  t.ok(faults >= LEAST_FAULTS, `${String(faults)} faults`);
  const idle = FAULTS.filter(({ name }) => !fixed.some(({ tallies }) => (tallies[name]?.struck ?? 0) > 0));
  t.same(
    idle.map(({ name }) => name),
    [],
  );
  t.end();
});

t.test("a fresh seed: whatever goes wrong, no firewall is", async (t) => {
  const seed = testSeed();
  const ended = await simulate("--seed", String(seed), "--steps", "600", "--json");
  const [run] = runsIn(ended);
  t.same(run?.violations, [], `seed ${String(seed)}; again: ${run?.replay ?? ended.errors}`);
  t.comment(`seed ${String(seed)}: ${String(run?.faults)} faults`);
});
