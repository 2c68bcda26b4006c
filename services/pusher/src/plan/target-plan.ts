import type { TargetDesired } from "../desired/desired.ts";
import type { Actual, Identity, Limits, Outcome, Step } from "../firewall/firewall.ts";
import type { ObjectNames } from "./object-names.ts";
import type { Applied, Counts, Drift, GroupReport, Plan } from "./plan.ts";

export interface TargetPlanOptions {
  readonly target: string;
  readonly names: ObjectNames;
  readonly removals: "sync" | "addOnly";
  /** Undo what others changed in our objects; false = only report it. */
  readonly repair: boolean;
}

/**
 * One target: what it should hold, what it is known to hold, and therefore the next step. A state machine without
 * I/O: `desire` and `read` bring news, `next` says what to do, `took` brings what came of it. Times are
 * milliseconds of the monotonic clock.
 */
export class TargetPlan {
  constructor(_options: TargetPlanOptions) {
    void 0;
  }

  /** At the start and after a failover. Nothing is planned before it and the first `read`. */
  device(_device: { readonly identity: Identity; readonly limits: Limits }): void {
    throw new Error("not written yet");
  }

  /** @param changed keys of the sources that changed since the last call; "all" (or absent) = look at every one */
  desire(_desired: TargetDesired, _changed: ReadonlySet<string> | "all" | undefined, _now: number): void {
    throw new Error("not written yet");
  }

  /** The parents to read: `Firewall.read(plan.parents())`. */
  parents(): readonly string[] {
    throw new Error("not written yet");
  }

  /** A full read replaces what was known. Returns what others changed since. */
  read(_actual: Actual, _now: number): readonly Drift[] {
    throw new Error("not written yet");
  }

  /** The most urgent step. The caller applies it and calls `took`; asking again gives the same or a better one. */
  next(_now: number): Step | undefined {
    throw new Error("not written yet");
  }

  /** What came of a step. Returns the memberships that changed as policies see them. */
  took(_step: Step, _outcome: Outcome, _now: number): readonly Applied[] {
    throw new Error("not written yet");
  }

  /** When `next` may give something new without news; Infinity = never. */
  wakeAt(_now: number): number {
    throw new Error("not written yet");
  }

  /** Every step to come, in order. Costs as much as doing them: for people, not for loops. */
  plan(_now: number): Plan {
    throw new Error("not written yet");
  }

  /** Per source; cheap enough for once a second. */
  report(_now: number): readonly GroupReport[] {
    throw new Error("not written yet");
  }

  /** Sentences for people: near a limit, one address in two clusters, somebody else uses an object of ours. */
  warnings(_now: number): readonly string[] {
    throw new Error("not written yet");
  }

  counts(_now: number): Counts {
    throw new Error("not written yet");
  }
}
