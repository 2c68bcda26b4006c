import type { DesiredSource } from "../desired/desired.ts";
import { parkingKey } from "./parking.ts";
import type { GroupReport } from "./plan.ts";
import type { SourcePlan } from "./shards.ts";
import type { StepContext } from "./steps.ts";
import { closedAddresses, closedGroups } from "./tables.ts";

type Why = readonly [reason: NonNullable<GroupReport["reason"]>, message: string];

/** How one group of one cluster stands on the target. @param plan undefined = the target was not read yet */
export function reportOf(
  source: DesiredSource,
  plan: SourcePlan | undefined,
  context: StepContext | undefined,
): GroupReport {
  const { cluster, group, parent, members } = source;
  const refused = [...source.refused, ...(plan?.parked ?? [])].map(([address, reason]) => ({
    address,
    reason,
  }));
  const shards = plan?.halves.flatMap((half) => half.shards) ?? [];
  const applied = shards.reduce((sum, { attached, desired }) => sum + (attached ? desired : 0), 0);
  const why: Why | undefined =
    plan === undefined || context === undefined
      ? ["NotRead", "the firewall was not read yet"]
      : (blockedBy(plan, context) ?? explain(plan, refused, context));
  return {
    cluster,
    group,
    firewallGroup: parent,
    desired: members.size,
    applied,
    inSync: why === undefined,
    ...(why === undefined ? {} : { reason: why[0], message: why[1] }),
    refused,
    held: plan?.held ?? [],
  };
}

/** Whole objects that the device refuses. */
function blockedBy({ halves, held }: SourcePlan, context: StepContext): Why | undefined {
  const { parking, now } = context;
  const other = held.find(({ guard }) => guard === "manager");
  if (other !== undefined) return ["Held", `${other.what}: ${other.reason}; until ${other.release}`];
  for (const { shards, next, family, taken, missing, ready } of halves) {
    const isGrowing = missing || ready.size > 0;
    const reason =
      shards
        .map(({ child, blocked }) => blocked ?? parking.reason(parkingKey.attach(child.key), now))
        .find(Boolean) ??
      (isGrowing ? (taken ?? parking.reason(parkingKey.child(`${family}:${next.name}`), now)) : undefined) ??
      (missing ? closedGroups(family, context) : undefined);
    if (reason !== undefined) return ["Refused", reason];
  }
  return undefined;
}

function explain(plan: SourcePlan, refused: GroupReport["refused"], context: StepContext): Why | undefined {
  const { repair, parking, now } = context;
  const { halves, source, held, repairs } = plan;
  const [first] = refused;
  if (first !== undefined)
    return [
      "Refused",
      `${refused.length} of ${source.members.size + source.refused.size} addresses are refused, the first: ${first.address}: ${first.reason}`,
    ];
  for (const { family, creates } of halves) {
    if (creates.size === 0) continue;
    const full = parking.reason(parkingKey.addressTable(family), now);
    if (full !== undefined) return ["Refused", `${creates.size} addresses wait: ${full}`];
    const near = closedAddresses(family, context);
    if (near !== undefined) return ["Held", `${creates.size} addresses wait: ${near}`];
  }
  const joining = halves.reduce((sum, { ready, creates }) => sum + ready.size + creates.size, 0);
  const leaving = halves
    .flatMap(({ shards }) => shards)
    .reduce((sum, { removes }) => sum + removes.size, plan.waiting.size);
  if (joining + leaving > 0) return ["Pending", `${joining} addresses are to join, ${leaving} to leave`];
  if (halves.some(({ missing, shards }) => missing || shards.some(({ attached }) => !attached)))
    return ["Pending", "the group is being made"];
  if (repairs.size > 0)
    return [repair ? "Pending" : "Held", `somebody changed ${repairs.size} address objects on the firewall`];
  const [why] = held;
  if (why !== undefined)
    return ["Held", `${held.length} addresses stay: ${why.reason}; until ${why.release}`];
  if (plan.silenced)
    return ["NotVerified", "its cluster is silent for so long that its members were given up (whenSilent)"];
  if (!source.verified)
    return ["NotVerified", "nothing is removed until the cluster is heard and agrees with what it published"];
  return undefined;
}
