import { sourceKey, type TargetDesired } from "../desired/desired.ts";
import type { Actual, ChildOrigin, Identity, Limits, Outcome, Step } from "../firewall/firewall.ts";
import { Collector } from "./collect.ts";
import { countsOf } from "./counts.ts";
import { Difference, type DifferenceOptions } from "./difference.ts";
import { dryRun } from "./dry-run.ts";
import type { Guards, KeptHolds } from "./guards/guards.ts";
import type { News } from "./guards/group-holds.ts";
import { heldSetOf, type HeldItem, type HeldSet } from "./guards/held-set.ts";
import type { Spent } from "./guards/spent.ts";
import { Offers } from "./offers.ts";
import { planOf, type Applied, type Counts, type Drift, type GroupReport, type Plan } from "./plan.ts";
import { reportOf } from "./report.ts";
import type { SourcePlan } from "./shards.ts";
import { limitedAdditions } from "./tables.ts";
import { mostUrgent, type Choice } from "./urgency.ts";
import { findWarnings } from "./warnings.ts";

export interface TargetPlanOptions extends DifferenceOptions {
  readonly target: string;
}

/**
 * One target: what it should hold, what it is known to hold, and therefore the next step. A state machine without
 * I/O: `desire` and `read` bring news, `next` says what to do, `took` brings what came of it. Times are
 * milliseconds of the monotonic clock.
 *
 * Urgency: what leaves goes first, with every addition that can go along; then additions whose objects exist; then
 * new objects, children and parents; unused objects are collected last. Groups take turns within a class.
 */
export class TargetPlan {
  readonly #options: TargetPlanOptions;
  readonly #collector = new Collector();
  readonly #offers = new Offers();
  #difference: Difference;

  constructor(options: TargetPlanOptions) {
    this.#options = options;
    this.#difference = new Difference(options);
  }

  /** At the start and after a failover. Nothing is planned before it and the first `read`. */
  device({ identity, limits }: { readonly identity: Identity; readonly limits: Limits }): void {
    const { state } = this.#difference;
    state.identity = identity;
    state.limits = limits;
    this.#all();
  }

  /** @param changed keys of the sources that changed since the last call; "all" (or absent) = look at every one */
  desire(desired: TargetDesired, changed: ReadonlySet<string> | "all" | undefined): void {
    this.#difference.desire(desired, changed ?? "all");
    this.#offers.withdraw();
  }

  /** The parents to read: `Firewall.read(plan.parents())`. */
  parents(): readonly string[] {
    return [...new Set(this.#difference.plans.sources.map(({ parent }) => parent))];
  }

  /** What the children on the device were made for, for `Desired.remember`. */
  origins(): readonly ChildOrigin[] {
    const { known } = this.#difference.state;
    return [...(known?.children.values() ?? [])].flatMap(({ standing, origin }) =>
      standing === "ours" && origin !== undefined ? [origin] : [],
    );
  }

  /** Of the unit, and whether nothing on it carries our mark; undefined = it was not read yet. */
  holding(): { readonly serial: string; readonly isEmpty: boolean } | undefined {
    const { identity, known } = this.#difference.state;
    return identity && known && { serial: identity.serial, isEmpty: known.isEmpty };
  }

  /** This process writes the target from now on, and another one may have until now. */
  tookOver(): void {
    this.#difference.state.tookOver();
  }

  /** A full read replaces what was known. Returns what others changed since. */
  read(actual: Actual, now: number): readonly Drift[] {
    this.#offers.withdraw();
    return this.#difference.read(actual, now);
  }

  /** The most urgent step. The caller applies it and calls `took`; asking again gives the same or a better one. */
  next(now: number): Step | undefined {
    return this.#offers.step(
      now,
      () => this.#choose(now),
      () => this.#difference.wakeAt(now),
    );
  }

  /** What came of a step. Returns the memberships that changed as policies see them. */
  took(step: Step, outcome: Outcome, now: number): readonly Applied[] {
    this.#offers.taken(step);
    return this.#difference.took(step, outcome, now);
  }

  /** When `next` may give something new without news; Infinity = never. */
  wakeAt(now: number): number {
    return this.#offers.until(now) ?? this.#difference.wakeAt(now);
  }

  /** Every step to come, in order. Costs as much as doing them: for people, not for loops. */
  plan(now: number): Plan {
    const copy = new TargetPlan(this.#options);
    copy.#difference = this.#difference.clone();
    copy.#difference.refresh(now);
    const held = copy.#difference.held();
    const { hash } = copy.heldSet();
    const { steps, truncated } = dryRun(copy, now);
    return planOf(this.#options.target, steps, truncated, held, this.warnings(now), hash);
  }

  /** What an approval would release now. */
  heldSet(): HeldSet {
    return heldSetOf(this.#options.target, this.#guards.held());
  }

  /** Rises with each change of what is held or approved. */
  get heldVersion(): number {
    return this.#guards.version;
  }

  /** Approved, and not done yet. */
  approved(): KeptHolds["approved"] {
    return this.#guards.approved();
  }

  /** What was held before, here or in another process, and nothing else. Call it before the first step. */
  restore(kept: KeptHolds, now: number): void {
    this.#difference.restore(kept, now);
    this.#all();
  }

  /** Would it take what nobody saw go, and nobody approved? */
  isWeighed(step: Step, now: number): boolean {
    return this.#difference.departures(step, now).some((change) => this.#guards.weighs(change));
  }

  /** What was taken within the windows of the guards. @param next a step that is about to be done */
  spent(now: number, next?: Step): readonly Spent[] {
    return this.#difference.spent(now, next);
  }

  /** Rises with each removal that was done and is weighed. */
  get spentVersion(): number {
    return this.#guards.spentVersion;
  }

  /** A person let these go; of those that are not held it says nothing. @returns how many were held */
  approve(items: Iterable<Pick<HeldItem, "cluster" | "group" | "address">>, approval: string): number {
    const count = this.#guards.approve(items, approval);
    this.#judgeAll();
    return count;
  }

  /** An approval has expired. @returns how many are held again */
  revoke(approval: string): number {
    const count = this.#guards.revoke(approval);
    this.#judgeAll();
    return count;
  }

  /** What became held, or is not any more, since the last call. */
  takeNews(): readonly News[] {
    return this.#guards.takeNews();
  }

  /** Per source; cheap enough for once a second. */
  report(now: number): readonly GroupReport[] {
    const context = this.#difference.refresh(now);
    const { sources, all } = this.#difference.plans;
    return sources.map((source) => reportOf(source, all.get(source.key), context));
  }

  /** Groups of a cluster that are no source any more, and whose children are still there. */
  leaving(cluster: string): number {
    return this.#difference.judgement.leaving(cluster);
  }

  /** Sentences for people: near a limit, one address in two clusters, somebody else uses an object of ours. */
  warnings(now: number): readonly string[] {
    const context = this.#difference.refresh(now);
    const { plans, state } = this.#difference;
    return [
      ...(state.identity?.warnings ?? []),
      ...(context === undefined ? [] : findWarnings(plans, context)),
    ];
  }

  counts(now: number): Counts {
    const { plans, state, judgement } = this.#difference;
    const context = this.#difference.refresh(now);
    const held = this.#difference.held();
    const limited = context === undefined ? 0 : limitedAdditions(plans.all.values(), context);
    return countsOf(plans, state.known, state.parking, held, limited, judgement.orphans.count, now);
  }

  /** The device holds an address of the cluster that only a short list lacks. */
  isDoubtful(cluster: string, now: number): boolean {
    this.#difference.refresh(now);
    for (const { source, leaving, halves } of this.#difference.plans.whole.values()) {
      if (source.cluster !== cluster || leaving.size === 0) continue;
      for (const [address, { shortList }] of leaving)
        if (shortList !== undefined && isOnDevice(halves, address)) return true;
    }
    return false;
  }

  /** Does a child of the group hold the address on the device, and is it refused there? For explanations. */
  explain(
    cluster: string,
    group: string,
    address: string,
    now: number,
  ): { onDevice: boolean; refused: string | undefined } {
    this.#difference.refresh(now);
    const plan = this.#difference.plans.all.get(sourceKey(cluster, group));
    const onDevice = plan !== undefined && isOnDevice(plan.halves, address);
    return { onDevice, refused: plan?.parked.get(address) ?? plan?.source.refused.get(address) };
  }

  #choose(now: number): Choice | undefined {
    const context = this.#difference.refresh(now);
    if (context === undefined) return undefined;
    const { plans, judgement, hasDeny, isKnown } = this.#difference;
    return mostUrgent({
      context,
      sources: plans.sources,
      plans: plans.all,
      orphans: judgement.orphans,
      collector: this.#collector,
      turns: this.#offers.turns,
      isKnown,
      hasDeny,
    });
  }

  get #guards(): Guards {
    return this.#difference.judgement.guards;
  }

  #judgeAll(): void {
    this.#difference.judgement.again();
    this.#all();
  }

  #all(): void {
    this.#difference.all();
    this.#offers.withdraw();
  }
}

const isOnDevice = (halves: SourcePlan["halves"], address: string): boolean =>
  halves.some(({ shards }) => shards.some(({ child }) => child.members.has(address)));
