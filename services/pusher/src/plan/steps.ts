import type { Limits, Step } from "../firewall/firewall.ts";
import { groupKey } from "../firewall/firewall.ts";
import type { Evidence } from "./evidence.ts";
import type { Known } from "./known.ts";
import type { ObjectNames } from "./object-names.ts";
import { parkingKey, type Parking } from "./parking.ts";
import { room, type Half, type Shard, type SourcePlan } from "./shards.ts";
import { closedAddresses, closedGroups } from "./tables.ts";

export interface StepContext {
  readonly known: Known;
  readonly limits: Limits;
  readonly names: ObjectNames;
  readonly parking: Parking;
  readonly repair: boolean;
  readonly now: number;
  /** The address is about to leave another child of this target: leave before join. */
  readonly isLeaving: (address: string) => boolean;
  /** Since when additions that could be written wait for creations; undefined = none wait. */
  readonly waitingSince: (plan: SourcePlan, half: Half) => number | undefined;
}

/** So long may an addition wait for creations, to go out with them in one call. */
export const PATIENCE_MS = 1000;

/** A write that makes a group smaller, together with every addition that can go with it. */
export function removalStep(plan: SourcePlan, context: StepContext): Step | undefined {
  for (const half of plan.halves) {
    for (const shard of half.shards) {
      if (shard.blocked === undefined && isTooLarge(shard, context)) return put(plan, half, shard, context);
    }
  }
  return undefined;
}

/** A write that only adds, to the first shard with room. */
export function additionStep(plan: SourcePlan, context: StepContext): Step | undefined {
  for (const half of plan.halves) {
    if (half.ready.size === 0 || !isDue(plan, half, context)) continue;
    const shard = half.shards.find(
      (each) => each.blocked === undefined && room(each, context.limits[half.family]) > 0,
    );
    if (shard === undefined) continue;
    const step = put(plan, half, shard, context);
    if (step.added.length > 0) return step;
  }
  return undefined;
}

/** An object whose content was changed: while it is in a group, that group is wider than it should be. */
export function repairStep(plan: SourcePlan, { names, parking, repair, now }: StepContext): Step | undefined {
  if (!repair) return undefined;
  for (const [address, found] of plan.repairs) {
    if (parking.reason(parkingKey.repair(address), now) !== undefined) continue;
    const name = names.address(address);
    return { kind: "repair-address", name, address, reason: `it was changed to ${found}` };
  }
  return undefined;
}

/** What makes a source whole: its children in their parent, a child more, the objects of new addresses. */
export function growthStep(plan: SourcePlan, context: StepContext): Step | undefined {
  for (const half of plan.halves) {
    const step = attach(plan, half, context) ?? createChild(plan, half, context);
    if (step !== undefined) return step;
  }
  for (const half of plan.halves) {
    const [address] = isCreating(half, context) ? half.creates : [];
    if (address === undefined) continue;
    const { group, cluster } = plan.source;
    const reason = `a new member of ${group} (cluster ${cluster})`;
    return { kind: "create-address", name: context.names.address(address), address, reason };
  }
  return undefined;
}

/** Somebody is in it who should not be. */
const isTooLarge = ({ removes, child }: Shard, { repair }: StepContext): boolean =>
  removes.size > 0 || (repair && child.strangers.length > 0);

function attach(plan: SourcePlan, half: Half, context: StepContext): Step | undefined {
  const { source } = plan;
  const { family, shards } = half;
  const { known, parking, now } = context;
  // A child that was just taken out because its group went must not come back while that is not known for certain.
  if (source.defined !== "yes") return undefined;
  for (const shard of shards) {
    const { child, attached, blocked } = shard;
    if (attached || parking.reason(parkingKey.attach(child.key), now) !== undefined) continue;
    // Nobody joins a parent on the way out: the child is put right first. Where it can't be, blocking is what is safe.
    if (isTooLarge(shard, context)) {
      if (blocked === undefined) return put(plan, half, shard, context);
      if (!isDeny(plan)) continue;
    }
    const { parent, group, cluster } = source;
    const reason = `${parent} is to hold ${group} (cluster ${cluster})`;
    if (known.parents.get(groupKey(family, parent))?.manager !== undefined) continue;
    const kind = known.parents.has(groupKey(family, parent)) ? "attach-child" : "create-parent";
    if (kind === "create-parent" && closedGroups(family, context) !== undefined) continue;
    return { kind, parent, family, child: child.name, reason };
  }
  return undefined;
}

function createChild(plan: SourcePlan, half: Half, context: StepContext): Step | undefined {
  const { limits, parking, now } = context;
  const { family, next, shards } = half;
  const limit = limits[family];
  if (half.taken !== undefined || !isDue(plan, half, context)) return undefined;
  if (!half.missing && half.ready.size === 0) return undefined;
  // A shard that can't be written just now still has its room: another one would scatter the group.
  if (shards.some((shard) => room(shard, limit) > 0)) return undefined;
  if (closedGroups(family, context) !== undefined) return undefined;
  if (parking.reason(parkingKey.child(groupKey(family, next.name)), now) !== undefined) return undefined;
  const most = limit.membersPerGroup === 0 ? Number.POSITIVE_INFINITY : limit.membersPerGroup;
  const members = joinable(plan, half, context, most);
  if (members.length === 0 && !half.missing) return undefined;
  const { cluster, group } = plan.source;
  const reason =
    next.n === 0
      ? `${group} (cluster ${cluster}) is defined: ${members.length} members`
      : `${group} (cluster ${cluster}) needs one more group: ${members.length} members`;
  return { kind: "create-child", child: next.name, family, cluster, group, members, reason };
}

/** Additions wait for creations that are under way, but not for long; those that block somebody wait for nothing. */
function isDue(plan: SourcePlan, half: Half, context: StepContext): boolean {
  if (isDeny(plan) || !isCreating(half, context)) return true;
  const since = context.waitingSince(plan, half);
  return since !== undefined && context.now - since >= PATIENCE_MS;
}

export function isCreating(
  half: Half,
  context: Pick<StepContext, "known" | "limits" | "parking" | "now">,
): boolean {
  return half.creates.size > 0 && closedAddresses(half.family, context) === undefined;
}

/** Policies block its members: joining is what must not be late. */
export const isDeny = ({ source }: SourcePlan): boolean => source.policy.polarity === "deny";

function joinable(plan: SourcePlan, { ready }: Half, { isLeaving }: StepContext, most: number): string[] {
  const addresses: string[] = [];
  for (const address of ready) {
    if (addresses.length >= most) break;
    if (isDeny(plan) || !isLeaving(address)) addresses.push(address);
  }
  return addresses;
}

/** The shard without those who leave, and with all that can join and has room. */
function put(
  plan: SourcePlan,
  half: Half,
  shard: Shard,
  context: StepContext,
): Extract<Step, { kind: "put-child" }> {
  const { child, removes } = shard;
  const added = joinable(plan, half, context, room(shard, context.limits[half.family]));
  const kept = [...child.members].filter((address) => !removes.has(address));
  const { group, cluster } = plan.source;
  const changes = [
    added.length > 0 ? `${added.length} join` : "",
    removes.size > 0 ? `${removes.size} leave (${causes(removes)})` : "",
    child.strangers.length > 0 ? `not ours: ${child.strangers.join(", ")}` : "",
  ].filter(Boolean);
  return {
    kind: "put-child",
    child: child.name,
    family: child.family,
    members: [...kept, ...added],
    added,
    removed: [...removes.keys()],
    reason: `${group} (cluster ${cluster}): ${changes.join(", ")}`,
  };
}

const causes = (removes: ReadonlyMap<string, Evidence>): string =>
  [...new Set([...removes.values()].map(({ cause }) => cause))].toSorted().join(", ");
