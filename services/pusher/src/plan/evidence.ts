import type { DesiredSource } from "../desired/desired.ts";
import type { Cause } from "./plan.ts";

export interface Evidence {
  readonly cause: Cause;
  /** Milliseconds since 1970; undefined where nothing on record tells. */
  readonly observedAt: number | undefined;
  /** Nothing on record tells of it: the verified set only lacks it. */
  readonly absent?: true;
}

export type Verdict =
  /** It belongs there. */
  | { readonly kind: "member" }
  | ({ readonly kind: "leaves" } & Evidence)
  /** It would leave, but the list that lacks it is not believed: if it was a member, it is one still. */
  | { readonly kind: "doubted"; readonly reason: string }
  /** Nothing is known about it: silence is not absence. */
  | { readonly kind: "unknown" };

const MEMBER: Verdict = { kind: "member" };
const UNKNOWN: Verdict = { kind: "unknown" };
/** May an address that a child of this source holds stay, and what says so? @param now monotonic milliseconds */
export function judge(source: DesiredSource, address: string, now: number): Verdict {
  if (isSilenced(source, now)) return { kind: "leaves", cause: "silent", observedAt: undefined };
  const held = source.held.get(address);
  if (held !== undefined) return { kind: "doubted", reason: held.reason };
  if (source.members.has(address)) return MEMBER;
  if (source.refused.has(address)) {
    return { kind: "leaves", cause: "unrouted", observedAt: undefined };
  }
  const removal = source.removals.get(address);
  if (removal !== undefined) {
    const { cause, observedAt, absent } = removal;
    return { kind: "leaves", cause, observedAt, ...(absent && { absent }) };
  }
  if (!source.verified) return UNKNOWN;
  if (source.absencesHeld !== undefined) return { kind: "doubted", reason: source.absencesHeld };
  if (source.absenceCause !== "vanished")
    return { kind: "leaves", cause: source.absenceCause, observedAt: undefined };
  return { kind: "leaves", cause: "vanished", observedAt: undefined, absent: true };
}

/** Its cluster was not verified for so long that its route gives its members up. */
export function isSilenced(
  { policy: { removeAfterMs }, unverifiedSince }: Pick<DesiredSource, "policy" | "unverifiedSince">,
  now: number,
): boolean {
  return (
    removeAfterMs !== undefined && unverifiedSince !== undefined && now - unverifiedSince >= removeAfterMs
  );
}
