import type { Family } from "@podgate/shared/contract/address";
import { limitsGuard } from "./guards/limits.ts";
import { parkingKey } from "./parking.ts";
import type { SourcePlan } from "./shards.ts";
import type { StepContext } from "./steps.ts";

type TableContext = Pick<StepContext, "known" | "limits" | "parking" | "now">;

/** Why no address object is made now: the device refused one, or would. */
export function closedAddresses(family: Family, context: TableContext): string | undefined {
  return (
    context.parking.reason(parkingKey.addressTable(family), context.now) ?? limitedAddresses(family, context)
  );
}

/** Why no group is made now. */
export function closedGroups(
  family: Family,
  { known, limits, parking, now }: TableContext,
): string | undefined {
  const refused = parking.reason(parkingKey.groupTable(family), now);
  if (refused !== undefined || limits[family].groups === 0) return refused;
  let has = 0;
  for (const child of known.children.values()) if (child.family === family) has += 1;
  for (const parent of known.parents.values()) if (parent.family === family && parent.ours) has += 1;
  return limitsGuard("group", family, { has, most: limits[family].groups });
}

/** Additions that wait for room, without the device having been asked. */
export function limitedAdditions(plans: Iterable<SourcePlan>, context: TableContext): number {
  const limited = { 4: limitedAddresses(4, context), 6: limitedAddresses(6, context) };
  if (limited[4] === undefined && limited[6] === undefined) return 0;
  let count = 0;
  for (const { halves } of plans)
    for (const { family, creates } of halves) if (limited[family] !== undefined) count += creates.size;
  return count;
}

function limitedAddresses(family: Family, { known, limits }: TableContext): string | undefined {
  return limitsGuard("address", family, { has: known.count(family), most: limits[family].addresses });
}
