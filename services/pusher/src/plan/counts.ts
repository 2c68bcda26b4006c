import type { Known } from "./known.ts";
import type { Parking } from "./parking.ts";
import { GUARDS, type Guard } from "./guards/held-set.ts";
import type { Counts, Held } from "./plan.ts";
import type { SourcePlans } from "./source-plans.ts";

/** @param known undefined = the target was not read yet */
export function countsOf(
  plans: SourcePlans,
  known: Known | undefined,
  parking: Parking,
  held: readonly Held[],
  limited: number,
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
  const byGuard = Object.fromEntries(GUARDS.map((guard) => [guard, 0])) as Record<Guard, number>;
  for (const { guard } of held) byGuard[guard] += 1;
  byGuard.limits += limited;
  return { pending, parked: parking.count(now), held: byGuard, orphans, collisions };
}
