import { seededRandom } from "@podgate/shared/runtime/random";
import { Dice } from "./dice.ts";
import { History } from "./history.ts";
import { Oracle } from "./oracle/oracle.ts";
import { Timeline } from "./timeline.ts";
import { Workload } from "./workload.ts";
import { World } from "./world.ts";

export interface RunOptions {
  readonly seed: number;
  readonly steps: number;
  readonly clusters: number;
  readonly show?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly realMs: number;
  readonly events: number;
  readonly hash: string;
  readonly violations: readonly string[];
  readonly exposures: readonly number[];
  readonly lastLines: readonly string[];
}

const BOUND_MS = 10_000;
const TICK_MS = 1000;
const START_MS = 30_000;
const REST_MS = 300_000;

export async function run(options: RunOptions): Promise<RunResult> {
  const { seed, steps, clusters, show } = options;
  const started = performance.now();
  const timeline = new Timeline();
  const dice = new Dice(seededRandom(seed));
  const history = new History(() => timeline.now, show);
  const violations: string[] = [];
  const exposures: number[] = [];
  const violate = (what: string): void => {
    violations.push(`${(timeline.now / 1000).toFixed(3)} s: ${what}`);
    history.note("oracle", `VIOLATION ${what}`);
  };
  const world = new World({ clusters, timeline, dice, history, onFailure: violate });
  const oracle = new Oracle({
    now: () => timeline.now,
    clusters: new Map(world.clusters.map(({ name, api }) => [name, api])),
    targets: world.targets,
    boundMs: BOUND_MS,
    findings: { violation: violate, exposure: (ms) => exposures.push(ms) },
  });
  for (const { device } of world.devices)
    device.subscribe(({ changed }) => {
      if (changed) oracle.wrote(device, "product");
    });
  const shared = ["172.16.0.1", "172.16.0.2", "172.16.0.3"];
  const workloads = world.clusters.map((site, at) => new Workload(site, at + 1, dice, timeline, shared));
  const tick = (): void => {
    oracle.tick();
    timeline.after(TICK_MS, tick);
  };
  tick();
  const heal = oracle.health.fall(START_MS);
  world.start();
  heal();
  let done = 0;
  for (; done < steps && violations.length === 0; done += 1) {
    await timeline.advance(dice.between(20, 1500));
    const at = dice.int(0, workloads.length - 1);
    history.note(world.clusters[at]?.name ?? "", workloads[at]?.act() ?? "");
  }
  await rest();
  return {
    seed,
    steps: done,
    virtualMs: timeline.now,
    realMs: performance.now() - started,
    events: history.count,
    hash: history.hash,
    violations,
    exposures,
    lastLines: history.last(60),
  };

  async function rest(): Promise<void> {
    const from = timeline.now;
    while (violations.length === 0) {
      await timeline.advance(TICK_MS);
      if (workloads.some(({ pending }) => pending > 0)) continue;
      const differences = oracle.differences();
      if (differences.length === 0) return;
      if (timeline.now - from < REST_MS) continue;
      for (const difference of differences) violate(`at rest: ${difference}`);
    }
  }
}
