import { addressAt, simulatedPods } from "./pods.ts";
import type { Section } from "./report.ts";
import { until } from "../stack/until.ts";
import type { Rig } from "./rig.ts";

const GROUPS = 5;
const PODS = 200;
/** Whole reads of the firewall that must have passed without a write after each restart. */
const READS = 3;

/** Restarts with nothing changed: each part alone, then all at once. */
export async function measureRestarts(rig: Rig): Promise<Section> {
  const source = simulatedPods(rig);
  const groupOf = (n: number): string => `bench-${String(n % GROUPS)}`;
  for (let n = 0; n < GROUPS; n += 1) await source.defineGroup(groupOf(n), { app: groupOf(n) });
  for (let n = 0; n < PODS; n += 1) await source.add(`p${String(n)}`, { app: groupOf(n) }, addressAt(n));
  await rig.pusher.start();
  await rig.watcher.start();
  await rig.holds(Object.fromEntries(Array.from({ length: GROUPS }, (_, n) => [groupOf(n), PODS / GROUPS])));
  const { watcher, pusher, nats } = rig;
  const cases: readonly (readonly [string, () => Promise<void>])[] = [
    ["watcher", () => watcher.restart()],
    ["pusher", () => pusher.restart()],
    [
      "NATS",
      async () => {
        await nats.kill();
        await nats.start();
      },
    ],
    [
      "all at once",
      async () => {
        await Promise.all([watcher.kill(), pusher.kill(), nats.kill()]);
        await nats.start();
        await Promise.all([watcher.start(), pusher.start()]);
      },
    ],
  ];
  const rows: [string, number, number][] = [];
  for (const [name, restart] of cases) {
    await rig.verified();
    const before = rig.lastRequest;
    const since = Date.now();
    await restart();
    await rig.synced(PODS, since, 60_000);
    await rig.verified();
    const settled = rig.lastRequest;
    const reads = (): number =>
      rig.firewall.simulator.log({ since: settled, methods: ["GET"], path: "firewall/addrgrp" }).length;
    await until("reads of the firewall", () => Promise.resolve(reads() >= 2 * READS || undefined), 120_000);
    rows.push([name, rig.firewall.writes(before).length, reads()]);
  }
  return {
    name: "restart",
    title: `Restart with nothing changed (${String(PODS)} pods, ${String(GROUPS)} groups, a read of the firewall every second)`,
    notes: [
      "Writes: POST, PUT and DELETE from the restart until the firewall was read several times afterwards.",
    ],
    columns: ["restarted", "writes", "reads of groups afterwards"],
    rows,
    aims: rows.map(([name, writes]) => ({
      what: `writes, ${name}`,
      measured: writes,
      limit: 0,
      unit: "calls",
    })),
  };
}
