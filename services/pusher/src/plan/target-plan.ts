import {
  sourceKey,
  type ClusterStanding,
  type DesiredSource,
  type GroupPolicy,
  type TargetDesired,
} from "../desired/desired.ts";
import {
  groupKey,
  type Actual,
  type ChildOrigin,
  type Identity,
  type Limits,
  type Outcome,
  type Step,
} from "../firewall/firewall.ts";
import { acknowledge } from "./acknowledged.ts";
import { Collector } from "./collect.ts";
import { countsOf } from "./counts.ts";
import { findDrift, putInto } from "./drift.ts";
import { Known } from "./known.ts";
import type { ObjectNames } from "./object-names.ts";
import { judgeCluster } from "./judge-cluster.ts";
import { Guards, type KeptHolds } from "./guards/guards.ts";
import type { News } from "./guards/group-holds.ts";
import { heldSetOf, type HeldItem, type HeldSet } from "./guards/held-set.ts";
import { findOrphans, orphanViews, settleOrphans, type Found, type Orphans } from "./orphans.ts";
import { Parking } from "./parking.ts";
import {
  planOf,
  type Applied,
  type Cause,
  type Counts,
  type Drift,
  type GroupReport,
  type Plan,
} from "./plan.ts";
import { recordOf, type Record } from "./record.ts";
import { blamed, park, unpark } from "./refusal.ts";
import { reportOf } from "./report.ts";
import type { DiffContext } from "./shards.ts";
import { SourcePlans } from "./source-plans.ts";
import { PATIENCE_MS, type StepContext } from "./steps.ts";
import { limitedAdditions } from "./tables.ts";
import { Turns, type Turn } from "./turns.ts";
import { Undone } from "./undone.ts";
import { mostUrgent, type Choice } from "./urgency.ts";
import { findWarnings } from "./warnings.ts";

export interface TargetPlanOptions {
  readonly target: string;
  readonly names: ObjectNames;
  readonly removals: "sync" | "addOnly";
  /**
   * Undo what others changed in our objects (a mask, a stranger in a child); false = only report it. Members of a
   * child that others took out are put in again in any case.
   */
  readonly repair: boolean;
  /** Of groups that no route leads here any more. */
  readonly policy: GroupPolicy;
}

/** What `next` answers until it is asked later than that, or there is news. */
interface Offer {
  readonly choice: Choice | undefined;
  readonly until: number;
}

/** A write that the device can't find members of, so often in a row, is refused for good. */
const MOST_MISSING = 3;
const NO_ORPHANS: Orphans = { doomed: [], trimmed: [], held: [], count: 0 };
/** A dry run lists so many steps. */
const MOST_STEPS = 100_000;

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
  readonly #plans = new SourcePlans();
  readonly #collector = new Collector();
  readonly #turns = new Turns();
  #parking = new Parking();
  #clusters: ReadonlyMap<string, ClusterStanding> = new Map();
  #identity: Identity | undefined;
  #limits: Limits | undefined;
  #known: Known | undefined;
  /** Child's key → the source that claims it. */
  readonly #claims = new Map<string, string>();
  #found: Found | undefined;
  #orphans: Orphans = NO_ORPHANS;
  readonly #patient: boolean;
  #guards: Guards;
  /** `<child> <address>` that others put in since the last read. */
  #putIn = new Set<string>();
  /** Something was restored or approved. */
  #rejudge = false;
  /** Sources whose members go after some silence. */
  #mortal: readonly DesiredSource[] = [];
  #silentAt = Number.POSITIVE_INFINITY;
  #hasDeny = false;
  /** Names of objects whose last write was not answered. */
  readonly #unsure = new Set<string>();
  readonly #missing = new Map<string, number>();
  readonly #undone = new Undone();
  #offer: Offer | undefined;
  /** Whose turn an offered step takes, also when news came while it was applied. */
  readonly #turnOf = new WeakMap<Step, Turn>();
  #unparkAt = Number.POSITIVE_INFINITY;

  /** @param patient false = nothing waits for more of the same, for dry runs */
  constructor(options: TargetPlanOptions, patient = true) {
    this.#options = options;
    this.#patient = patient;
    this.#guards = new Guards({ patient });
  }

  /** At the start and after a failover. Nothing is planned before it and the first `read`. */
  device({ identity, limits }: { readonly identity: Identity; readonly limits: Limits }): void {
    this.#identity = identity;
    this.#limits = limits;
    this.#all();
  }

  /** @param changed keys of the sources that changed since the last call; "all" (or absent) = look at every one */
  desire({ sources, clusters }: TargetDesired, changed: ReadonlySet<string> | "all" | undefined): void {
    this.#clusters = clusters;
    const cameOrWent = this.#plans.replace(sources);
    if (cameOrWent) this.#know(sources);
    // What the last source that went had claimed is nobody's now, and there is nothing left to work out.
    if (cameOrWent) this.#claim();
    if (changed === undefined || changed === "all") this.#all();
    else {
      let isStrange = cameOrWent;
      for (const key of changed) if (!this.#plans.touch(key)) isStrange = true;
      // A group that goes nowhere may still have a child here.
      if (isStrange) this.#found = undefined;
    }
    this.#silentAt = Number.NEGATIVE_INFINITY;
    this.#offer = undefined;
  }

  /** The parents to read: `Firewall.read(plan.parents())`. */
  parents(): readonly string[] {
    return [...new Set(this.#plans.sources.map(({ parent }) => parent))];
  }

  /** What the children on the device were made for, for `Desired.remember`. */
  origins(): readonly ChildOrigin[] {
    return [...(this.#known?.children.values() ?? [])].flatMap(({ standing, origin }) =>
      standing === "ours" && origin !== undefined ? [origin] : [],
    );
  }

  /** A full read replaces what was known. Returns what others changed since. */
  read(actual: Actual, now: number): readonly Drift[] {
    const known = Known.from(actual);
    const drift = findDrift(this.#known, known, this.#unsure);
    this.#undone.read(this.#known, known, this.#unsure, this.#recordOf(undefined, now));
    this.#putIn = putInto(this.#known, known, this.#unsure);
    this.#known = known;
    this.#unsure.clear();
    this.#all();
    return drift;
  }

  /** The most urgent step. The caller applies it and calls `took`; asking again gives the same or a better one. */
  next(now: number): Step | undefined {
    if (this.#offer === undefined || now >= this.#offer.until) {
      const choice = this.#choose(now);
      this.#offer = { choice, until: this.#wake(now) };
      if (choice?.turn !== undefined) this.#turnOf.set(choice.step, choice.turn);
    }
    return this.#offer.choice?.step;
  }

  /** What came of a step. Returns the memberships that changed as policies see them. */
  took(step: Step, outcome: Outcome, now: number): readonly Applied[] {
    const known = this.#known;
    if (known === undefined) return [];
    const turn = this.#turnOf.get(step);
    if (turn !== undefined) this.#turns.served(turn);
    this.#offer = undefined;
    const source = this.#sourceOf(step);
    if (outcome.result === "done") return this.#done(known, step, source, now);
    if (outcome.result === "retry") {
      this.#retry(known, step, outcome, source, now);
    } else {
      park(this.#parking, this.#options.names, step, outcome, source, now);
      this.#all();
    }
    return [];
  }

  /** When `next` may give something new without news; Infinity = never. */
  wakeAt(now: number): number {
    return this.#offer !== undefined && now < this.#offer.until ? this.#offer.until : this.#wake(now);
  }

  /** Every step to come, in order. Costs as much as doing them: for people, not for loops. */
  plan(now: number): Plan {
    const copy = this.#copy();
    const held = copy.#held(now);
    const { hash } = copy.heldSet();
    const { steps, truncated } = stepsOf(copy, now);
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
  restore(kept: KeptHolds): void {
    this.#guards = new Guards({ patient: this.#patient });
    this.#guards.restore(kept);
    this.#judgeAll();
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
    const context = this.#refresh(now);
    return this.#plans.sources.map((source) => reportOf(source, this.#plans.all.get(source.key), context));
  }

  /** Groups of a cluster that are no source any more, and whose children are still there. */
  leaving(cluster: string): number {
    const gone = (this.#found?.loose ?? []).filter(({ origin }) => origin.cluster === cluster);
    return gone.filter(({ cause }) => cause !== "unrouted").length;
  }

  /** Sentences for people: near a limit, one address in two clusters, somebody else uses an object of ours. */
  warnings(now: number): readonly string[] {
    const context = this.#refresh(now);
    return [
      ...(this.#identity?.warnings ?? []),
      ...(context === undefined ? [] : findWarnings(this.#plans, context)),
    ];
  }

  counts(now: number): Counts {
    const held = this.#held(now);
    const context = this.#context(now);
    const limited = context === undefined ? 0 : limitedAdditions(this.#plans.all.values(), context);
    return countsOf(this.#plans, this.#known, this.#parking, held, limited, this.#orphans.count, now);
  }

  /** The device holds an address of the cluster that only a short list lacks. */
  isDoubtful(cluster: string, now: number): boolean {
    this.#refresh(now);
    for (const { source, leaving, halves } of this.#plans.whole.values()) {
      if (source.cluster !== cluster || leaving.size === 0) continue;
      const has = (address: string): boolean =>
        halves.some(({ shards }) => shards.some(({ child }) => child.members.has(address)));
      for (const [address, { shortList }] of leaving)
        if (shortList !== undefined && has(address)) return true;
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
    this.#refresh(now);
    const plan = this.#plans.all.get(sourceKey(cluster, group));
    const onDevice =
      plan?.halves.some(({ shards }) => shards.some(({ child }) => child.members.has(address))) === true;
    return { onDevice, refused: plan?.parked.get(address) ?? plan?.source.refused.get(address) };
  }

  #choose(now: number): Choice | undefined {
    const context = this.#refresh(now);
    if (context === undefined) return undefined;
    const { sources, all } = this.#plans;
    const [collector, turns, orphans] = [this.#collector, this.#turns, this.#orphans];
    const isKnown = [...this.#clusters.values()].every(
      ({ verified, retired }) => verified || retired !== undefined,
    );
    return mostUrgent({
      context,
      sources,
      plans: all,
      orphans,
      collector,
      turns,
      isKnown,
      hasDeny: this.#hasDeny,
    });
  }

  #done(known: Known, step: Step, source: string | undefined, now: number): Applied[] {
    const applied = acknowledge(known, step, this.#recordOf(source, now), this.#undone);
    this.#guards.applied(applied, (key) => this.#policyOf(key), now);
    const released = unpark(this.#parking, step, source);
    for (const name of namesOf(step)) {
      this.#unsure.delete(name);
      this.#missing.delete(name);
    }
    if (released) this.#plans.touchAll();
    if (step.kind === "create-address" && !released) {
      const context = this.#context(now);
      if (context !== undefined) this.#plans.created(step.address, context);
      return applied;
    }
    if (step.kind === "create-child") this.#claims.set(groupKey(step.family, step.child), source ?? "");
    if (step.kind === "repair-address") this.#plans.touchAll();
    else if (step.kind === "delete-address") this.#plans.touchThoseWith(step.address);
    else if (source !== undefined) {
      if (step.kind === "put-child" || step.kind === "create-child") this.#plans.wrote(source);
      this.#plans.touch(source);
    }
    const isOfSource = step.kind === "put-child" && source !== undefined;
    if (!isOfSource && step.kind !== "delete-address") this.#found = undefined;
    return applied;
  }

  #retry(
    known: Known,
    step: Step,
    { reason, message, reread, blame }: Extract<Outcome, { result: "retry" }>,
    source: string | undefined,
    now: number,
  ): void {
    if (reread) for (const name of namesOf(step)) this.#unsure.add(name);
    if (reason !== "missing-reference" || (step.kind !== "put-child" && step.kind !== "create-child")) return;
    const misses = (this.#missing.get(step.child) ?? 0) + 1;
    this.#missing.set(step.child, misses);
    const absent = blamed(this.#options.names, step.members, blame);
    // Their objects are made again; after that they join again.
    for (const address of absent) known.deleteAddress(address);
    if (misses >= MOST_MISSING) {
      const refused = { result: "refused", reason: "other", message, blame: absent } as const;
      park(this.#parking, this.#options.names, step, refused, source, now);
    }
    this.#all();
  }

  /** The differences, as of now; undefined before the device was read. */
  #refresh(now: number): StepContext | undefined {
    const context = this.#context(now);
    if (context === undefined) return undefined;
    // Something that was parked may be tried again.
    if (now >= this.#unparkAt) this.#plans.touchAll();
    this.#touchSilenced(now);
    this.#judge(context);
    this.#unparkAt = this.#parking.wakeAt(now);
    return {
      ...context,
      isLeaving: (address) => this.#plans.isLeaving(address),
      waitingSince: (plan, half) => this.#plans.waitingSince(plan, half),
    };
  }

  #context(now: number): DiffContext | undefined {
    const { names, removals, repair } = this.#options;
    if (this.#known === undefined || this.#limits === undefined) return undefined;
    return {
      known: this.#known,
      limits: this.#limits,
      names,
      parking: this.#parking,
      addOnly: removals === "addOnly",
      repair,
      now,
      isApproved: (key, address) => this.#guards.isApproved(key, address),
      isPutIn: (child, address) => this.#putIn.has(`${child} ${address}`),
    };
  }

  /** Works out what changed, and lets the guards decide about the clusters that it concerns. */
  #judge(context: DiffContext): void {
    const { now } = context;
    const surveyed = this.#plans.survey(context);
    if (surveyed.size > 0) this.#claim();
    const clusters = new Set<string>();
    for (const key of surveyed) clusters.add(this.#plans.source(key)?.cluster ?? "");
    for (const cluster of this.#guards.clusters)
      if (this.#rejudge || (this.#guards.wakeAt(cluster) ?? Number.POSITIVE_INFINITY) <= now)
        clusters.add(cluster);
    const isNew = this.#found === undefined || this.#rejudge;
    this.#rejudge = false;
    const found = (this.#found ??= this.#findOrphans(context));
    if (clusters.size === 0 && !isNew) return;
    const orphans = orphanViews(found, this.#clusters, this.#options.policy);
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

  #know(sources: readonly DesiredSource[]): void {
    this.#mortal = sources.filter(({ policy }) => policy.removeAfterMs !== undefined);
    this.#hasDeny = sources.some(({ policy }) => policy.polarity === "deny");
  }

  #judgeAll(): void {
    this.#rejudge = true;
    this.#all();
  }

  /** Sources whose clusters were silent for as long as their routes allow. */
  #touchSilenced(now: number): void {
    if (this.#mortal.length === 0 || now < this.#silentAt) return;
    this.#silentAt = Number.POSITIVE_INFINITY;
    for (const { key, policy, unverifiedSince } of this.#mortal) {
      if (unverifiedSince === undefined || policy.removeAfterMs === undefined) continue;
      const at = unverifiedSince + policy.removeAfterMs;
      if (at > now) this.#silentAt = Math.min(this.#silentAt, at);
      else if (this.#plans.whole.get(key)?.silenced === false) this.#plans.touch(key);
    }
  }

  #policyOf(key: string): GroupPolicy {
    return this.#plans.source(key)?.policy ?? this.#options.policy;
  }

  #recordOf(claimed: string | undefined, now: number): Record {
    const causeOf = ({ cluster, group }: ChildOrigin): Cause =>
      this.#found?.loose.find(({ origin }) => origin.cluster === cluster && origin.group === group)?.cause ??
      "undefined";
    return recordOf(this.#plans, claimed, causeOf, now);
  }

  #claim(): void {
    this.#claims.clear();
    for (const [key, { halves }] of this.#plans.whole)
      for (const { shards } of halves) for (const { child } of shards) this.#claims.set(child.key, key);
  }

  #findOrphans({ known, addOnly }: DiffContext): Found {
    const parents = new Map<string, string>();
    for (const [child, key] of this.#claims) parents.set(child, this.#plans.source(key)?.parent ?? "");
    const isSource = ({ cluster, group }: ChildOrigin): boolean =>
      this.#plans.source(sourceKey(cluster, group)) !== undefined;
    return findOrphans(known, parents, this.#clusters, isSource, addOnly);
  }

  #held(now: number): Plan["held"] {
    this.#refresh(now);
    return [...[...this.#plans.all.values()].flatMap(({ held }) => held), ...this.#orphans.held];
  }

  #copy(): TargetPlan {
    const copy = new TargetPlan(this.#options, false);
    copy.#clusters = this.#clusters;
    copy.#identity = this.#identity;
    copy.#limits = this.#limits;
    copy.#known = this.#known?.clone();
    copy.#parking = this.#parking.clone();
    copy.#guards = this.#guards.clone();
    copy.#putIn = this.#putIn;
    copy.#rejudge = true;
    copy.#plans.replace(this.#plans.sources);
    copy.#know(this.#plans.sources);
    return copy;
  }

  #sourceOf(step: Step): string | undefined {
    if (step.kind === "create-child") return sourceKey(step.cluster, step.group);
    if ("child" in step) return this.#claims.get(groupKey(step.family, step.child));
    return undefined;
  }

  #wake(now: number): number {
    let wake = this.#parking.wakeAt(now);
    for (const cluster of this.#guards.clusters)
      wake = Math.min(wake, this.#guards.wakeAt(cluster) ?? Number.POSITIVE_INFINITY);
    if (this.#silentAt > now) wake = Math.min(wake, this.#silentAt);
    for (const since of this.#plans.waits())
      if (since + PATIENCE_MS > now) wake = Math.min(wake, since + PATIENCE_MS);
    return wake;
  }

  #all(): void {
    this.#plans.touchAll();
    this.#found = undefined;
    this.#offer = undefined;
  }
}

function stepsOf(copy: TargetPlan, now: number): { steps: Step[]; truncated: boolean } {
  const steps: Step[] = [];
  for (let step = copy.next(now); step !== undefined; step = copy.next(now)) {
    if (steps.length === MOST_STEPS) return { steps, truncated: true };
    steps.push(step);
    copy.took(step, { result: "done", changed: true }, now);
  }
  return { steps, truncated: false };
}

/** The objects that a step writes. */
function namesOf(step: Step): string[] {
  if ("name" in step) return [step.name];
  return [...("child" in step ? [step.child] : []), ...("parent" in step ? [step.parent] : [])];
}
