import type { Known } from "./known.ts";
import type { Parking } from "./parking.ts";
import type { Counts } from "./plan.ts";
import type { SourcePlans } from "./source-plans.ts";

/** @param known undefined = the target was not read yet */
export function countsOf(
  plans: SourcePlans,
  known: Known | undefined,
  parking: Parking,
  held: number,
  orphans: number,
  now: number,
): Counts {
  let pending = 0;
  for (const { halves } of plans.all.values()) {
    for (const { ready, creates, shards } of halves)
      pending += ready.size + creates.size + shards.reduce((sum, { removes }) => sum + removes.size, 0);
  }
  let collisions = 0;
  for (const objects of [known?.addresses, known?.children])
    for (const { standing } of objects?.values() ?? []) if (standing === "collision") collisions += 1;
  return { pending, parked: parking.count(now), held, orphans, collisions };
}
