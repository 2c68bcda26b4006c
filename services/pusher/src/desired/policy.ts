/** From how many removals on that nobody saw happen they need a person's word. */
export interface MassLimits {
  /** So many at once or within the window never do, … */
  readonly maxCount: number;
  /** … nor does this share of the members the group had when the window began, from 0 to 1. */
  readonly maxShare: number;
  readonly windowMs: number;
}

/** How a group is guarded on one target. */
export interface GroupPolicy {
  /** `allow`: being in it opens the firewall. `deny`: leaving it does. */
  readonly polarity: "allow" | "deny";
  /** Milliseconds without a verified cluster after which its members go; undefined = they stay. */
  readonly removeAfterMs: number | undefined;
  readonly mass: MassLimits;
  /** The limits are its route's own: the group is weighed alone, not with the rest of its cluster. */
  readonly alone: boolean;
  /** An edit that would take the last member needs a person's word, however small the group is. */
  readonly holdLastMember: boolean;
}

interface MassFields {
  readonly maxCount?: number | undefined;
  readonly maxShare?: number | undefined;
  readonly windowSeconds?: number | undefined;
}

/** As configured, at the top, per target and per route; the nearest one counts, field by field. */
export interface GuardFields {
  readonly massRemoval?: MassFields | undefined;
  readonly holdLastMember?: boolean | undefined;
}

export interface RouteFields {
  readonly guards?: GuardFields | undefined;
  readonly polarity?: "allow" | "deny" | undefined;
  readonly whenSilent?: "keep" | { readonly removeAfterSeconds: number } | undefined;
}

const DEFAULTS = { maxCount: 5, maxShare: 0.2, windowSeconds: 600, holdLastMember: true };

/** @param levels from the top to the route */
export function policyOf(
  levels: readonly (GuardFields | undefined)[],
  { guards, polarity = "allow", whenSilent = "keep" }: RouteFields = {},
): GroupPolicy {
  const merged = { ...DEFAULTS };
  for (const level of [...levels, guards]) {
    const { maxCount, maxShare, windowSeconds } = level?.massRemoval ?? {};
    merged.maxCount = maxCount ?? merged.maxCount;
    merged.maxShare = maxShare ?? merged.maxShare;
    merged.windowSeconds = windowSeconds ?? merged.windowSeconds;
    merged.holdLastMember = level?.holdLastMember ?? merged.holdLastMember;
  }
  const { maxCount, maxShare, windowSeconds, holdLastMember } = merged;
  return {
    polarity,
    removeAfterMs: whenSilent === "keep" ? undefined : whenSilent.removeAfterSeconds * 1000,
    mass: { maxCount, maxShare, windowMs: windowSeconds * 1000 },
    alone: guards?.massRemoval !== undefined,
    holdLastMember,
  };
}
