import { parseArgs } from "node:util";
import { CLASSES } from "./disturbances.ts";
import { DEFAULT_LEASE_SECONDS, SHORTEST_LEASE_SECONDS } from "./world.ts";

export const HELP = `npm run chaos -- [options]

Real processes: two clusters with two watchers each, two pushers, NATS, and a simulated FortiGate, all behind links of
Toxiproxy. In each round up to three things go wrong at the same time (a link is cut, slow, resets or swallows
everything; a service is killed or stands still beyond its lease; NATS is killed or loses its volume; an API server is
killed; the device is slow, loses replies or fails over) while pods come and go. Then everything is healed, comes to
rest, and the device's history is judged against the API servers': no member that no pod held, none that stayed or was
missing beyond the bound, no administrator's object changed.

  --rounds N     how many (default 10)
  --seed S       of the first round; the next has the next (default: of the time)
  --faults A,B   these classes only (default all)
  --lease S      seconds, of the pushers (default ${DEFAULT_LEASE_SECONDS}); those of the watchers last ${DEFAULT_LEASE_SECONDS} s
  --no-build     the bundles that are there
  --help

Classes: ${CLASSES.join(", ")}

A round that fails prints the command that plays it again: the same disturbances and changes, in a new stack.`;

export interface ChaosOptions {
  readonly rounds: number;
  /** Of the first round; the next has the next. */
  readonly seed: number;
  /** Classes of disturbances that may come up. */
  readonly faults: readonly string[];
  /** Of the pushers. */
  readonly leaseSeconds: number;
}

export type Parsed =
  | { readonly kind: "help" }
  | { readonly kind: "faults"; readonly faults: readonly string[] }
  | { readonly kind: "run"; readonly options: ChaosOptions; readonly build: boolean };

/** @param fresh a seed where none is given */
export function parseOptions(args: readonly string[], fresh: number): Parsed {
  let values: ReturnType<typeof raw>;
  try {
    values = raw(args);
  } catch (error) {
    return { kind: "faults", faults: [`${(error as Error).message}; --help lists the options`] };
  }
  if (values.help === true) return { kind: "help" };
  const wrong: string[] = [];
  const whole = (name: "rounds" | "seed" | "lease", fallback: number, from: number, to: number): number => {
    const text = values[name] ?? String(fallback);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < from || value > to)
      wrong.push(`--${name} ${text}: give a whole number from ${from} to ${to}`);
    return value;
  };
  const faults = values.faults === undefined ? CLASSES : values.faults.split(",");
  for (const name of faults)
    if (!CLASSES.includes(name)) wrong.push(`--faults ${name}: no such class; --help lists them`);
  const options = {
    rounds: whole("rounds", 10, 1, 1_000_000),
    seed: whole("seed", fresh, 0, 2 ** 32 - 1),
    faults,
    leaseSeconds: whole("lease", DEFAULT_LEASE_SECONDS, SHORTEST_LEASE_SECONDS, 60),
  };
  return wrong.length > 0
    ? { kind: "faults", faults: wrong }
    : { kind: "run", options, build: values["no-build"] !== true };
}

/** The one command that plays these rounds again. */
export function command({ rounds, seed, faults, leaseSeconds }: ChaosOptions): string {
  const only = faults.length === CLASSES.length ? "" : ` --faults ${faults.join(",")}`;
  const lease = leaseSeconds === DEFAULT_LEASE_SECONDS ? "" : ` --lease ${leaseSeconds}`;
  return `npm run chaos -- --rounds ${rounds} --seed ${seed}${only}${lease}`;
}

function raw(args: readonly string[]) {
  const text = { type: "string" } as const;
  const yes = { type: "boolean" } as const;
  const options = { rounds: text, seed: text, faults: text, lease: text, "no-build": yes, help: yes };
  return parseArgs({ args: [...args], options, strict: true }).values;
}
