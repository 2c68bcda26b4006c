import type { Family } from "@podgate/shared/contract/address";

/** What changed in a window during a moment of it. */
export interface SpentPart {
  /** Milliseconds ago. */
  readonly ageMs: number;
  /** Members more or fewer. */
  readonly delta: number;
  /** Removals that are weighed by number. */
  readonly counted: number;
}

/** What was taken from a group of one target within its window, or from all groups of a cluster. */
export interface Spent {
  readonly cluster: string;
  /** Absent = of all groups of the cluster. */
  readonly group?: string | undefined;
  readonly family: Family;
  /** The oldest first. */
  readonly parts: readonly SpentPart[];
}

/** The same, and one more removal that is weighed, now. */
export function spendOne(spent: readonly Spent[], of: Omit<Spent, "parts">): Spent[] {
  const isIt = ({ cluster, group, family }: Spent): boolean =>
    cluster === of.cluster && group === of.group && family === of.family;
  const { parts = [] } = spent.find(isIt) ?? {};
  const last = parts.at(-1);
  const isNow = last?.ageMs === 0;
  const now = { ageMs: 0, delta: (isNow ? last.delta : 0) - 1, counted: (isNow ? last.counted : 0) + 1 };
  return [
    ...spent.filter((each) => !isIt(each)),
    { ...of, parts: [...(isNow ? parts.slice(0, -1) : parts), now] },
  ];
}
