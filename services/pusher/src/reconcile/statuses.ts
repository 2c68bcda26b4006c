import { clusterStatusKey, targetStatusKey, type TargetStatus } from "@podgate/shared/contract/status";
import type { Configuration } from "../configuration.ts";
import type { Clusters } from "./clusters.ts";
import type { Device } from "./device.ts";
import { clusterStatusOf, targetStatusOf } from "./status-of.ts";
import { StatusWriter, type StatusWriterPorts } from "./status-writer.ts";
import type { TargetWork } from "./target-work.ts";
import type { DeviceTargets } from "./targets.ts";

/** What this pusher tells of the clusters and of the targets that it writes. */
export class Statuses {
  readonly #configuration: Configuration;
  readonly #ports: StatusWriterPorts;
  readonly #writer: StatusWriter;
  /** Per `<cluster>.<target>`. */
  readonly #applied = new Map<string, number>();

  constructor(configuration: Configuration, ports: StatusWriterPorts) {
    this.#configuration = configuration;
    this.#ports = ports;
    this.#writer = new StatusWriter(ports);
  }

  /** One round; never throws. */
  async writeClusters(clusters: Clusters): Promise<void> {
    const wall = this.#ports.clock.now();
    const statuses = [...clusters.followers].map(([cluster, { fold }]) => {
      const { verified, uid, reason } = fold;
      return clusterStatusOf({ cluster, verified, uid, reason, unrouted: clusters.unrouted(cluster) }, wall);
    });
    await this.#writer.write(statuses, []);
  }

  /** One round; never throws. */
  async writeTargets(served: readonly DeviceTargets[], clusters: Clusters): Promise<void> {
    const statuses = served.flatMap(({ device, works }) =>
      works.flatMap((work) => this.#ofTarget(work, errorOf(device, work), clusters)),
    );
    await this.#writer.write([], statuses);
  }

  /** Another process may have written those of the clusters meanwhile. */
  forgetClusters(): void {
    this.#writer.forget(this.#configuration.clusters.map(({ name }) => ({ cluster: name })));
  }

  /** Another process may have written those of the targets meanwhile, and applied more than this one had. */
  forgetTargets(works: readonly TargetWork[]): void {
    const pairs = this.#pairs().filter(({ target }) => works.some((work) => work.target === target));
    this.#writer.forget(pairs);
    for (const { cluster, target } of pairs) this.#applied.delete(targetStatusKey(cluster, target));
  }

  /** Deletes what nobody stands for any more. Until the signal. */
  clean(signal: AbortSignal): Promise<void> {
    const known = [
      ...this.#configuration.clusters.map(({ name }) => clusterStatusKey(name)),
      ...this.#pairs().map(({ cluster, target }) => targetStatusKey(cluster, target)),
    ];
    return this.#writer.clean(new Set(known), signal);
  }

  /** Pairs of cluster and target that a route connects. */
  #pairs(): { cluster: string; target: string }[] {
    const pairs = this.#configuration.routes.flatMap(({ clusters, targets }) =>
      clusters.flatMap((cluster) => targets.map((target) => ({ cluster, target }))),
    );
    return [...new Map(pairs.map((pair) => [targetStatusKey(pair.cluster, pair.target), pair])).values()];
  }

  #ofTarget(work: TargetWork, error: string | undefined, clusters: Clusters): TargetStatus[] {
    const { target, mode, lastSuccess } = work;
    const wall = this.#ports.clock.now();
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
        work.plan.leaving(cluster) === 0 &&
        reports.every((report) => report.cluster !== cluster || report.inSync);
      if (isWhole) this.#applied.set(key, follower.confirmed);
      const appliedSequence = this.#applied.get(key) ?? 0;
      return targetStatusOf({ cluster, target, mode, reports, appliedSequence, lastSuccess, error }, wall);
    });
  }
}

/** A device that is left alone says so, whatever else its targets have to say. */
function errorOf(device: Device, work: TargetWork): string | undefined {
  return device.blocked === undefined ? (work.fault ?? device.trouble) : device.trouble;
}
