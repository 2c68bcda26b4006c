import type { ClusterStanding, DesiredSource, TargetDesired } from "../desired/desired.ts";
import { groupKey, type Actual, type Outcome, type Step } from "../firewall/firewall.ts";
import { Claims } from "./claims.ts";
import type { KeptHolds } from "./guards/guards.ts";
import type { Spent } from "./guards/spent.ts";
import { Judgement } from "./judgement.ts";
import type { Known } from "./known.ts";
import type { ObjectNames } from "./object-names.ts";
import type { Applied, Drift, Held } from "./plan.ts";
import { recordOf, type Record } from "./record.ts";
import type { DiffContext } from "./shards.ts";
import { Silence } from "./silence.ts";
import { SourcePlans } from "./source-plans.ts";
import { PATIENCE_MS, type StepContext } from "./steps.ts";
import { TargetState } from "./target-state.ts";

export interface DifferenceOptions {
  readonly names: ObjectNames;
  readonly removals: "sync" | "addOnly";
  /**
   * Undo what others changed in our objects (a mask, a stranger in a child); false = only report it. Members of a
   * child that others took out are put in again in any case.
   */
  readonly repair: boolean;
  readonly policyOf: TargetDesired["policyOf"];
}

/**
 * Between what one target should hold and what it is known to hold, kept up to date: each piece of news marks what it
 * concerns, and `refresh` works only that out again. Times: monotonic milliseconds.
 */
export class Difference {
  readonly #options: DifferenceOptions;
  readonly plans = new SourcePlans();
  readonly state: TargetState;
  readonly judgement: Judgement;
  readonly #claims = new Claims();
  readonly #silence = new Silence();
  #clusters: ReadonlyMap<string, ClusterStanding> = new Map();
  #hasDeny = false;
  /** Removals that were sent and may have been done: the next read tells. */
  #unanswered: readonly Applied[] = [];
  #unparkAt = Number.POSITIVE_INFINITY;

  /** @param original what is known of the target; undefined = nothing yet */
  constructor(options: DifferenceOptions, original?: Difference) {
    this.#options = options;
    this.state = original?.state.clone() ?? new TargetState(options.names);
    this.judgement =
      original?.judgement.clone(this.plans, this.#claims) ??
      new Judgement(this.plans, this.#claims, options.policyOf);
  }

  /** @param changed keys of the sources that changed since the last call; "all" = look at every one */
  desire({ sources, clusters }: TargetDesired, changed: ReadonlySet<string> | "all"): void {
    this.#clusters = clusters;
    const cameOrWent = this.plans.replace(sources);
    if (cameOrWent) {
      this.#watch(sources);
      // What the last source that went had claimed is nobody's now, and there is nothing left to work out.
      this.#claims.renew(this.plans);
    }
    if (changed === "all") this.all();
    else {
      let isStrange = cameOrWent;
      for (const key of changed) if (!this.plans.touch(key)) isStrange = true;
      // A group that goes nowhere may still have a child here.
      if (isStrange) this.judgement.forgetOrphans();
    }
    this.#silence.changed();
  }

  /** Returns what others changed since the last read. */
  read(actual: Actual, now: number): Drift[] {
    const drift = this.state.read(actual, this.#recordOf(undefined, now));
    const { known } = this.state;
    const gone = this.#unanswered.filter((change) => known?.isMember(change, change.address) !== true);
    this.#unanswered = [];
    this.judgement.applied(gone, now);
    this.all();
    return drift;
  }

  /** What came of a step. Returns the memberships that changed as policies see them. */
  took(step: Step, outcome: Outcome, now: number): readonly Applied[] {
    const { known } = this.state;
    if (known === undefined) return [];
    const source = this.#claims.sourceOf(step);
    if (outcome.result === "retry" && outcome.reread)
      this.#unanswered = [...this.#unanswered, ...this.departures(step, now)];
    if (outcome.result === "done") return this.#done(known, step, source, now);
    if (outcome.result === "retry") {
      if (this.state.retry(known, step, outcome, source, now)) this.all();
    } else {
      this.state.refused(step, outcome, source, now);
      this.all();
    }
    return [];
  }

  /** The memberships that a step would end, as policies see them. */
  departures(step: Step, now: number): readonly Applied[] {
    const { known } = this.state;
    if (known === undefined) return [];
    return this.state.departures(known, step, this.#recordOf(this.#claims.sourceOf(step), now));
  }

  /** What was held and taken before, here or in another process, and nothing else. */
  restore(kept: KeptHolds, now: number): void {
    // What was under way is on record.
    this.#unanswered = [];
    this.judgement.restore(kept, now);
  }

  /** What was taken within the windows of the guards, or may have been. @param next a step that is about to be done */
  spent(now: number, next: Step | undefined): readonly Spent[] {
    const coming = next === undefined ? [] : this.departures(next, now);
    return this.judgement.spent([...this.#unanswered, ...coming], now);
  }

  /** Everything is worked out again. */
  all(): void {
    this.plans.touchAll();
    this.judgement.forgetOrphans();
  }

  /** As of now; undefined before the device was read. */
  refresh(now: number): StepContext | undefined {
    const context = this.#context(now);
    if (context === undefined) return undefined;
    // Something that was parked may be tried again.
    if (now >= this.#unparkAt) this.plans.touchAll();
    for (const key of this.#silence.over(now))
      if (this.plans.whole.get(key)?.silenced === false) this.plans.touch(key);
    this.judgement.judge(context, this.#clusters);
    this.#unparkAt = this.state.parking.wakeAt(now);
    return {
      ...context,
      isLeaving: (address) => this.plans.isLeaving(address),
      waitingSince: (plan, half) => this.plans.waitingSince(plan, half),
    };
  }

  /** When it may change without news; Infinity = never. */
  wakeAt(now: number): number {
    const { parking } = this.state;
    let wake = Math.min(parking.wakeAt(now), this.judgement.wakeAt(), this.#silence.wakeAt(now));
    for (const since of this.plans.waits())
      if (since + PATIENCE_MS > now) wake = Math.min(wake, since + PATIENCE_MS);
    return wake;
  }

  /** What differs but is not done; call `refresh` first. */
  held(): Held[] {
    return [...[...this.plans.all.values()].flatMap(({ held }) => held), ...this.judgement.orphans.held];
  }

  /** Every cluster is verified: what no source wants, none will want in a moment. */
  get isKnown(): boolean {
    return [...this.#clusters.values()].every(({ verified, retired }) => verified || retired !== undefined);
  }

  /** Some group is one that policies block. */
  get hasDeny(): boolean {
    return this.#hasDeny;
  }

  /** For a dry run: nothing waits for more of the same, and what becomes of it is its own. */
  clone(): Difference {
    const copy = new Difference(this.#options, this);
    copy.#clusters = this.#clusters;
    copy.plans.replace(this.plans.sources);
    copy.#watch(this.plans.sources);
    return copy;
  }

  #done(known: Known, step: Step, source: string | undefined, now: number): readonly Applied[] {
    const { applied, released } = this.state.done(known, step, source, this.#recordOf(source, now));
    this.judgement.applied(applied, now);
    if (released) this.plans.touchAll();
    if (step.kind === "create-address" && !released) {
      const context = this.#context(now);
      if (context !== undefined) this.plans.created(step.address, context);
      return applied;
    }
    if (step.kind === "create-child") this.#claims.made(groupKey(step.family, step.child), source ?? "");
    if (step.kind === "repair-address") this.plans.touchAll();
    else if (step.kind === "delete-address") this.plans.touchThoseWith(step.address);
    else if (source !== undefined) {
      if (step.kind === "put-child" || step.kind === "create-child") this.plans.wrote(source);
      this.plans.touch(source);
    }
    const isOfSource = step.kind === "put-child" && source !== undefined;
    if (!isOfSource && step.kind !== "delete-address") this.judgement.forgetOrphans();
    return applied;
  }

  #context(now: number): DiffContext | undefined {
    const { names, removals, repair } = this.#options;
    const { known, limits, parking } = this.state;
    if (known === undefined || limits === undefined) return undefined;
    return {
      known,
      limits,
      names,
      parking,
      addOnly: removals === "addOnly",
      repair,
      now,
      isApproved: (key, address) => this.judgement.guards.isApproved(key, address),
      isPutIn: (child, address) => this.state.isPutIn(child, address),
    };
  }

  #recordOf(claimed: string | undefined, now: number): Record {
    return recordOf(this.plans, claimed, (origin) => this.judgement.causeOf(origin), now);
  }

  #watch(sources: readonly DesiredSource[]): void {
    this.#silence.watch(sources);
    this.#hasDeny = sources.some(({ policy }) => policy.polarity === "deny");
  }
}
