import type { Configuration } from "../configuration.ts";
import type { ClusterFold, FoldChange } from "./fold.ts";
import { Ranges } from "./ranges.ts";
import { Routing, type BusGroup, type ParentNames } from "./routing.ts";
import { policyOf, type GroupPolicy } from "./policy.ts";
import { LiveSource, sourceKey, type DesiredSource } from "./source.ts";

export { sourceKey, type DesiredSource } from "./source.ts";
export { policyOf, type GroupPolicy, type MassLimits } from "./policy.ts";

/** A configured cluster: is a group that the firewall still holds defined there? */
export type ClusterStanding = Pick<ClusterFold, "verified" | "definition" | "retired" | "groups">;

export interface TargetDesired {
  /** Another array only when a source came, went, or got another parent. */
  readonly sources: readonly DesiredSource[];
  /** Every configured cluster. */
  readonly clusters: ReadonlyMap<string, ClusterStanding>;
  /** How a group is guarded, defined or not, and also where no route leads it here any more. */
  readonly policyOf: (cluster: string, group: string) => GroupPolicy;
}

/** A group's reason in a status has so many characters. */
const MOST_REASON = 256;

/** What every target should hold, kept from the folds. */
export class Desired {
  readonly #configuration: Pick<Configuration, "targets" | "routes" | "guards">;
  readonly #folds: ReadonlyMap<string, ClusterFold>;
  readonly #routing: Routing;
  readonly #ranges: ReadonlyMap<string, Ranges>;
  /** Groups per cluster that are routed now. */
  readonly #known = new Map<string, Set<string>>();
  readonly #targets: Map<string, TargetDesired>;
  readonly #unrouted = new Map<string, Map<string, string>>();
  /** Groups that firewalls hold, by the children's origins. */
  readonly #remembered = new Map<string, Set<string>>();

  /** @param folds one per configured cluster */
  constructor(
    configuration: Pick<Configuration, "clusters" | "targets" | "routes" | "guards">,
    names: ParentNames,
    folds: ReadonlyMap<string, ClusterFold>,
  ) {
    this.#configuration = configuration;
    this.#folds = folds;
    this.#routing = new Routing(configuration, names);
    this.#ranges = new Map(configuration.clusters.map(({ name, cidrs }) => [name, new Ranges(name, cidrs)]));
    this.#targets = new Map(
      configuration.targets.map(({ name }) => [
        name,
        {
          sources: [],
          clusters: folds,
          policyOf: (cluster, group) => this.#policy(name, this.#routing.routeOf(cluster, group, name)),
        },
      ]),
    );
  }

  /**
   * A fold changed. Returns the keys of the sources to tell the targets' plans of
   * (`plan.desire(desired.target(name), keys)`); an empty set = nothing to tell.
   */
  changed(cluster: string, change: FoldChange): ReadonlySet<string> | "all" {
    const fold = this.#folds.get(cluster);
    if (fold === undefined) return new Set();
    const groups =
      change.groups === "all"
        ? new Set([...(this.#known.get(cluster) ?? []), ...fold.groups.keys(), ...(fold.defined ?? [])])
        : change.groups;
    const keys = new Set([...groups].map((group) => sourceKey(cluster, group)));
    if (this.#learn(fold, groups)) this.#route(keys);
    return change.groups === "all" ? "all" : keys;
  }

  /**
   * A firewall was read: these groups have children on it (`plan.origins()`). While their clusters are not verified
   * they keep their names, so that no other cluster's group takes their place meanwhile. Call it before the first
   * step. Returns keys as `changed` does, for every target.
   */
  remember(origins: Iterable<BusGroup>): ReadonlySet<string> {
    const keys = new Set<string>();
    let reroute = false;
    for (const { cluster, group } of origins) {
      const fold = this.#folds.get(cluster);
      const remembered = this.#remembered.get(cluster) ?? new Set();
      if (fold === undefined || remembered.has(group)) continue;
      this.#remembered.set(cluster, remembered.add(group));
      if (this.#learn(fold, [group])) reroute = true;
    }
    if (reroute) this.#route(keys);
    return keys;
  }

  /** @throws RangeError for a target that is not configured */
  target(name: string): TargetDesired {
    const target = this.#targets.get(name);
    if (target === undefined) throw new RangeError(`no target "${name}" is configured`);
    return target;
  }

  /** Groups of a cluster that go nowhere, or not everywhere, and why: for its cluster status. */
  unrouted(cluster: string): ReadonlyMap<string, string> {
    return this.#unrouted.get(cluster) ?? new Map();
  }

  /** Keeps the groups that are routed. Returns whether they are others now. */
  #learn(fold: ClusterFold, groups: Iterable<string>): boolean {
    const known = this.#known.get(fold.cluster) ?? new Set();
    this.#known.set(fold.cluster, known);
    let differs = false;
    for (const group of groups) {
      const exists = this.#exists(fold, group);
      if (exists === known.has(group)) continue;
      if (exists) known.add(group);
      else known.delete(group);
      differs = true;
    }
    return differs;
  }

  /** Defined, or nothing says that it is not while its events are on record or a firewall holds it. */
  #exists(fold: ClusterFold, group: string): boolean {
    const definition = fold.definition(group);
    if (definition !== "unknown") return definition === "yes";
    return fold.groups.has(group) || this.#remembered.get(fold.cluster)?.has(group) === true;
  }

  /** @param keys those that came, went or moved are added */
  #route(keys: Set<string>): void {
    const all = [...this.#known].flatMap(([cluster, groups]) =>
      [...groups].map((group) => ({ cluster, group })),
    );
    const { routed, refused } = this.#routing.route(all);
    for (const [name, desired] of this.#targets) {
      const { sources } = desired;
      const before = new Map(sources.map((source) => [source.key, source]));
      const now = routed
        .filter(({ target }) => target === name)
        .map(({ cluster, group, parent, route }) => {
          const old = before.get(sourceKey(cluster, group));
          return old?.parent === parent
            ? old
            : this.#source(cluster, group, parent, this.#policy(name, route));
        });
      const kept = new Set(now.filter((source) => before.get(source.key) === source).map(({ key }) => key));
      if (kept.size === now.length && kept.size === before.size) continue;
      for (const { key } of [...sources, ...now]) if (!kept.has(key)) keys.add(key);
      this.#targets.set(name, { ...desired, sources: now });
    }
    this.#unrouted.clear();
    for (const { cluster, group, reason } of refused) {
      const reasons = this.#unrouted.get(cluster) ?? new Map<string, string>();
      const before = reasons.get(group);
      reasons.set(group, (before === undefined ? reason : `${before}; ${reason}`).slice(0, MOST_REASON));
      this.#unrouted.set(cluster, reasons);
    }
  }

  #policy(target: string, route: number | undefined): GroupPolicy {
    const { guards, targets, routes } = this.#configuration;
    const own = targets.find(({ name }) => name === target)?.guards;
    return policyOf([guards, own], route === undefined ? undefined : routes[route]);
  }

  #source(cluster: string, group: string, parent: string, policy: GroupPolicy): DesiredSource {
    const fold = this.#folds.get(cluster);
    const ranges = this.#ranges.get(cluster);
    if (fold === undefined || ranges === undefined)
      throw new RangeError(`no cluster "${cluster}" is configured`);
    return new LiveSource(fold, group, parent, ranges, policy);
  }
}
