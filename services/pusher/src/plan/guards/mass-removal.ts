import type { MassLimits } from "../../desired/desired.ts";
import type { Cause } from "./cause.ts";

/** Weighed removals of a group, or of all groups of a cluster. */
export interface Weighed {
  /** Members when the window began. */
  readonly base: number;
  /** Removals in it: done, due now, and held in it. */
  readonly count: number;
}

/**
 * More than a count and more than a share of the members would go within the window, and nobody saw one of them go:
 * that is what a broken selector or an uninstalled chart looks like.
 */
export function isMassRemoval({ base, count }: Weighed, { maxCount, maxShare }: MassLimits): boolean {
  return count > maxCount && count > maxShare * base;
}

/** @param whose `web of cluster east`, or `cluster east here` */
export function massReason(
  whose: string,
  { base, count }: Weighed,
  { maxCount, maxShare, windowMs }: MassLimits,
  causes: Iterable<Cause>,
): string {
  const of = base >= count ? `${count} of ${base} members` : `${count} members`;
  const why = [...new Set(causes)].toSorted().join(", ");
  return `${of} of ${whose} would leave within ${Math.round(windowMs / 1000)} s without having been seen to end (${why}): more than ${maxCount} and ${percent(maxShare)}`;
}

export const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
