import { sourceKey, type ClusterStanding, type GroupPolicy, type TargetDesired } from "../desired/desired.ts";
import type { ChildOrigin } from "../firewall/firewall.ts";
import type { Claims } from "./claims.ts";
import { Guards, type KeptHolds } from "./guards/guards.ts";
import type { Spent } from "./guards/spent.ts";
import { judgeCluster } from "./judge-cluster.ts";
import { findOrphans, orphanViews, settleOrphans, type Found, type Orphans } from "./orphans.ts";
import type { Applied, Cause } from "./plan.ts";
import type { DiffContext } from "./shards.ts";
import type { SourcePlans } from "./source-plans.ts";

const NO_ORPHANS: Orphans = { doomed: [], trimmed: [], held: [], count: 0 };

/** What may leave one target, of sources and of orphans: found, shown to the guards, and settled as they decide. */
export class Judgement {
  readonly #plans: SourcePlans;
  readonly #claims: Claims;
  readonly #configured: TargetDesired["policyOf"];
  #guards = new Guards({ patient: true });
  #found: Found | undefined;
  #orphans: Orphans = NO_ORPHANS;
  /** Something was restored or approved. */
  #again = false;

  /** @param configured how each group is guarded */
  constructor(plans: SourcePlans, claims: Claims, configured: TargetDesired["policyOf"]) {
    this.#plans = plans;
    this.#claims = claims;
    this.#configured = configured;
  }

  /** After `approve` or `revoke` of these call `again`. */
  get guards(): Guards {
    return this.#guards;
  }

  /** What may go of the children that no source claims, as `judge` found last. */
  get orphans(): Orphans {
    return this.#orphans;
  }

  /** What was held before, here or in another process, and nothing else. */
  restore(kept: KeptHolds, now: number): void {
    this.#guards = new Guards({ patient: true });
    this.#guards.restore(kept, now);
    this.again();
  }

  /** Every cluster is judged again. */
  again(): void {
    this.#again = true;
  }

  /** Other children may be orphans now. */
  forgetOrphans(): void {
    this.#found = undefined;
  }

  /** Works out what changed, and lets the guards decide about the clusters that it concerns. */
  judge(context: DiffContext, standings: ReadonlyMap<string, ClusterStanding>): void {
    const { now } = context;
    const surveyed = this.#plans.survey(context);
    if (surveyed.size > 0) this.#claims.renew(this.#plans);
    const clusters = new Set<string>();
    for (const key of surveyed) clusters.add(this.#plans.source(key)?.cluster ?? "");
    for (const cluster of this.#guards.clusters)
      if (this.#again || (this.#guards.wakeAt(cluster) ?? Number.POSITIVE_INFINITY) <= now)
        clusters.add(cluster);
    const isNew = this.#found === undefined || this.#again;
    this.#again = false;
    const found = (this.#found ??= this.#findOrphans(context, standings));
    if (clusters.size === 0 && !isNew) return;
    const orphans = orphanViews(found, standings, (origin) => this.#policyOf(origin));
    if (isNew) {
      for (const cluster of this.#guards.clusters) clusters.add(cluster);
      for (const view of orphans) clusters.add(view.cluster);
    }
    const changed = new Set(surveyed);
    for (const cluster of clusters)
      for (const key of judgeCluster(cluster, this.#guards, this.#plans.whole, orphans, now))
        changed.add(key);
    this.#plans.settle(changed, (key) => this.#guards.withheld(key), context);
    this.#orphans = settleOrphans(found, (key) => this.#guards.withheld(key));
  }

  /** Memberships that changed on the device count in the guards' windows. */
  applied(changes: readonly Applied[], now: number): void {
    this.#guards.applied(changes, (origin) => this.#policyOf(origin), now);
  }

  /** What was taken within the windows, and what would be with these changes. */
  spent(next: readonly Applied[], now: number): readonly Spent[] {
    const weighed = next.filter((change) => this.#guards.weighs(change));
    return this.#guards.spent(weighed, (origin) => this.#policyOf(origin), now);
  }

  /** Why a group goes that is no source any more. */
  causeOf({ cluster, group }: ChildOrigin): Cause {
    const orphan = this.#found?.loose.find(
      ({ origin }) => origin.cluster === cluster && origin.group === group,
    );
    return orphan?.cause ?? "undefined";
  }

  /** Groups of a cluster that are no source any more, and whose children are still there. */
  leaving(cluster: string): number {
    const gone = (this.#found?.loose ?? []).filter(({ origin }) => origin.cluster === cluster);
    return gone.filter(({ cause }) => cause !== "unrouted").length;
  }

  /** When a cluster must be judged again without news; Infinity = never. */
  wakeAt(): number {
    let wake = Number.POSITIVE_INFINITY;
    for (const cluster of this.#guards.clusters)
      wake = Math.min(wake, this.#guards.wakeAt(cluster) ?? Number.POSITIVE_INFINITY);
    return wake;
  }

  /** For a dry run: judges everything anew, at once. */
  clone(plans: SourcePlans, claims: Claims): Judgement {
    const copy = new Judgement(plans, claims, this.#configured);
    copy.#guards = this.#guards.clone();
    copy.#again = true;
    return copy;
  }

  #policyOf({ cluster, group }: ChildOrigin): GroupPolicy {
    return this.#plans.source(sourceKey(cluster, group))?.policy ?? this.#configured(cluster, group);
  }

  #findOrphans({ known, addOnly }: DiffContext, standings: ReadonlyMap<string, ClusterStanding>): Found {
    const isSource = ({ cluster, group }: ChildOrigin): boolean =>
      this.#plans.source(sourceKey(cluster, group)) !== undefined;
    return findOrphans(known, this.#claims.parents(this.#plans), standings, isSource, addOnly);
  }
}
