import { familyOf, type Family } from "@podgate/shared/contract/address";
import type { GroupView } from "./candidate.ts";
import { isMassRemoval, percent } from "./mass-removal.ts";

/**
 * Addresses that the device holds, that a verified cluster lacks, and that no event tells of: the pusher was away for
 * longer than tombstones live. Each of them may be anything, so the group's size is weighed: pods that were replaced
 * leave it as it was, a broken selector does not.
 *
 * @returns why they are held; undefined = they are not
 */
export function absenceGuard(view: GroupView, absent: ReadonlySet<string>): string | undefined {
  if (absent.size === 0) return undefined;
  const { desired, policy } = view;
  const { maxCount, maxShare } = policy.mass;
  if (desired === 0)
    return `${absent.size} members are not in the cluster, nothing tells why, and none would be left`;
  for (const family of [4, 6] as const) {
    const { base, left } = shrinkage(view, absent, family);
    if (isMassRemoval({ base, count: base - left }, policy.mass))
      return `the group would shrink from ${base} members to ${left}, and nothing tells why: more than ${maxCount} and ${percent(maxShare)}`;
  }
  return undefined;
}

/**
 * As many of them as the group would shrink by, of each family: those nobody came for. They are weighed like what an
 * edit takes.
 */
export function unreplaced(view: GroupView, absent: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const family of [4, 6] as const) {
    const { base, left } = shrinkage(view, absent, family);
    const own = [...absent].filter((address) => familyOf(address) === family);
    for (const address of own.slice(0, Math.max(0, base - left))) found.add(address);
  }
  return found;
}

/** @returns its members without those that leave for other reasons, and those it is to have */
function shrinkage(
  view: GroupView,
  absent: ReadonlySet<string>,
  family: Family,
): { base: number; left: number } {
  let base = view.sizes[family];
  for (const address of view.leaving.keys())
    if (familyOf(address) === family && !absent.has(address)) base -= 1;
  return { base, left: view.desiredOf(family) };
}
