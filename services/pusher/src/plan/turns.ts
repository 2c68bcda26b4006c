import type { Step } from "../firewall/firewall.ts";
import type { SourcePlan } from "./shards.ts";

export type Lane = "deny" | "removal" | "repair" | "addition" | "growth";

/** A step, and whose turn in which class it takes. */
export interface Turn {
  readonly step: Step;
  readonly lane: Lane;
  readonly source: string;
}

/** Sources take turns within a class of steps, so that one with much to do delays nobody else. */
export class Turns {
  /** The source that was served last. */
  readonly #last = new Map<Lane, string>();

  /** The first source after the last one served that has a step. */
  first(
    lane: Lane,
    plans: ReadonlyMap<string, SourcePlan>,
    choose: (plan: SourcePlan) => Step | undefined,
  ): Turn | undefined {
    const last = this.#last.get(lane);
    let early: Turn | undefined;
    let isAfter = last === undefined || !plans.has(last);
    for (const [source, plan] of plans) {
      // Those before the last one served are only needed when none after it has anything.
      const step = isAfter || early === undefined ? choose(plan) : undefined;
      if (step !== undefined) {
        if (isAfter) return { step, lane, source };
        early = { step, lane, source };
      }
      if (source === last) isAfter = true;
    }
    return early;
  }

  served({ lane, source }: Turn): void {
    this.#last.set(lane, source);
  }
}
