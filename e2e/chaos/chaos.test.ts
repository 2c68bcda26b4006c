import t from "tap";
import { skip } from "../scenarios/scene.ts";
import { testSeed } from "../stack/seed.ts";
import { skipWithout } from "../tools/tool.ts";
import { CLASSES, disturbances, told } from "./disturbances.ts";
import { command } from "./options.ts";
import { Random } from "./random.ts";
import { runChaos, writeReport } from "./run.ts";
import { DEFAULT_LEASE_SECONDS } from "./world.ts";

const ROUNDS = 10;
t.setTimeout(600_000);

const plan = (seed: number): string[] => disturbances(new Random(seed)).map(told);

t.test("a seed decides what goes wrong, and neighboring seeds differ", async (t) => {
  const plans = Array.from({ length: 200 }, (_, seed) => plan(seed));
  t.strictSame(plan(7), plans[7]);
  t.ok(new Set(plans.map((each) => each.join())).size > 190);
  const kinds = new Set(plans.flatMap((_, seed) => disturbances(new Random(seed)).map(({ kind }) => kind)));
  t.strictSame([...kinds].toSorted(), CLASSES.toSorted(), "every class comes up");
});

t.test("one class alone is one class alone, and a pause outlives the lease", async (t) => {
  for (const kind of CLASSES)
    for (let seed = 0; seed < 50; seed += 1) {
      const alone = disturbances(new Random(seed), [kind]);
      t.ok(alone.length > 0 && alone.every((each) => each.kind === kind), kind);
    }
  const pauses = Array.from({ length: 100 }, (_, seed) =>
    disturbances(new Random(seed), ["pause-pusher"], 6),
  ).flat();
  t.ok(pauses.every(({ ms, part }) => ms > 6000 && part.endsWith(" pusher")));
  t.equal(new Set(pauses.map(({ part }) => part)).size, 2, "of both, at times");
});

t.test(
  `${ROUNDS} rounds in which everything that can go wrong does: late at times, wrong never`,
  { skip: skip || skipWithout("toxiproxy-server") },
  async (t) => {
    const seed = testSeed();
    const options = { rounds: ROUNDS, seed, faults: CLASSES, leaseSeconds: DEFAULT_LEASE_SECONDS };
    t.comment(`seed ${seed}; again: ${command(options)}`);
    const report = await runChaos({ ...options, say: (line) => t.comment(line) });
    writeReport(report);
    t.strictSame(report.wrong, []);
    t.equal(report.rounds, ROUNDS);
    t.ok(report.changes > ROUNDS, `${report.changes} changes`);
    t.ok(report.removals.count + report.additions.count > ROUNDS, "addresses came and went on the firewall");
  },
);
