import { addressAt, simulatedPods } from "./pods.ts";
import { quantiles, rounded } from "./quantiles.ts";
import type { Section } from "./report.ts";
import { VDOM, pause, type Budget, type Rig } from "./rig.ts";

const GROUPS = 5;
const PER_SECOND = 100;

export interface ChurnOptions {
  readonly writeMs: number;
  readonly events: number;
  readonly budget: Budget;
}

/**
 * 100 pod events a second over 5 groups: half the pods go, half come, each address once, so that its way to the
 * firewall can be timed. Address objects exist before, as in a steady rollout. The rig begins without a budget and with R = 0: filling is not what is measured.
 */
export async function measureChurn(rig: Rig, { writeMs, events, budget }: ChurnOptions): Promise<Section> {
  const source = simulatedPods(rig);
  const groupOf = (n: number): string => `bench-${String(n % GROUPS)}`;
  const labelsOf = (n: number) => ({ app: groupOf(n) });
  for (let n = 0; n < GROUPS; n += 1) await source.defineGroup(groupOf(n), labelsOf(n));
  for (let n = 0; n < events; n += 1) await source.add(`p${String(n)}`, labelsOf(n), addressAt(n));
  await rig.pusher.start();
  await rig.watcher.start();
  const expected = (there: (n: number) => boolean): Record<string, string[]> => {
    const groups: Record<string, string[]> = {};
    for (let n = 0; n < GROUPS; n += 1) groups[groupOf(n)] = [];
    for (let n = 0; n < events; n += 1) if (there(n)) groups[groupOf(n)]?.push(addressAt(n));
    return groups;
  };
  await rig.holds(expected(() => true));
  // Half of them go now, so that they can come back to objects that are there.
  const leaves = (n: number): boolean => Math.floor(n / GROUPS) % 2 === 0;
  for (let n = 0; n < events; n += 1) if (!leaves(n)) await source.remove(`p${String(n)}`);
  await rig.holds(expected(leaves));
  await rig.slowDown(writeMs, budget);

  const before = rig.lastRequest;
  const started = performance.now();
  const changes: { n: number; at: number; add: boolean }[] = [];
  for (let n = 0; n < events; n += 1) {
    const due = started + (n * 1000) / PER_SECOND;
    if (due > performance.now()) await pause(due - performance.now());
    const name = `p${String(n)}`;
    const at = leaves(n) ? await source.remove(name) : await source.add(name, labelsOf(n), addressAt(n));
    changes.push({ n, at, add: !leaves(n) });
  }
  await rig.holds(expected((n) => !leaves(n)));
  const { device } = rig.firewall.simulator;
  const histories = new Map(
    Array.from({ length: GROUPS }, (_, n) => [
      groupOf(n),
      device.chronicle.memberships(VDOM, groupOf(n), "ipv4"),
    ]),
  );
  const waits = changes.map(({ n, at, add }) => {
    const address = addressAt(n);
    const history = histories.get(groupOf(n)) ?? [];
    const state = history.find((each) => each.at >= Math.floor(at) && each.members.includes(address) === add);
    if (state === undefined) throw new Error(`${address} never ${add ? "came" : "went"}`);
    return state.at - at;
  });
  const writes = rig.firewall.writes(before);
  const seconds = ((writes.at(-1)?.appliedAt ?? 0) - (changes[0]?.at ?? 0)) / 1000;
  const reads = rig.firewall.simulator.log({ since: before, methods: ["GET"] }).length;
  const { p50, p99, max } = quantiles(waits);
  const allowed = Math.ceil(budget.burst + budget.perSecond * seconds);
  const name = `${String(budget.burst)} at once, ${String(budget.perSecond)} a second`;
  return {
    name: `churn-${String(budget.perSecond)}`,
    title: `Busy: ${String(events)} pod events at ${String(PER_SECOND)}/s over ${String(GROUPS)} groups, budget ${name}, R = ${String(writeMs)} ms`,
    notes: ["Address objects exist before. Reads are GET calls of the pusher; latency in milliseconds."],
    columns: ["budget", "writes", "per 1,000 events", "reads", "seconds", "p50", "p99", "max"],
    rows: [
      [name, writes.length, rounded((writes.length * 1000) / events), reads, rounded(seconds), p50, p99, max],
    ],
    aims: [
      { what: `writes within the budget (${name})`, measured: writes.length, limit: allowed, unit: "calls" },
      {
        what: `busy p99 (${name})`,
        measured: p99,
        limit: (GROUPS / budget.perSecond) * 1000 + 2 * writeMs,
        unit: "ms",
      },
    ],
    details: {
      waits,
      writes: writes.map(({ method, path, at, appliedAt }) => ({ method, path, at, appliedAt })),
    },
  };
}
