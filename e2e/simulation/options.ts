import { parseCommand, type Parsed } from "../../scripts/options.ts";
import { FAULTS } from "./faults/all.ts";

const NAMES = FAULTS.map(({ name }) => name);

export const HELP = `npm run simulate -- [options]

Runs the watcher and the pusher on a virtual clock against stand-ins for API servers, NATS and firewalls, lets things go
wrong, and judges every write. The same seed does the same things in the same order.

  --seed N           default: a new one, which is printed
  --steps N          things that happen in the clusters; every third or so brings a fault (default 400)
  --clusters N       1 to 8 (default 2)
  --runs N           as many runs, of this seed and those after it (default 1)
  --faults A,B       these classes only; all (default), none
  --each             every class alone, with as many steps, and how long addresses stayed
  --crash-points     instead: kills the process before and after each place that calls into the world
  --once             with it: only one of the two, drawn from the seed
  --verbose          the history as it happens
  --json             each run as a line of JSON
  --help

Classes: ${NAMES.join(", ")}`;

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  readonly clusters: number;
  readonly runs: number;
  readonly faults: readonly string[];
  readonly each: boolean;
  readonly crashPoints: boolean;
  readonly once: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
}

const TEXT = { type: "string" } as const;
const YES = { type: "boolean", default: false } as const;
const OPTIONS = {
  seed: TEXT,
  steps: TEXT,
  clusters: TEXT,
  runs: TEXT,
  faults: TEXT,
  each: YES,
  "crash-points": YES,
  once: YES,
  verbose: YES,
  json: YES,
};

/** @param fresh a seed where none is given */
export function parseOptions(args: readonly string[], fresh: number): Parsed<SimulationOptions> {
  return parseCommand(args, OPTIONS, (given) => {
    const { each, once, verbose, json, ...values } = given.values;
    const wanted = values.faults ?? "all";
    const faults = wanted === "all" ? NAMES : wanted === "none" ? [] : wanted.split(",");
    for (const name of faults)
      if (!NAMES.includes(name)) given.faults.push(`--faults ${name}: no such class; --help lists them`);
    return {
      seed: given.whole("seed", fresh, 0, 2 ** 32 - 1),
      steps: given.whole("steps", 400, 1, 10_000_000),
      clusters: given.whole("clusters", 2, 1, 8),
      runs: given.whole("runs", 1, 1, 1_000_000),
      faults,
      each,
      crashPoints: values["crash-points"],
      once,
      verbose,
      json,
    };
  });
}
