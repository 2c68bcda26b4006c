import type { GroupView } from "./candidate.ts";
import { isMassRemoval, percent } from "./mass-removal.ts";

/**
 * Addresses that the device holds, that a verified cluster lacks, and that no event tells of: the pusher was away for
 * longer than tombstones live. Each of them may be anything, so the group's size is weighed: pods that were replaced
 * leave it as it was, a broken selector does not.
 *
 * @param absent how many. @returns why they are held; undefined = they are not
 */
export function absenceGuard(
  { size, leaving, desired, policy }: GroupView,
  absent: number,
): string | undefined {
  if (absent === 0) return undefined;
  const base = size - (leaving.size - absent);
  const { maxCount, maxShare } = policy.mass;
  if (desired === 0)
    return `${absent} members are not in the cluster, nothing tells why, and none would be left`;
  if (!isMassRemoval({ base, count: base - desired }, policy.mass)) return undefined;
  return `the group would shrink from ${base} members to ${desired}, and nothing tells why: more than ${maxCount} and ${percent(maxShare)}`;
}
