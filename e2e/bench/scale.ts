import { addressAt } from "./pods.ts";
import { rounded } from "./quantiles.ts";
import type { Aim, Cell, Section } from "./report.ts";
import { DEFAULT_BUDGET, pause, type Rig } from "./rig.ts";
import { until } from "../stack/until.ts";
import { usageOf, type Usage } from "./usage.ts";

const GROUPS = 50;
/** Pods of the largest cluster that the memory aims are about, and the aims: at rest, and while it starts. */
const AIM_PODS = 100_000;
const AIM_MEGABYTES = 150;
const AIM_PEAK_MEGABYTES = 250;
const REST_MS = 5000;
const QUIET_MS = 3000;

export interface ScaleOptions {
  readonly pods: number;
  /** False = the watcher alone. */
  readonly withPusher: boolean;
}

interface Part {
  readonly name: string;
  readonly seconds: number;
  readonly writes: number | undefined;
  readonly usage: Usage;
  /** Resident a few seconds later, when nothing happens. */
  readonly idle: Usage;
}

/** A start with nothing on the bus and the firewall, and then each process again, with everything there. */
export async function measureScale(rig: Rig, { pods, withPusher }: ScaleOptions): Promise<Section> {
  fill(rig, pods);
  await rig.topology();
  if (withPusher) await rig.pusher.start();
  const since = Date.now();
  const published = await timed(() => rig.watcher.start().then(() => rig.synced(pods, since, 600_000)));
  const parts: Part[] = [];
  if (withPusher) {
    const sizes = Object.fromEntries(Array.from({ length: GROUPS }, (_, n) => [groupOf(n), pods / GROUPS]));
    await quiet(rig);
    await rig.holds(sizes, 1_800_000);
    const writes = rig.firewall.writes();
    const seconds = ((writes.at(-1)?.appliedAt ?? 0) - since) / 1000;
    parts.push(await part("pusher", rig.pusher.pid, seconds, writes.length));
  }
  parts.unshift(await part("watcher", rig.watcher.pid, published));
  await rig.watcher.stop();
  const again = Date.now();
  const taken = await timed(() => rig.watcher.start().then(() => rig.synced(pods, again, 600_000)));
  parts.push(await part("watcher again", rig.watcher.pid, taken));
  parts.push(await part("watcher, 410", rig.watcher.pid, await timed(() => relisted(rig))));
  if (withPusher) {
    await rig.pusher.stop();
    const before = rig.lastRequest;
    const verified = await timed(() => rig.pusher.start().then(() => rig.verified()));
    await quiet(rig);
    parts.push(await part("pusher again", rig.pusher.pid, verified, rig.firewall.writes(before).length));
  }
  return section(pods, withPusher, parts);
}

const groupOf = (n: number): string => `bench-${String(n % GROUPS)}`;

/** As many pods as a Deployment each 200, with labels as these have. */
function fill({ kubernetes: { cluster } }: Rig, pods: number): void {
  for (let n = 0; n < GROUPS; n += 1) {
    cluster.applyGroup("", groupOf(n), { podSelector: { matchLabels: { app: groupOf(n) } } });
  }
  for (let n = 0; n < 100; n += 1) {
    cluster.createNode(`node-${String(n)}`, { internal: [`192.0.2.${String(n + 1)}`] });
  }
  for (let n = 0; n < pods; n += 1) {
    const owner = `web-${String(n % 500)}-7d4b9c`;
    cluster.createPod({
      namespace: "default",
      name: `${owner}-${n.toString(36)}`,
      owner,
      labels: { app: groupOf(n), "pod-template-hash": "7d4b9c", "app.kubernetes.io/part-of": "shop" },
      nodeName: `node-${String(n % 100)}`,
      addresses: [addressAt(n)],
    });
  }
}

/** Until every pod was listed anew: what the watcher saw last is not known to the API server any more. */
async function relisted({ kubernetes: { api, cluster }, watcher }: Rig): Promise<void> {
  const lists = async (): Promise<number> =>
    (await watcher.metrics()).get('podgate_watcher_lists_total{resource="pods"}') ?? 0;
  const before = await lists();
  cluster.createNode("another", { internal: ["192.0.2.254"] });
  api.compact();
  api.cutWatches("pods");
  await until("a new list", async () => (await lists()) > before || undefined, 600_000);
}

/** No call for three seconds: to look at thousands of members while they are written would slow the simulator. */
async function quiet({ firewall }: Rig): Promise<void> {
  let since = performance.now();
  const stop = firewall.simulator.device.subscribe(() => {
    since = performance.now();
  });
  const look = (): true | undefined => performance.now() - since > QUIET_MS || undefined;
  await until("an end of the calls", () => Promise.resolve(look()), 1_800_000);
  stop();
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return (performance.now() - started) / 1000;
}

async function part(name: string, pid: number, seconds: number, writes?: number): Promise<Part> {
  const usage = usageOf(pid);
  await pause(REST_MS);
  return { name, seconds, writes, usage, idle: usageOf(pid) };
}

function section(pods: number, withPusher: boolean, parts: readonly Part[]): Section {
  const count = pods.toLocaleString("en-US");
  const rows = parts.map(({ name, seconds, usage, idle, writes }) => {
    const projected = (r: number) =>
      name === "pusher" && writes ? rounded(writes * r + seconds) : undefined;
    const budgeted = name === "pusher" && writes ? rounded(writes / DEFAULT_BUDGET.perSecond) : undefined;
    const cells: Cell[] = [name, rounded(seconds), usage.cpuSeconds];
    cells.push(usage.peakRss, idle.rss, idle.ownRss, writes);
    cells.push(projected(0.05), projected(0.25), budgeted);
    return cells;
  });
  const aims: Aim[] = parts.flatMap(({ name, usage, idle, writes }): Aim[] => {
    if (name === "pusher again") {
      return [{ what: `writes of a restart, ${count} pods`, measured: writes ?? 0, limit: 0, unit: "calls" }];
    }
    if (pods < AIM_PODS || !name.startsWith("watcher")) return [];
    const what = `${name} with ${count} pods`;
    return [
      { what: `${what}, idle`, measured: idle.rss, limit: AIM_MEGABYTES, unit: "MB" },
      { what: `${what}, peak`, measured: usage.peakRss, limit: AIM_PEAK_MEGABYTES, unit: "MB" },
    ];
  });
  return {
    name: `scale-${String(pods)}`,
    title: `Start with ${count} pods in ${String(GROUPS)} groups, synthetic API stream, R = 0${withPusher ? "" : ", watcher alone"}`,
    notes: [
      "Seconds: watcher until the last member is on the bus; pusher until the last write, from the watcher's start;",
      "again: restarted with everything there, the pusher until it has verified the cluster and read the firewall;",
      "410: the same process, until it has listed all pods anew.",
      ...(withPusher
        ? [
            "Last three columns, projected seconds: writes x R without a budget, and under the default budget.",
          ]
        : []),
    ],
    columns: [
      "process",
      "seconds",
      "CPU s",
      "peak MB",
      "idle MB",
      "own MB",
      "writes",
      "R 50 ms",
      "R 250 ms",
      "4 a second",
    ],
    rows,
    aims,
    details: { parts },
  };
}
