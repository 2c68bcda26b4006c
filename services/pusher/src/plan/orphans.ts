import { familyOf } from "@podgate/shared/contract/address";
import { sourceKey, type ClusterStanding, type GroupPolicy } from "../desired/desired.ts";
import { groupKey, type ChildOrigin, type Step } from "../firewall/firewall.ts";
import { isSeen, type Candidate, type GroupView } from "./guards/candidate.ts";
import type { Withheld } from "./guards/group-holds.ts";
import type { Guard } from "./guards/held-set.ts";
import type { Known, KnownChild } from "./known.ts";
import { parkingKey, type Parking } from "./parking.ts";
import type { Cause, Held } from "./plan.ts";
import { heldOf } from "./withhold.ts";

/** A child that no source claims, and that may go if no guard keeps its members. */
export interface Loose {
  readonly child: KnownChild;
  readonly origin: ChildOrigin;
  /** Why its members go. */
  readonly cause: Cause;
  /** For people. */
  readonly reason: string;
  /** A group on the device holds it. */
  readonly isAttached: boolean;
}

export interface Found {
  readonly loose: readonly Loose[];
  /** Of clusters that are not verified: nothing is known yet. */
  readonly waiting: readonly KnownChild[];
  /** Reported, not touched. */
  readonly held: readonly Held[];
  /** Children that nothing desires, those of `waiting` left out. */
  readonly count: number;
}

/** A child that stays, without some of its members. */
export interface Trimmed {
  readonly child: KnownChild;
  readonly removed: readonly string[];
  readonly reason: string;
}

export interface Orphans {
  /** They leave their parents, then the device. */
  readonly doomed: readonly Loose[];
  readonly trimmed: readonly Trimmed[];
  readonly held: readonly Held[];
  readonly count: number;
}

/**
 * Children with our mark that no source claims. One whose cluster is verified and does not define its group any more
 * goes, and so does one that no route leads here any more, as far as the guards let them: the one is a deed of somebody
 * in that cluster, the other may be a mistake in a configuration. The rest is reported.
 *
 * @param claimed child's key → the parent that its source wants it in
 * @param isSource whether a source of this target is of this group: then a stray child is only reported
 */
export function findOrphans(
  known: Known,
  claimed: ReadonlyMap<string, string>,
  clusters: ReadonlyMap<string, ClusterStanding>,
  isSource: (origin: ChildOrigin) => boolean,
  addOnly: boolean,
): Found {
  const loose: Loose[] = [];
  const waiting: KnownChild[] = [];
  const held: Held[] = [];
  let count = 0;
  for (const child of known.children.values()) {
    if (child.standing !== "ours") continue;
    const parent = claimed.get(child.key);
    if (parent !== undefined) {
      held.push(...misplaced(known, child, parent));
      continue;
    }
    const { origin } = child;
    const { cause, guard = "orphan", reason, release } = whyKept(child, clusters, addOnly);
    if (release === WAIT) waiting.push(child);
    else if (cause !== "undefined" && cause !== "drained" && cause !== "forgotten") count += 1;
    if (cause !== undefined && origin !== undefined && !isSource(origin))
      loose.push({ child, origin, cause, reason, isAttached: known.holders(child.key).size > 0 });
    if (release === undefined) continue;
    held.push({ cluster: origin?.cluster, group: origin?.group, what: child.name, guard, reason, release });
  }
  return { loose, waiting, held, count };
}

const WAIT = "the cluster is verified";

/** `cause`: it may go if no guard keeps it. `release`: it is reported. */
interface Why {
  readonly cause?: Cause;
  readonly guard?: Guard;
  readonly reason: string;
  readonly release?: string;
}

function whyKept(
  { origin, members }: KnownChild,
  clusters: ReadonlyMap<string, ClusterStanding>,
  addOnly: boolean,
): Why {
  if (origin === undefined)
    return { reason: "its comment does not tell what it was made for", release: "delete it on the firewall" };
  const { cluster, group } = origin;
  // Without members nobody's word is asked for; it stays until somebody tidies up.
  const unrouted = !addOnly && members.size > 0 && ({ cause: "unrouted" } as const);
  const approve = unrouted ? "approve its removal, or" : "or";
  const standing = clusters.get(cluster);
  if (standing === undefined)
    return {
      ...unrouted,
      reason: `cluster ${cluster} is not configured`,
      release: `configure the cluster, ${approve} delete the group on the firewall`,
    };
  const definition = standing.definition(group);
  if (definition === "unknown")
    return {
      reason: `cluster ${cluster} is not verified: ${group} may still be defined there`,
      release: WAIT,
    };
  if (definition === "yes")
    return {
      ...unrouted,
      reason: `no route leads ${group} of cluster ${cluster} here any more, or it has another name`,
      release: `restore the route, ${approve} delete the group on the firewall`,
    };
  if (addOnly)
    return {
      guard: "add-only",
      reason: "its definition is gone, but this target only adds",
      release: 'set its "removals" to "sync"',
    };
  const { retired } = standing;
  if (retired !== undefined)
    return { cause: retired, reason: `cluster ${cluster} was ${retired}, and ${group} with it` };
  return { cause: "undefined", reason: `${group} is not defined in cluster ${cluster} any more` };
}

/** Groups of the loose children and of those that wait, as guards weigh them. */
export function orphanViews(
  { loose, waiting }: Pick<Found, "loose" | "waiting">,
  clusters: ReadonlyMap<string, ClusterStanding>,
  policyOf: (origin: ChildOrigin) => GroupPolicy,
): GroupView[] {
  const all = [
    ...loose,
    ...waiting.flatMap((child) => (child.origin === undefined ? [] : [{ child, origin: child.origin }])),
  ];
  const byGroup = Map.groupBy(all, ({ origin }) => sourceKey(origin.cluster, origin.group));
  return [...byGroup].flatMap(([key, children]): GroupView[] => {
    const [first] = children;
    if (first === undefined) return [];
    const { cluster, group } = first.origin;
    const policy = policyOf(first.origin);
    const present = new Set(children.flatMap(({ child }) => [...child.members]));
    const removals = clusters.get(cluster)?.groups.get(group)?.removals;
    const leaving = new Map<string, Candidate>();
    for (const each of children) {
      // Of a child that no group holds nobody is a member: its detaching was weighed, it must not count twice.
      if (!("cause" in each) || !each.isAttached) continue;
      for (const address of each.child.members) {
        const seen = removals?.get(address);
        // What was seen to end goes, whatever becomes of its group.
        leaving.set(address, seen !== undefined && isSeen(seen) ? seen : { cause: each.cause });
      }
    }
    const standing = (address: string) => (present.has(address) ? "unknown" : "off");
    const sizes = { 4: 0, 6: 0 };
    for (const address of present) sizes[familyOf(address)] += 1;
    return [{ key, cluster, group, policy, leaving, sizes, desired: 0, desiredOf: none, standing }];
  });
}

const none = (): number => 0;

/** What may go, now that the guards have spoken. */
export function settleOrphans(
  { loose, held, count }: Found,
  withheldOf: (key: string) => Withheld | undefined,
): Orphans {
  const doomed: Loose[] = [];
  const trimmed: Trimmed[] = [];
  const items: Held[] = [];
  for (const each of loose) {
    const { child, origin, reason } = each;
    const withheld = withheldOf(sourceKey(origin.cluster, origin.group));
    const stay = [...child.members].filter(
      (address) => withheld?.held.has(address) === true || withheld?.waiting.has(address) === true,
    );
    if (stay.length === 0) {
      doomed.push(each);
      continue;
    }
    const kept = new Set(stay);
    const removed = [...child.members].filter((address) => !kept.has(address));
    if (removed.length > 0) trimmed.push({ child, removed, reason });
    items.push(
      ...heldOf(
        origin,
        stay.flatMap((address) => withheld?.held.get(address) ?? []),
      ),
    );
  }
  return { doomed, trimmed, held: [...held, ...items], count };
}

function misplaced(known: Known, { key, name, origin, family }: KnownChild, parent: string): Held[] {
  return [...known.holders(key)]
    .filter((holder) => holder !== groupKey(family, parent))
    .map((holder) => ({
      cluster: origin?.cluster,
      group: origin?.group,
      what: name,
      guard: "orphan" as const,
      reason: `it is a member of ${known.parents.get(holder)?.name ?? holder} too, where no route leads any more`,
      release: "restore the route, or take it out of that group on the firewall",
    }));
}

/** Out of the parents that hold it: from then on no policy sees it. Else without those that may go. */
export function detachStep(
  { doomed, trimmed }: Orphans,
  known: Known,
  parking: Parking,
  now: number,
): Step | undefined {
  for (const { child, reason } of doomed) {
    const { key, name, family } = child;
    for (const holder of known.holders(key)) {
      const parent = known.parents.get(holder);
      if (parent === undefined || parking.reason(parkingKey.detach(key, holder), now) !== undefined) continue;
      return { kind: "detach-child", parent: parent.name, family, child: name, reason };
    }
  }
  for (const { child, removed, reason } of trimmed) {
    if (parking.reason(parkingKey.child(child.key), now) !== undefined) continue;
    const gone = new Set(removed);
    const members = [...child.members].filter((address) => !gone.has(address));
    return {
      kind: "put-child",
      child: child.name,
      family: child.family,
      members,
      added: [],
      removed,
      reason,
    };
  }
  return undefined;
}

/** Off the device; where somebody else's object still uses it, at least emptied. */
export function deleteStep(
  { doomed }: Orphans,
  known: Known,
  parking: Parking,
  now: number,
): Step | undefined {
  for (const { child, reason } of doomed) {
    const { key, name, family, members } = child;
    const isUsed = parking.reason(parkingKey.deleteChild(key), now) !== undefined;
    if (known.holders(key).size === 0 && !isUsed)
      return { kind: "delete-child", child: name, family, reason };
    const isStuck =
      isUsed ||
      [...known.holders(key)].every(
        (holder) => parking.reason(parkingKey.detach(key, holder), now) !== undefined,
      );
    if (!isStuck || members.size === 0 || parking.reason(parkingKey.child(key), now) !== undefined) continue;
    return {
      kind: "put-child",
      child: name,
      family,
      members: [],
      added: [],
      removed: [...members],
      reason: `${reason}, but the group is in use`,
    };
  }
  return undefined;
}
