import { FAULTS } from "./faults/all.ts";
import type { RunResult } from "./run.ts";

/** Classes of faults of these runs that were begun or allowed, but never changed anything. */
export function idle(results: readonly RunResult[]): string[] {
  const struck = new Map<string, number>();
  for (const { tallies } of results)
    for (const [name, tally] of tallies) struck.set(name, (struck.get(name) ?? 0) + tally.struck);
  return [...struck].filter(([, count]) => count === 0).map(([name]) => name);
}

/** Faults that were begun. */
export function faultsIn(results: readonly RunResult[]): number {
  return results.reduce(
    (sum, { tallies }) => sum + [...tallies.values()].reduce((all, { begun }) => all + begun, 0),
    0,
  );
}

/** One command that does exactly this again. */
export function replay({ options: { seed, steps, clusters, faults } }: RunResult): string {
  const some = faults.length === FAULTS.length ? "" : ` --faults ${faults.join(",") || "none"}`;
  return `npm run simulate -- --seed ${String(seed)} --steps ${String(steps)} --clusters ${String(clusters)}${some}`;
}

/** A run in words, line by line. */
export function report(result: RunResult): string[] {
  const { options, steps, virtualMs, cpuMs, rests, hash, tallies, violations, exposures, last } = result;
  const classes = [...tallies].map(
    ([name, { begun, struck }]) =>
      `  ${name.padEnd(22)} ${String(begun).padStart(5)} ${String(struck).padStart(7)}`,
  );
  const wrong =
    violations.length === 0
      ? []
      : [
          "",
          `the last ${String(last.length)} lines of the history:`,
          ...last.map((line) => `  ${line.slice(0, 240)}`),
          "",
          ...violations.slice(0, 20).map((violation) => `WRONG at ${violation}`),
          `again: ${replay(result)}`,
        ];
  return [
    ...(classes.length === 0 ? [] : ["  fault                  begun  struck", ...classes]),
    ...wrong,
    `seed ${String(options.seed)}: ${String(steps)} steps, ${String(faultsIn([result]))} faults, ${String(rests)} times at rest, ` +
      `${(virtualMs / 1000).toFixed(0)} s of virtual time in ${(cpuMs / 1000).toFixed(1)} s of the processor ` +
      `(${(steps / (cpuMs / 1000)).toFixed(0)} steps/s), history ${hash}`,
    `addresses stayed after they were freed: ${stays(exposures)}`,
  ];
}

/** Half of them, 99 of 100, and the longest. */
export function stays(exposures: readonly number[]): string {
  const sorted = exposures.toSorted((a, b) => a - b);
  const at = (share: number): string => {
    const ms = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return `${(ms / 1000).toFixed(2)} s`;
  };
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} (of ${String(sorted.length)})`;
}

/** For programs: one line. */
export function asJson(result: RunResult): string {
  const { options, steps, virtualMs, cpuMs, rests, hash, tallies, violations } = result;
  return JSON.stringify({
    seed: options.seed,
    steps,
    faults: faultsIn([result]),
    rests,
    virtualMs,
    cpuMs,
    hash,
    tallies: Object.fromEntries(tallies),
    violations,
    replay: replay(result),
  });
}
