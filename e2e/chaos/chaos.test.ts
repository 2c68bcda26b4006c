import t from "tap";
import { skip } from "../scenarios/scene.ts";
import { testSeed } from "../stack/seed.ts";
import { skipWithout } from "../tools/tool.ts";
import { disturbances, told } from "./disturbances.ts";
import { Random } from "./random.ts";
import { replay, runChaos, writeReport } from "./run.ts";

const ROUNDS = 10;
t.setTimeout(600_000);

const plan = (seed: number): string[] => disturbances(new Random(seed)).map(told);

t.test("a seed decides what goes wrong, and neighboring seeds differ", async (t) => {
  const plans = Array.from({ length: 200 }, (_, seed) => plan(seed));
  t.strictSame(plan(7), plans[7]);
  t.ok(new Set(plans.map((each) => each.join())).size > 190);
  const kinds = new Set(plans.flatMap((_, seed) => disturbances(new Random(seed)).map(({ kind }) => kind)));
  t.equal(kinds.size, 12, "every class comes up");
});

t.test(
  `${ROUNDS} rounds in which everything that can go wrong does: late at times, wrong never`,
  { skip: skip || skipWithout("toxiproxy-server") },
  async (t) => {
    const seed = testSeed();
    t.comment(`seed ${seed}; again: ${replay(seed).replace("--rounds 1", `--rounds ${ROUNDS}`)}`);
    const report = await runChaos({ rounds: ROUNDS, seed, say: (line) => t.comment(line) });
    writeReport(report);
    t.strictSame(report.wrong, []);
    t.equal(report.rounds, ROUNDS);
    t.ok(report.changes > ROUNDS, `${report.changes} changes`);
    t.ok(report.removals.count + report.additions.count > ROUNDS, "addresses came and went on the firewall");
  },
);
