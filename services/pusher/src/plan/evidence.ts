import type { DesiredSource } from "../desired/desired.ts";
import type { Cause } from "./plan.ts";

export interface Evidence {
  readonly cause: Cause;
  /** Milliseconds since 1970; undefined where nothing on record tells. */
  readonly observedAt: number | undefined;
}

export type Verdict =
  /** It belongs there. */
  | { readonly kind: "member" }
  | ({ readonly kind: "leaves" } & Evidence)
  /** It would leave, but for a reason. */
  | { readonly kind: "held"; readonly reason: string; readonly release: string }
  /** Nothing is known about it: silence is not absence. */
  | { readonly kind: "unknown" };

const MEMBER: Verdict = { kind: "member" };
const UNKNOWN: Verdict = { kind: "unknown" };
/** What lets go of an address that is only absent. */
export const LIST_RECOVERS =
  "the cluster's list recovers, or the address is seen to end, to move or to join again";

/** May an address that a child of this source holds stay, and what says so? */
export function judge(source: DesiredSource, address: string): Verdict {
  if (source.members.has(address)) return MEMBER;
  if (source.refused.has(address)) {
    return { kind: "leaves", cause: "unrouted", observedAt: undefined };
  }
  const held = source.held.get(address);
  if (held !== undefined)
    return { kind: "held", reason: `vanished, but ${held.reason}`, release: LIST_RECOVERS };
  const removal = source.removals.get(address);
  if (removal !== undefined) return { kind: "leaves", cause: removal.cause, observedAt: removal.observedAt };
  if (!source.verified) return UNKNOWN;
  if (source.absencesHeld !== undefined)
    return { kind: "held", reason: `not in the cluster, but ${source.absencesHeld}`, release: LIST_RECOVERS };
  return { kind: "leaves", cause: "vanished", observedAt: undefined };
}
