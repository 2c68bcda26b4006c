import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import { deviceOf, type Configuration } from "../configuration.ts";
import { absencesOf, isSettledBy, type Absences } from "./absences.ts";
import { Approvals } from "./approvals.ts";
import { keepTopology } from "./bus-topology.ts";
import { ClusterDecisions } from "./cluster-decisions.ts";
import type { Found } from "./claims.ts";
import { Clusters } from "./clusters.ts";
import type { DeviceWord } from "./lease-entry.ts";
import { Leases, type DevicePost } from "./leases.ts";
import type { Post } from "./lease-tenure.ts";
import { Memory } from "./memory.ts";
import { NONE_HELD, type TargetNumbers } from "./observe.ts";
import { ObservedPlan } from "./observed-plan.ts";
import { Statuses } from "./statuses.ts";
import { devicesOf, openTargets, type DeviceTargets, type Targets, type TargetsPorts } from "./targets.ts";

export interface PusherPorts extends Omit<TargetsPorts, "memory" | "holds"> {
  readonly bus: Bus;
  /** Of this process, and of no other that ever was. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

const TICK_MS = 1000;
/** Loops that did not come around for so long are stuck; a device's calls in a row may take longer. */
const STUCK_MS = 15_000;
const STUCK_DEVICE_MS = 600_000;
/** A replica takes part in the sharing when its clusters are verified, or after this long. */
const JOIN_MS = 15_000;

/**
 * Everything that runs: followers of clusters, loops of devices, statuses. Any number of pushers share the devices by
 * leases; each follows every cluster, so that it can take any device over.
 */
export class Pusher {
  readonly #configuration: Configuration;
  readonly #ports: PusherPorts;
  readonly #statuses: Statuses;
  readonly #observed: ObservedPlan;
  readonly #leases: Leases;
  readonly #startedAt: number;
  /** Cluster → why its lists are not believed, and since when that is the reason. */
  readonly #shortSince = new Map<string, { readonly reason: string; readonly at: number }>();
  #clusters: Clusters | undefined;
  #targets: Targets | undefined;
  #tickedAt: number;

  constructor(configuration: Configuration, ports: PusherPorts) {
    this.#configuration = configuration;
    this.#ports = ports;
    this.#statuses = new Statuses(configuration, ports);
    this.#observed = new ObservedPlan(ports);
    this.#startedAt = ports.clock.monotonic();
    this.#tickedAt = this.#startedAt;
    this.#leases = new Leases(
      {
        identity: ports.identity,
        seconds: configuration.leaseSeconds,
        devices: devicesOf(configuration),
        word: (device) => this.#wordOf(device),
      },
      ports,
    );
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
      (each) => this.#leases.run(each),
      (each) => this.#every(each, () => this.#tick()),
      (each) => this.#work(each),
    ]);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const memory = new Memory(this.#ports);
    const ports = { ...this.#ports, memory };
    const clusters = await Clusters.open(this.#configuration, ports, signal);
    if (signal.aborted) return;
    const holds = (device: string): boolean => this.#leases.holds(device);
    const decisions = new ClusterDecisions(this.#configuration, { ...ports, clusters });
    const approvals = new Approvals(ports);
    const targets = openTargets(this.#configuration, clusters, {
      ...ports,
      holds,
      foreign: () => this.#foreign(),
      found: (target) => this.#said(target),
      approvals: (target) => approvals.of(target),
      onRead: (target, actual) => decisions.read(target, actual),
    });
    clusters.onChange((keys) => {
      for (const work of targets.works) work.changed(keys);
      for (const { device } of targets.devices) device.ring();
    });
    approvals.onChange((target) => {
      targets.works.find((work) => work.target === target)?.guard.take();
      for (const { device } of targets.devices) device.ring();
    });
    this.#clusters = clusters;
    this.#targets = targets;
    try {
      await together(signal, [
        ...targets.devices.map(
          (device) => (each: AbortSignal) =>
            this.#leases.serve(device.device.name, this.#deviceWork(device, clusters), each),
        ),
        (each) => this.#leases.serveClusters(this.#clustersWork(clusters), each),
        (each) => clusters.run(each),
        (each) => approvals.run(each),
        (each) => decisions.run(each),
        (each) => this.#every(each, () => decisions.tick(this.#ports.clock.monotonic(), targets.works)),
        (each) => this.#every(each, () => this.#report(clusters)),
        (each) => this.#every(each, () => clusters.keep(this.#leases.holdsClusters)),
      ]);
    } finally {
      targets.close();
    }
  }

  /** What only the holder of a device's lease does. */
  #deviceWork(own: DeviceTargets, clusters: Clusters): DevicePost {
    const { device, works } = own;
    let isClean = false;
    return {
      fields: { device: device.name },
      begin: (clean) => {
        for (const { target } of works) this.#targets?.release(target);
        device.tookOver(clean);
        this.#statuses.forgetTargets(works);
      },
      run: async (signal, lost) => void (isClean = await device.run(signal, lost)),
      end: async () => {
        await Promise.all(works.map((work) => work.keep()));
        await this.#statuses.writeTargets([own], clusters);
        return isClean;
      },
      suspect: () => device.suspect(),
    };
  }

  /** What one of all pushers does: it speaks for the clusters. */
  #clustersWork(clusters: Clusters): Post {
    return {
      fields: { lease: "clusters" },
      begin: () => this.#statuses.forgetClusters(),
      run: (signal) => this.#statuses.clean(signal),
      end: async () => {
        await clusters.keep(true, { isEnd: true });
        return true;
      },
    };
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
    const verified = [...(this.#clusters?.followers.values() ?? [])].every(({ fold }) => fold.verified);
    if ((this.#clusters !== undefined && verified) || now - this.#startedAt > JOIN_MS) this.#leases.join();
    this.#leases.tick(now);
    for (const device of this.#targets?.devices ?? []) this.#count(device, now);
    this.#settleAbsences(now);
  }

  /**
   * Once every firewall was read and none holds what a cluster's short lists leave open, the lists are normal. Of those
   * that others hold, their leases tell, as they stand a whole lease later: their holders may not have seen the list
   * when they last spoke.
   */
  #settleAbsences(now: number): void {
    const devices = this.#targets?.devices ?? [];
    if (devices.length === 0) return;
    const isAlone = devices.every(({ device: { name } }) => this.#leases.serves(name));
    const leaseMs = isAlone ? 0 : this.#configuration.leaseSeconds * 1000;
    const told = devices.map(({ device: { name } }) =>
      this.#leases.serves(name) ? this.#absencesOf(name) : this.#leases.word(name)?.absences,
    );
    for (const [cluster, follower] of this.#clusters?.followers ?? []) {
      const { verified, shortList } = follower.fold;
      const since = this.#shortSince.get(cluster);
      const at = since !== undefined && since.reason === shortList ? since.at : now;
      if (shortList === undefined) this.#shortSince.delete(cluster);
      else this.#shortSince.set(cluster, { reason: shortList, at });
      if (!verified || shortList === undefined || now - at < leaseMs) continue;
      if (told.every((absences) => isSettledBy(absences, cluster, shortList))) follower.settleAbsences();
    }
  }

  #said(target: string): void {
    const { url } = this.#configuration.targets.find(({ name }) => name === target) ?? {};
    if (url !== undefined) this.#leases.say(deviceOf(url));
  }

  #device(name: string): DeviceTargets | undefined {
    return this.#targets?.devices.find(({ device }) => device.name === name);
  }

  /** What the other pushers must know of a device that this one holds. */
  #wordOf(name: string): DeviceWord {
    const found: Record<string, Found> = {};
    for (const { target } of this.#device(name)?.works ?? []) {
      const { serial, vdom } = this.#targets?.found(target) ?? {};
      if (serial !== undefined && vdom !== undefined) found[target] = { serial, vdom };
    }
    return { absences: this.#absencesOf(name), found };
  }

  /** What others found behind the targets of their devices. */
  #foreign(): Map<string, Found> {
    const others = devicesOf(this.#configuration).filter((device) => !this.#leases.holds(device));
    return new Map(others.flatMap((device) => Object.entries(this.#leases.word(device)?.found ?? {})));
  }

  #absencesOf(name: string): Absences {
    const own = this.#device(name);
    const folds = [...(this.#clusters?.followers ?? [])].map(
      ([cluster, { fold }]) => [cluster, fold] as const,
    );
    return absencesOf(own ?? { works: [] }, folds, this.#ports.clock.monotonic());
  }

  #count({ device, works }: DeviceTargets, now: number): void {
    const { observe } = this.#ports;
    const isServed = this.#leases.serves(device.name);
    observe.blocked(device.name, isServed && device.blocked !== undefined);
    for (const work of works) {
      if (!isServed) {
        observe.target(work.target, NOTHING);
        continue;
      }
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

  /** Each replica tells of what it holds. */
  async #report(clusters: Clusters): Promise<void> {
    const served = (this.#targets?.devices ?? []).filter(({ device }) => this.#leases.serves(device.name));
    await Promise.all([
      this.#leases.holdsClusters && this.#statuses.writeClusters(clusters),
      this.#statuses.writeTargets(served, clusters),
    ]);
    await Promise.all(served.flatMap(({ works }) => works.map((work) => work.keep())));
  }
}

/** Of a target that another pusher writes: the sums over all pushers stay right. */
const NOTHING: TargetNumbers = {
  desired: 0,
  applied: 0,
  pending: 0,
  parked: 0,
  held: NONE_HELD,
  orphans: 0,
  collisions: 0,
  outOfSync: 0,
};

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
