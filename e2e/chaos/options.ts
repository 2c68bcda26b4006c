import { parseCommand, type Parsed } from "../../scripts/options.ts";
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

const TEXT = { type: "string" } as const;
const YES = { type: "boolean" } as const;
const OPTIONS = { rounds: TEXT, seed: TEXT, faults: TEXT, lease: TEXT, "no-build": YES };

/** @param fresh a seed where none is given */
export function parseOptions(
  args: readonly string[],
  fresh: number,
): Parsed<{ readonly chaos: ChaosOptions; readonly build: boolean }> {
  return parseCommand(args, OPTIONS, (given) => {
    const { values, faults: wrong } = given;
    const faults = values.faults?.split(",") ?? CLASSES;
    for (const name of faults)
      if (!CLASSES.includes(name)) wrong.push(`--faults ${name}: no such class; --help lists them`);
    const chaos = {
      rounds: given.whole("rounds", 10, 1, 1_000_000),
      seed: given.whole("seed", fresh, 0, 2 ** 32 - 1),
      faults,
      leaseSeconds: given.whole("lease", DEFAULT_LEASE_SECONDS, SHORTEST_LEASE_SECONDS, 60),
    };
    return { chaos, build: values["no-build"] !== true };
  });
}

/** The one command that plays these rounds again. */
export function command({ rounds, seed, faults, leaseSeconds }: ChaosOptions): string {
  const only = faults.length === CLASSES.length ? "" : ` --faults ${faults.join(",")}`;
  const lease = leaseSeconds === DEFAULT_LEASE_SECONDS ? "" : ` --lease ${leaseSeconds}`;
  return `npm run chaos -- --rounds ${rounds} --seed ${seed}${only}${lease}`;
}
