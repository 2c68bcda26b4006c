import type { Candidate, GroupView } from "./candidate.ts";

/**
 * An edit (a selector, a route, a range) that leaves a group without a member, however small the group is: a selector
 * that matches nothing is far more often a mistake than a wish. Who wants the group gone deletes its definition.
 *
 * @returns why these removals are held; undefined = they are not
 */
export function lastMemberGuard(
  { desired, policy }: GroupView,
  edits: readonly Candidate[],
): string | undefined {
  if (!policy.holdLastMember || edits.length === 0 || desired > 0) return undefined;
  const why = [...new Set(edits.map(({ cause }) => cause))].toSorted().join(", ");
  return `an edit (${why}) would leave the group without a member`;
}

/** Decided by an edit, about members that are still there. */
export const isEdit = ({ cause }: Candidate): boolean => cause === "unselected" || cause === "unrouted";
