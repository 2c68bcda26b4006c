import type { Bus } from "@podgate/shared/bus/bus";
import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Configuration } from "../configuration.ts";
import { Desired, type TargetDesired } from "../desired/desired.ts";
import { ClusterFold } from "../desired/fold.ts";
import type { Known } from "../desired/identity.ts";
import type { ParentNames } from "../desired/routing.ts";
import type { ChildOrigin } from "../firewall/firewall.ts";
import { ClusterFollower } from "./cluster-follower.ts";
import { ClusterRecord, keptClusterKey, keptClusterSchema } from "./cluster-record.ts";
import type { Memory } from "./memory.ts";
import type { Observe } from "./observe.ts";

export interface ClustersPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly observe: Observe;
  readonly memory: Pick<Memory, "load">;
  readonly names: ParentNames;
}

/** What stands in the configuration counts before what is remembered. */
function knownOf(pinned: string | undefined, kept: Known | undefined): Known | undefined {
  if (pinned !== undefined && pinned !== kept?.uid) return { uid: pinned, adoptions: 0 };
  return kept && { uid: kept.uid, adoptions: kept.adoptions, from: kept.from };
}

/** Keys of the sources that changed. */
export type ChangedSources = ReadonlySet<string> | "all";

/** All configured clusters, as far as they are heard, and what every target should hold because of them. */
export class Clusters {
  readonly followers: ReadonlyMap<string, ClusterFollower>;
  readonly #desired: Desired;
  readonly #records: ClusterRecord[] = [];
  #listener: (changed: ChangedSources) => void = () => undefined;

  private constructor(followers: ReadonlyMap<string, ClusterFollower>, desired: Desired) {
    this.followers = followers;
    this.#desired = desired;
  }

  /**
   * Reads what is remembered of each cluster first: whom it was, and how much it listed.
   * @param keeps false = nothing new is remembered, and the first that is heard is believed: for commands that only look
   */
  static async open(
    configuration: Configuration,
    ports: ClustersPorts,
    signal: AbortSignal,
    keeps = true,
  ): Promise<Clusters> {
    const folds = new Map<string, ClusterFold>();
    const followers = new Map<string, ClusterFollower>();
    const kept = configuration.clusters.map(({ name }) =>
      ports.memory.load(keptClusterKey(name), keptClusterSchema, signal),
    );
    for (const [at, { name, uid }] of configuration.clusters.entries()) {
      const entry = await kept[at];
      const silentMs = configuration.silentSeconds * 1000;
      const known = knownOf(uid, entry);
      folds.set(
        name,
        new ClusterFold({ cluster: name, known, asks: keeps, listed: entry?.listed, silentMs }),
      );
    }
    const desired = new Desired(configuration, ports.names, folds);
    const clusters = new Clusters(followers, desired);
    const bucket = await ports.bus.bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
    for (const [name, fold] of folds) {
      const follower = new ClusterFollower(fold, {
        ...ports,
        changed: (cluster, change) => {
          const keys = desired.changed(cluster, change);
          if (keys === "all" || keys.size > 0) clusters.#listener(keys);
        },
      });
      followers.set(name, follower);
      const pinned = configuration.clusters.find((each) => each.name === name)?.uid;
      if (keeps) clusters.#records.push(new ClusterRecord({ ...ports, bucket, follower, pinned }));
    }
    return clusters;
  }

  /** Called at each change. */
  onChange(listener: (changed: ChangedSources) => void): void {
    this.#listener = listener;
  }

  /** A firewall holds groups of ours: they keep their names while their clusters are not verified. */
  remember(origins: readonly ChildOrigin[]): void {
    const keys = this.#desired.remember(origins);
    if (keys.size > 0) this.#listener(keys);
  }

  /** What a target should hold. */
  target(name: string): TargetDesired {
    return this.#desired.target(name);
  }

  /** Groups of a cluster that go nowhere, and why. */
  unrouted(cluster: string): ReadonlyMap<string, string> {
    return this.#desired.unrouted(cluster);
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.followers.values()].map((follower) => follower.run(signal)));
  }

  /** Call once a second. */
  tick(): void {
    for (const follower of this.followers.values()) follower.tick();
  }

  /**
   * Agrees with other pushers on who each cluster is, and remembers it. Call once a second, and at the end.
   * @param speaks this pusher speaks for the clusters
   */
  async keep(speaks: boolean, { isEnd = false } = {}): Promise<void> {
    await Promise.all(this.#records.map((record) => record.keep(speaks, isEnd)));
  }
}
