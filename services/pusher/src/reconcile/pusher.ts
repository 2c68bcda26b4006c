import type { Bus } from "@podgate/shared/bus/bus";
import { clusterStatusKey, targetStatusKey, type TargetStatus } from "@podgate/shared/contract/status";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Configuration } from "../configuration.ts";
import { keepTopology } from "./bus-topology.ts";
import { Clusters } from "./clusters.ts";
import type { Device } from "./device.ts";
import { Memory } from "./memory.ts";
import { ObservedPlan } from "./observed-plan.ts";
import { clusterStatusOf, targetStatusOf } from "./status-of.ts";
import { StatusWriter } from "./status-writer.ts";
import type { TargetWork } from "./target-work.ts";
import { openTargets, type DeviceTargets, type Targets, type TargetsPorts } from "./targets.ts";

export interface PusherPorts extends Omit<TargetsPorts, "memory"> {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

const TICK_MS = 1000;
/** Loops that did not come around for so long are stuck; a device's calls in a row may take longer. */
const STUCK_MS = 15_000;
const STUCK_DEVICE_MS = 600_000;

/** Everything that runs: followers of clusters, loops of devices, statuses. */
export class Pusher {
  readonly #configuration: Configuration;
  readonly #ports: PusherPorts;
  readonly #statuses: StatusWriter;
  /** Per `<cluster>.<target>`. */
  readonly #applied = new Map<string, number>();
  readonly #observed: ObservedPlan;
  #clusters: Clusters | undefined;
  #targets: Targets | undefined;
  #tickedAt: number;

  constructor(configuration: Configuration, ports: PusherPorts) {
    this.#configuration = configuration;
    this.#ports = ports;
    this.#statuses = new StatusWriter(ports);
    this.#observed = new ObservedPlan(ports);
    this.#tickedAt = ports.clock.monotonic();
  }

  /** Which loop does not come around any more; undefined = all do. */
  stuck(): string | undefined {
    const now = this.#ports.clock.monotonic();
    if (now - this.#tickedAt > STUCK_MS) return "the clock loop stands still";
    const device = this.#targets?.devices.find((each) => now - each.device.aliveAt > STUCK_DEVICE_MS);
    return device && `the loop of device ${device.device.name} stands still`;
  }

  /** Until the signal; then the calls in flight are finished and the statuses written. */
  async run(signal: AbortSignal): Promise<void> {
    await together(signal, [
      (each) => keepTopology(this.#configuration, this.#ports, each),
      (each) => this.#every(each, () => this.#tick()),
      (each) => this.#work(each),
    ]);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const memory = new Memory(this.#ports);
    const ports = { ...this.#ports, memory };
    const clusters = await Clusters.open(this.#configuration, ports, signal);
    if (signal.aborted) return;
    const targets = openTargets(this.#configuration, clusters, ports);
    clusters.onChange((keys) => {
      for (const work of targets.works) work.changed(keys);
      for (const { device } of targets.devices) device.ring();
    });
    this.#clusters = clusters;
    this.#targets = targets;
    try {
      await together(signal, [
        ...targets.devices.map(
          ({ device }) =>
            (each: AbortSignal) =>
              device.run(each),
        ),
        (each) => clusters.run(each),
        (each) => this.#statuses.clean(this.#keys(), each),
        (each) =>
          this.#every(each, async () => {
            await this.#report();
            await clusters.keep();
          }),
      ]);
      await this.#report();
    } finally {
      targets.close();
    }
  }

  async #every(signal: AbortSignal, run: () => Promise<void> | void): Promise<void> {
    while (!signal.aborted) {
      await run();
      await this.#ports.clock.sleep(TICK_MS, signal).catch(() => undefined);
    }
  }

  #tick(): void {
    const now = this.#ports.clock.monotonic();
    this.#tickedAt = now;
    this.#clusters?.tick();
    for (const device of this.#targets?.devices ?? []) this.#count(device, now);
    this.#settleAbsences(now);
  }

  /** Once every firewall was read and none holds what a cluster's short lists leave open, the lists are normal. */
  #settleAbsences(now: number): void {
    const works = this.#targets?.works ?? [];
    for (const [cluster, { fold }] of this.#clusters?.followers ?? []) {
      if (!fold.verified || fold.absencesHeld === undefined || works.length === 0) continue;
      const isSettled = works.every(
        (work) =>
          work.wasRead &&
          work.plan.report(now).every((report) => report.cluster !== cluster || report.held.length === 0),
      );
      if (isSettled) fold.settleAbsences();
    }
  }

  #count({ device, works }: DeviceTargets, now: number): void {
    const { observe } = this.#ports;
    observe.blocked(device.name, device.blocked !== undefined);
    for (const work of works) {
      work.flush(now);
      const reports = work.plan.report(now);
      observe.target(work.target, {
        ...work.plan.counts(now),
        desired: reports.reduce((sum, report) => sum + report.desired, 0),
        applied: reports.reduce((sum, report) => sum + report.applied, 0),
        outOfSync: reports.filter(({ inSync }) => !inSync).length,
      });
      this.#observed.look(work, now);
    }
  }

  /** Pairs of cluster and target that a route connects. */
  #pairs(): { cluster: string; target: string }[] {
    const pairs = this.#configuration.routes.flatMap(({ clusters, targets }) =>
      clusters.flatMap((cluster) => targets.map((target) => ({ cluster, target }))),
    );
    return [...new Map(pairs.map((pair) => [targetStatusKey(pair.cluster, pair.target), pair])).values()];
  }

  #keys(): Set<string> {
    return new Set([
      ...this.#configuration.clusters.map(({ name }) => clusterStatusKey(name)),
      ...this.#pairs().map(({ cluster, target }) => targetStatusKey(cluster, target)),
    ]);
  }

  async #report(): Promise<void> {
    const clusters = this.#clusters;
    if (clusters === undefined) return;
    const wall = this.#ports.clock.now();
    const ofClusters = [...clusters.followers].map(([cluster, { fold }]) => {
      const { verified, uid, reason } = fold;
      return clusterStatusOf({ cluster, verified, uid, reason, unrouted: clusters.unrouted(cluster) }, wall);
    });
    const ofTargets = (this.#targets?.devices ?? []).flatMap(({ device, works }) =>
      works.flatMap((work) => this.#statusesOf(work, errorOf(device, work), clusters, wall)),
    );
    await this.#statuses.write(ofClusters, ofTargets);
  }

  #statusesOf(work: TargetWork, error: string | undefined, clusters: Clusters, wall: number): TargetStatus[] {
    const { target, mode, lastSuccess } = work;
    const now = this.#ports.clock.monotonic();
    work.flush(now);
    const reports = work.plan.report(now);
    const own = this.#pairs().filter((pair) => pair.target === target);
    return own.map(({ cluster }) => {
      const key = targetStatusKey(cluster, target);
      const follower = clusters.followers.get(cluster);
      const isWhole =
        work.wasRead &&
        follower?.fold.verified === true &&
        reports.every((report) => report.cluster !== cluster || report.inSync);
      if (isWhole) this.#applied.set(key, follower.lastEvent);
      const appliedSequence = this.#applied.get(key) ?? 0;
      return targetStatusOf({ cluster, target, mode, reports, appliedSequence, lastSuccess, error }, wall);
    });
  }
}

/** A device that is left alone says so, whatever else its targets have to say. */
function errorOf(device: Device, work: TargetWork): string | undefined {
  return device.blocked === undefined ? (work.fault ?? device.trouble) : device.trouble;
}

/**
 * Runs all until the signal. One that fails for good ends the others, and the process with them: a pusher that lives
 * in part looks well from outside.
 */
async function together(
  signal: AbortSignal,
  loops: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failing = new AbortController();
  const scope = AbortSignal.any([signal, failing.signal]);
  const run = async (loop: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    try {
      await loop(scope);
    } catch (error) {
      failing.abort(error);
      throw error;
    }
  };
  await Promise.allSettled(loops.map(run));
  if (failing.signal.aborted) throw failing.signal.reason;
}
