import type { Family } from "@podgate/shared/contract/address";
import type { GroupPolicy } from "../../desired/desired.ts";
import type { Cause } from "./cause.ts";

/** One address of a group that is about to leave a target, and what says so. */
export interface Candidate {
  readonly cause: Cause;
  /** Nothing on record tells of it: the verified set only lacks it. */
  readonly absent?: true;
  /** Somebody else put it there since the last read: taking it out again cuts nobody off. */
  readonly putIn?: true;
  /** The list that lacks it is not believed, and why. */
  readonly shortList?: string;
}

/** One group of one cluster as a target holds it. */
export interface GroupView {
  /** `sourceKey(cluster, group)` */
  readonly key: string;
  readonly cluster: string;
  readonly group: string;
  readonly policy: GroupPolicy;
  readonly leaving: ReadonlyMap<string, Candidate>;
  /** Addresses that its children hold: a pod may have one of each family, and is to count once. */
  readonly sizes: Readonly<Record<Family, number>>;
  /** Addresses that it should have, there already or not. */
  readonly desired: number;
  desiredOf(family: Family): number;
  /** How an address stands that is not `leaving`. */
  standing(address: string): "member" | "off" | "unknown";
}

/** Its end was seen, or a person or a policy decided it in words: nothing to weigh. */
export function isSeen({ cause, putIn }: Candidate): boolean {
  return putIn === true || SEEN.has(cause);
}

const SEEN: ReadonlySet<Cause> = new Set([
  "ended",
  "changed",
  "reused",
  "drained",
  "adopted",
  "forgotten",
  "silent",
]);

/** Weighed by number whatever else: an edit decides for many, and `kubectl label --all` is one, too. */
export function isCounted({ cause }: Candidate): boolean {
  return cause === "relabeled" || cause === "unselected" || cause === "undefined" || cause === "unrouted";
}
