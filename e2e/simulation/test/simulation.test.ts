import t from "tap";
import { testSeed } from "../../stack/seed.ts";
import { FAULTS } from "../faults/all.ts";
import { runsIn, simulate, type Run } from "./command.ts";

/** Found by nobody: any that are fixed. */
const FIXED = { seed: 1, runs: 10, steps: 400 };
const LEAST_FAULTS = 1000;

const runs: Run[] = [];

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
  const { seed, runs: count, steps } = FIXED;
  // Two at a time: there are two processors.
  const half = Math.ceil(count / 2);
  const batches = await Promise.all(
    [
      [seed, half],
      [seed + half, count - half],
    ].map(([first, many]) =>
      simulate("--seed", String(first), "--runs", String(many), "--steps", String(steps), "--json"),
    ),
  );
  for (const batch of batches) {
    t.equal(batch.errors, "");
    for (const run of runsIn(batch)) {
      t.same(run.violations, [], `seed ${String(run.seed)}; again: ${run.replay}`);
      runs.push(run);
    }
  }
  t.equal(runs.length, count);
});

t.test("a fresh seed: whatever goes wrong, no firewall is", async (t) => {
  const seed = testSeed();
  const ended = await simulate("--seed", String(seed), "--steps", "600", "--json");
  const [run] = runsIn(ended);
  t.same(run?.violations, [], `seed ${String(seed)}; again: ${run?.replay ?? ended.errors}`);
  t.comment(`seed ${String(seed)}: ${String(run?.faults)} faults`);
  if (run !== undefined) runs.push(run);
});

t.test("that were enough faults, and every class of them really changed something", (t) => {
  const faults = runs.reduce((sum, run) => sum + run.faults, 0);
  t.ok(faults >= LEAST_FAULTS, `${String(faults)} faults`);
  const idle = FAULTS.filter(({ name }) => !runs.some(({ tallies }) => (tallies[name]?.struck ?? 0) > 0));
  t.same(
    idle.map(({ name }) => name),
    [],
  );
  t.end();
});
