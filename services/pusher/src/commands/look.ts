import type { Bus } from "@podgate/shared/bus/bus";
import type { Configuration } from "../configuration.ts";
import type { Actual } from "../firewall/firewall.ts";
import { Clusters } from "../reconcile/clusters.ts";
import { Memory } from "../reconcile/memory.ts";
import { openTargets, type DeviceTargets, type Targets, type TargetsPorts } from "../reconcile/targets.ts";

export interface LookPorts extends Omit<TargetsPorts, "memory" | "onRead"> {
  readonly bus: Bus;
}

export interface ClusterView {
  readonly cluster: string;
  readonly verified: boolean;
  /** Why not. */
  readonly reason: string | undefined;
}

/** Everything as a pusher that has just started would see it; nothing is written, on the bus or on a firewall. */
export interface Look {
  readonly clusters: Clusters;
  readonly targets: Targets;
  readonly views: readonly ClusterView[];
  /** Targets that could not be read, and why. */
  readonly faults: ReadonlyMap<string, string>;
  readonly actual: ReadonlyMap<string, Actual>;
}

const STEP_MS = 100;

/**
 * Follows every cluster until it is verified or the time is up, then reads every target once.
 * @param waitMs how long clusters may take
 * @param enough what is waited for instead, by the monotonic clock
 */
export async function look<T>(
  configuration: Configuration,
  ports: LookPorts,
  waitMs: number,
  use: (look: Look) => T | Promise<T>,
  enough: (clusters: Clusters, now: number) => boolean = allVerified,
): Promise<T> {
  const { clock } = ports;
  const ending = new AbortController();
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort());
  const memory = new Memory(ports);
  const actual = new Map<string, Actual>();
  const opened = { ...ports, memory, onRead: (name: string, read: Actual) => void actual.set(name, read) };
  const clusters = await Clusters.open(configuration, opened, late.signal, false);
  const following = clusters.run(ending.signal);
  const targets = openTargets(configuration, clusters, opened);
  clusters.onChange((keys) => {
    for (const work of targets.works) work.changed(keys);
  });
  try {
    // Before the time is up: what can't be read any more would count as no lockout.
    await Promise.all(targets.devices.map(({ lockout }) => lockout.load(late.signal)));
    await Promise.all(targets.works.map((work) => work.recall(late.signal)));
    while (!enough(clusters, clock.monotonic()) && !late.signal.aborted) {
      clusters.tick();
      await clock.sleep(STEP_MS, late.signal).catch(() => undefined);
    }
    const faults = new Map<string, string>();
    await Promise.all(targets.devices.map((device) => readDevice(device, faults)));
    const now = clock.monotonic();
    for (const work of targets.works) work.flush(now);
    const views = [...clusters.followers].map(([cluster, { fold }]) => ({
      cluster,
      verified: fold.verified,
      reason: fold.reason,
    }));
    return await use({ clusters, targets, views, faults, actual });
  } finally {
    cancel();
    ending.abort();
    await following;
    targets.close();
  }
}

const allVerified = ({ followers }: Clusters): boolean =>
  [...followers.values()].every(({ fold }) => fold.verified);

/** One after the other, and no more after the token was refused: a command can lock us out as well as a pusher. */
async function readDevice(
  { device, lockout, works }: DeviceTargets,
  faults: Map<string, string>,
): Promise<void> {
  for (const work of works) {
    if (device.blocked !== undefined) {
      faults.set(work.target, device.trouble ?? "");
      continue;
    }
    const outcome = await work.read(new AbortController().signal);
    if (outcome.result === "failed") {
      faults.set(work.target, outcome.message);
      if (outcome.reason === "unauthorized") await lockout.refused(outcome.message);
    } else if (work.fault !== undefined) {
      faults.set(work.target, work.fault);
    }
  }
}
