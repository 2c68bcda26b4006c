import type { DesiredSource } from "../desired/desired.ts";
import type { Step } from "../firewall/firewall.ts";
import type { Collector } from "./collect.ts";
import { deleteStep, detachStep, type Orphans } from "./orphans.ts";
import { parkingKey } from "./parking.ts";
import type { SourcePlan } from "./shards.ts";
import { additionStep, growthStep, isDeny, removalStep, repairStep, type StepContext } from "./steps.ts";
import type { Turn, Turns } from "./turns.ts";

export interface Choice {
  readonly step: Step;
  /** Where groups take turns. */
  readonly turn?: Turn;
}

export interface Situation {
  readonly context: StepContext;
  readonly sources: readonly DesiredSource[];
  readonly plans: ReadonlyMap<string, SourcePlan>;
  readonly orphans: Orphans;
  readonly collector: Collector;
  readonly turns: Turns;
  /** Some group is one that policies block. */
  readonly hasDeny: boolean;
  /** Every cluster is verified: what no source wants, none will want in a moment. */
  readonly isKnown: boolean;
}

/**
 * What joins a group that policies block goes before everything. Then what leaves goes first, with every addition that can go along; a widened address object is as bad as a member too
 * many. Then additions whose objects exist, then what has to be made first, at last what is only tidy.
 */
export function mostUrgent(situation: Situation): Choice | undefined {
  const { context, plans, orphans, turns } = situation;
  const { known, parking, now } = context;
  return (
    taking(
      situation.hasDeny ? turns.first("deny", plans, (plan) => joiningStep(plan, context)) : undefined,
    ) ??
    alone(detachStep(orphans, known, parking, now)) ??
    taking(turns.first("removal", plans, (plan) => removalStep(plan, context))) ??
    taking(turns.first("repair", plans, (plan) => repairStep(plan, context))) ??
    alone(deleteStep(orphans, known, parking, now)) ??
    taking(turns.first("addition", plans, (plan) => additionStep(plan, context))) ??
    taking(turns.first("growth", plans, (plan) => growthStep(plan, context))) ??
    alone(emptyParent(situation)) ??
    alone(unused(situation))
  );
}

/** What brings members into a group; nothing waits to go out with something else. */
const joiningStep = (plan: SourcePlan, context: StepContext): Step | undefined =>
  isDeny(plan) ? (additionStep(plan, context) ?? growthStep(plan, context)) : undefined;

const alone = (step: Step | undefined): Choice | undefined => (step === undefined ? undefined : { step });
const taking = (turn: Turn | undefined): Choice | undefined =>
  turn === undefined ? undefined : { step: turn.step, turn };

/** A parent that we made, that is empty, and that nothing is to be in: whoever emptied it, and whenever. */
function emptyParent({ context: { known, parking, now }, sources, isKnown }: Situation): Step | undefined {
  if (!isKnown) return undefined;
  for (const [key, parent] of known.parents) {
    if (!parent.ours || parent.members.size > 0) continue;
    const { name, family } = parent;
    if (sources.some((source) => source.parent === name)) continue;
    if (parking.reason(parkingKey.deleteParent(key), now) !== undefined) continue;
    return { kind: "delete-parent", parent: name, family, reason: "it is empty, and nothing is to be in it" };
  }
  return undefined;
}

function unused({
  context: { known, limits, parking, now },
  sources,
  collector,
}: Situation): Step | undefined {
  const isWanted = (address: string): boolean => sources.some(({ members }) => members.has(address));
  return collector.step(known, limits, parking, isWanted, now);
}
