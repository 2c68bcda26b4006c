import { parseArgs } from "node:util";
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

export type Parsed =
  | { readonly kind: "help" }
  | { readonly kind: "faults"; readonly faults: readonly string[] }
  | {
      readonly kind: "run";
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
    };

/** @param fresh a seed where none is given */
export function parseOptions(args: readonly string[], fresh: number): Parsed {
  let values: ReturnType<typeof raw>;
  try {
    values = raw(args);
  } catch (error) {
    return { kind: "faults", faults: [`${(error as Error).message}; --help lists the options`] };
  }
  if (values.help === true) return { kind: "help" };
  const faults: string[] = [];
  const number = (
    name: "seed" | "steps" | "clusters" | "runs",
    fallback: number,
    from: number,
    to: number,
  ): number => {
    const text = values[name] ?? String(fallback);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < from || value > to)
      faults.push(`--${name} ${text}: give a whole number from ${String(from)} to ${String(to)}`);
    return value;
  };
  const wanted = values.faults ?? "all";
  const classes = wanted === "all" ? NAMES : wanted === "none" ? [] : wanted.split(",");
  for (const name of classes)
    if (!NAMES.includes(name)) faults.push(`--faults ${name}: no such class; --help lists them`);
  const run = {
    kind: "run" as const,
    seed: number("seed", fresh, 0, 2 ** 32 - 1),
    steps: number("steps", 400, 1, 10_000_000),
    clusters: number("clusters", 2, 1, 8),
    runs: number("runs", 1, 1, 1_000_000),
    faults: classes,
    each: values.each ?? false,
    crashPoints: values["crash-points"] ?? false,
    once: values.once ?? false,
    verbose: values.verbose ?? false,
    json: values.json ?? false,
  };
  return faults.length > 0 ? { kind: "faults", faults } : run;
}

function raw(args: readonly string[]) {
  const text = { type: "string" } as const;
  const yes = { type: "boolean" } as const;
  const options = {
    seed: text,
    steps: text,
    clusters: text,
    runs: text,
    faults: text,
    each: yes,
    "crash-points": yes,
    once: yes,
    verbose: yes,
    json: yes,
    help: yes,
  };
  return parseArgs({ args: [...args], options, strict: true }).values;
}
