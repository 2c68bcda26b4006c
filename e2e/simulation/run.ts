import { FAULTS } from "./faults/all.ts";
import { Simulation, type SimulationOptions } from "./simulation.ts";
import { Storm, type Tally } from "./storm.ts";

export interface RunOptions extends SimulationOptions {
  /** Things that happen in clusters, faults not counted. */
  readonly steps: number;
  /** Classes of faults; empty = none. */
  readonly faults: readonly string[];
}

export interface RunResult {
  readonly options: RunOptions;
  readonly steps: number;
  readonly virtualMs: number;
  /** Of the processor. */
  readonly cpuMs: number;
  /** How often everything came to rest and was compared. */
  readonly rests: number;
  readonly hash: string;
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly violations: readonly string[];
  /** How long each address stayed in a group after it was freed: milliseconds. */
  readonly exposures: readonly number[];
  /** The end of the history. */
  readonly last: readonly string[];
}

/** Steps of one storm, and how many of them bring a fault as well. */
const STORM_STEPS = 200;
const FAULTY = 0.3;
/** A person looks at what is held. */
const DECIDING = 0.03;
const CALM_STEPS = 20;
const LINES = 80;

/** One run: storm, calm and rest in turn, until the steps are done or something is wrong. */
export async function run(options: RunOptions): Promise<RunResult> {
  const cpu = process.cpuUsage();
  // Half of the worlds, by the seed: in them edits are judged by what is approved, in the others by how soon they act.
  const isGuarded = options.seed % 2 === 0;
  const simulation = new Simulation({ ...options, isGuarded });
  const { world, dice, oracle, history } = simulation;
  const classes = FAULTS.filter(({ name }) => options.faults.includes(name));
  const storm = new Storm(classes, world, dice, oracle.health);
  simulation.start();
  let rests = 0;
  while (simulation.steps < options.steps && simulation.fine) {
    const until = Math.min(options.steps, simulation.steps + STORM_STEPS);
    // What is held waits for a person, however well the world is.
    const decided = isGuarded ? oracle.health.fall() : undefined;
    while (simulation.steps < until && simulation.fine) {
      await simulation.act(20, 1500);
      if (dice.chance(FAULTY)) storm.strike();
      if (isGuarded && dice.chance(DECIDING)) await world.operator.approve();
    }
    storm.calm();
    decided?.(0);
    await simulation.recover();
    for (let step = 0; step < CALM_STEPS && simulation.fine; step += 1)
      await simulation.act(100, 2000, !isGuarded);
    await simulation.rest();
    rests += 1;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    options,
    steps: simulation.steps,
    virtualMs: simulation.timeline.now,
    cpuMs: (user + system) / 1000,
    rests,
    hash: history.hash,
    tallies: storm.tallies,
    violations: simulation.violations,
    exposures: simulation.exposures,
    last: history.last(LINES),
  };
}
