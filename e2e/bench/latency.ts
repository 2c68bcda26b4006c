import { systemClock } from "@podgate/kubernetes-simulator/clock";
import { addressAt, type PodSource } from "./pods.ts";
import { quantiles, rounded, quantile } from "./quantiles.ts";
import type { Aim, Section } from "./report.ts";
import { VDOM, pause, type Rig } from "./rig.ts";
import { BusRecorder } from "./stages.ts";

const GROUP = "bench-idle";
const LABELS = { app: "idle" };
/** The group is not empty: as many pods were there before. */
const STANDING = 50;
/** Above the bound of one or two writes: the rest of the way. */
const OVERHEAD_MS = 50;
/** The default budget gives back 4 calls a second; an idle device has some saved. */
const REST_MS = 700;
const PATIENCE_MS = 30_000;

const KINDS = ["add new", "remove", "add known", "remove again"] as const;
type Kind = (typeof KINDS)[number];

interface Sample {
  readonly kind: Kind;
  readonly total: number;
  readonly watcher: number | undefined;
  readonly bus: number | undefined;
  readonly pusher: number | undefined;
  readonly firewall: number | undefined;
}

/** Single changes on an idle system: from the API server's commit to the firewall's acceptance of the write. */
export async function measureIdle(
  rig: Rig,
  source: PodSource,
  writeMs: number,
  rounds: number,
): Promise<Section> {
  await source.defineGroup(GROUP, LABELS);
  for (let n = 0; n < STANDING; n += 1) await source.add(`standing-${String(n)}`, LABELS, addressAt(n));
  await rig.pusher.start();
  await rig.watcher.start();
  await rig.holds({ [GROUP]: STANDING });
  const writeLatency = await measuredWrite(rig);
  const recorder = new BusRecorder(rig.bus);
  await recorder.ready;
  const samples: Sample[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const address = addressAt(1000 + n);
    for (const kind of KINDS) {
      await pause(REST_MS + 2 * writeMs);
      samples.push(await once(rig, source, recorder, kind, `round-${String(n)}`, address));
    }
  }
  await recorder.stop();
  return section(source, samples, writeMs, writeLatency);
}

async function once(
  rig: Rig,
  source: PodSource,
  recorder: BusRecorder,
  kind: Kind,
  name: string,
  address: string,
): Promise<Sample> {
  const { device } = rig.firewall.simulator;
  const wanted = kind.startsWith("add");
  const { promise, resolve } = Promise.withResolvers<number>();
  const calls: { readonly at: number; readonly appliedAt: number }[] = [];
  const stop = device.subscribe((entry) => {
    if (entry.method === "GET") return;
    calls.push(entry);
    if (device.resolve(VDOM, GROUP, "ipv4").includes(address) === wanted) resolve(systemClock.now());
  });
  const start = wanted ? await source.add(name, LABELS, address) : await source.remove(name);
  const end = await Promise.race([promise, pause(PATIENCE_MS)]);
  stop();
  if (typeof end !== "number") throw new Error(`${kind} of ${address}: not on the firewall within 30 s`);
  const onBus = recorder.find(wanted ? "add" : "remove", GROUP, address);
  const first = calls[0]?.at;
  return {
    kind,
    total: end - start,
    watcher: onBus && onBus.observedAt - start,
    bus: onBus && onBus.storedAt - onBus.observedAt,
    pusher: onBus && first && first - onBus.storedAt,
    firewall: first && end - first,
  };
}

/** Round trip of a write that the bench makes itself on the idle device: the median of ten. */
async function measuredWrite(rig: Rig): Promise<number> {
  const path = "cmdb/firewall/address";
  const name = "bench-probe";
  await rig.firewall.call("POST", path, { name, subnet: "192.0.2.1 255.255.255.255" });
  const took: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    const started = performance.now();
    await rig.firewall.call("PUT", `${path}/${name}`, { comment: `probe ${String(n)}` });
    took.push(performance.now() - started);
  }
  await rig.firewall.call("DELETE", `${path}/${name}`);
  return rounded(quantile(took, 0.5));
}

function section(source: PodSource, samples: readonly Sample[], writeMs: number, r: number): Section {
  const of = (kind: Kind): Sample[] => samples.filter((sample) => sample.kind === kind);
  const rows = KINDS.map((kind) => {
    const { count, p50, p99, max } = quantiles(of(kind).map(({ total }) => total));
    const middle = (stage: keyof Omit<Sample, "kind">): number =>
      rounded(
        quantile(
          of(kind).flatMap((sample) => sample[stage] ?? []),
          0.5,
        ),
      );
    const [watcher, bus, pusher] = [middle("watcher"), middle("bus"), middle("pusher")];
    return [kind, count, p50, p99, max, watcher, bus, pusher, middle("firewall")];
  });
  const aim = (what: Kind, writes: number): Aim => ({
    what: `${what}, R = ${String(writeMs)} ms, p99`,
    measured: quantiles(of(what).map(({ total }) => total)).p99,
    limit: writes * r + OVERHEAD_MS,
    unit: "ms",
  });
  return {
    name: `latency-${String(writeMs)}`,
    title: `Idle latency, R = ${String(writeMs)} ms (a write measured at ${String(r)} ms), ${source.name}; milliseconds`,
    notes: [
      `${source.from} to the firewall's acceptance. Columns after max: medians of the stages`,
      "(API server to watcher, to stored on the bus, to the first call's arrival, to acceptance).",
    ],
    columns: ["change", "n", "p50", "p99", "max", "watcher", "bus", "pusher", "firewall"],
    rows,
    aims: [aim("add new", 2), aim("add known", 1), aim("remove", 1), aim("remove again", 1)],
    details: { r, samples },
  };
}
