import { own } from "@podgate/shared/contract/own";
import type { ClusterFold } from "../desired/fold.ts";
import type { TargetWork } from "./target-work.ts";

/**
 * Of each cluster whose lists are not believed, what one device makes of that: the reason why they are not, where the
 * device was read and holds nothing that they leave open; empty where it does, or was not read yet. A cluster that is
 * not in it is believed.
 */
export type Absences = Readonly<Record<string, string>>;

type Fold = Pick<ClusterFold, "verified" | "shortList">;

interface Work extends Pick<TargetWork, "wasRead"> {
  readonly plan: Pick<TargetWork["plan"], "isDoubtful">;
}

/** @param now milliseconds of the monotonic clock */
export function absencesOf(
  { works }: { readonly works: readonly Work[] },
  folds: Iterable<readonly [cluster: string, fold: Fold]>,
  now: number,
): Absences {
  const absences: Record<string, string> = {};
  for (const [cluster, { verified, shortList }] of folds) {
    if (shortList === undefined) continue;
    const isSettled = verified && works.every((work) => work.wasRead && !work.plan.isDoubtful(cluster, now));
    absences[cluster] = isSettled ? shortList : "";
  }
  return absences;
}

/** Whether a device leaves nothing open of a cluster's lists. @param reason why they are not believed here */
export const isSettledBy = (absences: Absences | undefined, cluster: string, reason: string): boolean =>
  absences !== undefined && (own(absences, cluster) ?? reason) === reason;
