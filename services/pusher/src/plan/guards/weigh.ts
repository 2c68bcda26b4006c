import { familyOf, type Family } from "@podgate/shared/contract/address";
import type { MassLimits } from "../../desired/desired.ts";
import type { Candidate } from "./candidate.ts";
import { isMassRemoval, massReason, type Weighed } from "./mass-removal.ts";

export const ofFamily = (entries: readonly (readonly [string, Candidate])[], family: Family): number =>
  entries.filter(([address]) => familyOf(address) === family).length;

/** By family, for a pod may have an address of each. @returns why all of it is held; undefined = it is not */
export function weigh(
  whose: string,
  limits: MassLimits,
  due: readonly (readonly [string, Candidate])[],
  weighed: (family: Family) => Weighed,
): string | undefined {
  for (const family of [4, 6] as const) {
    if (ofFamily(due, family) === 0) continue;
    const found = weighed(family);
    if (!isMassRemoval(found, limits)) continue;
    return massReason(
      whose,
      found,
      limits,
      due.map(([, { cause }]) => cause),
    );
  }
  return undefined;
}
