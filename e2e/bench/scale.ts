import { addressAt } from "./pods.ts";
import { rounded } from "./quantiles.ts";
import type { Aim, Section } from "./report.ts";
import { pause, until, type Rig } from "./rig.ts";
import { usageOf, type Usage } from "./usage.ts";

const GROUPS = 50;
/** Pods of the largest cluster that the memory aim is about, and the aim. */
const AIM_PODS = 100_000;
const AIM_MEGABYTES = 150;
const REST_MS = 5000;

export interface ScaleOptions {
  readonly pods: number;
  /** False = the watcher alone. */
  readonly withPusher: boolean;
}

interface Part {
  readonly seconds: number;
  readonly usage: Usage;
  /** Resident a few seconds later, when nothing happens. */
  readonly idle: Usage;
}

/** A cold start with that many pods: what it takes until the bus, and until the firewall has them all. */
export async function measureScale(rig: Rig, { pods, withPusher }: ScaleOptions): Promise<Section> {
  fill(rig, pods);
  await rig.topology();
  if (withPusher) await rig.pusher.start();
  const since = Date.now();
  const started = performance.now();
  await rig.watcher.start();
  await rig.synced(pods, since, 600_000);
  const published = (performance.now() - started) / 1000;
  let pusher: Part | undefined;
  let writes = 0;
  if (withPusher) {
    const sizes = Object.fromEntries(Array.from({ length: GROUPS }, (_, n) => [groupOf(n), pods / GROUPS]));
    await quiet(rig);
    await rig.holds(sizes, 1_800_000);
    const done = rig.firewall.writes();
    writes = done.length;
    pusher = await part(rig.pusher.pid, ((done.at(-1)?.appliedAt ?? 0) - since) / 1000);
  }
  const watcher = await part(rig.watcher.pid, published);
  return section({ pods, withPusher }, watcher, pusher, writes);
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

/** No write for three seconds: to look at thousands of members while they are written would slow the simulator. */
async function quiet(rig: Rig): Promise<void> {
  let last = 0;
  let since = performance.now();
  const stop = rig.firewall.simulator.device.subscribe((entry) => {
    if (entry.method !== "GET") last = entry.id;
    since = performance.now();
  });
  await until(
    "an end of the writes",
    () => Promise.resolve((last > 0 && performance.now() - since > 3000) || undefined),
    1_800_000,
  );
  stop();
}

async function part(pid: number, seconds: number): Promise<Part> {
  const usage = usageOf(pid);
  await pause(REST_MS);
  return { seconds, usage, idle: usageOf(pid) };
}

function section(
  { pods, withPusher }: ScaleOptions,
  watcher: Part,
  pusher: Part | undefined,
  writes: number,
): Section {
  const row = (
    name: string,
    { seconds, usage, idle }: Part,
    calls?: number,
  ): (string | number | undefined)[] => [
    name,
    rounded(seconds),
    usage.cpuSeconds,
    usage.peakRss,
    idle.rss,
    calls,
    ...[0.05, 0.25, 0.25].map((r, at) =>
      calls === undefined ? undefined : rounded(at < 2 ? calls * r + seconds : calls / 4),
    ),
  ];
  const aims: Aim[] = [];
  if (pods >= AIM_PODS) {
    const what = `watcher's memory at ${pods.toLocaleString("en-US")} pods`;
    aims.push(
      { what: `${what}, idle`, measured: watcher.idle.rss, limit: AIM_MEGABYTES, unit: "MB" },
      { what: `${what}, peak`, measured: watcher.usage.peakRss, limit: AIM_MEGABYTES, unit: "MB" },
    );
  }
  return {
    name: `scale-${String(pods)}`,
    title: `Cold start with ${pods.toLocaleString("en-US")} pods in ${String(GROUPS)} groups, synthetic API stream, R = 0${withPusher ? "" : ", watcher alone"}`,
    notes: [
      "Seconds: watcher until the last member is on the bus, pusher until the last write, both from the watcher's start.",
      ...(withPusher
        ? ["Projected seconds: writes x R at 50 and 250 ms without a budget, and under 4 calls a second."]
        : []),
    ],
    columns: [
      "process",
      "seconds",
      "CPU s",
      "peak MB",
      "idle MB",
      "writes",
      "R 50 ms",
      "R 250 ms",
      "4 a second",
    ],
    rows: [row("watcher", watcher), ...(pusher === undefined ? [] : [row("pusher", pusher, writes)])],
    aims,
    details: { watcher, pusher, writes },
  };
}
