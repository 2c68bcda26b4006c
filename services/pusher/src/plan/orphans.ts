import type { ClusterStanding } from "../desired/desired.ts";
import { groupKey, type Step } from "../firewall/firewall.ts";
import type { Known, KnownChild } from "./known.ts";
import { parkingKey, type Parking } from "./parking.ts";
import type { Held } from "./plan.ts";

export interface Orphans {
  /** Their definitions are gone for certain: they leave their parents, then the device. */
  readonly doomed: readonly KnownChild[];
  /** Reported, not touched. */
  readonly held: readonly Held[];
  /** Those of `held` that nothing desires (the others wait for their cluster). */
  readonly count: number;
}

/**
 * Children with our mark that no source claims. Only one whose cluster is verified and does not define its group any
 * more is deleted; everything else could be a mistake in a configuration, and emptying it would cut off live workloads.
 *
 * @param claimed child's key → the parent that its source wants it in
 */
export function findOrphans(
  known: Known,
  claimed: ReadonlyMap<string, string>,
  clusters: ReadonlyMap<string, ClusterStanding>,
  addOnly: boolean,
): Orphans {
  const doomed: KnownChild[] = [];
  const held: Held[] = [];
  let count = 0;
  for (const child of known.children.values()) {
    if (child.standing !== "ours") continue;
    const parent = claimed.get(child.key);
    if (parent !== undefined) {
      held.push(...misplaced(known, child, parent));
      continue;
    }
    const { reason, release } = whyKept(child, clusters, addOnly);
    if (reason === undefined) {
      doomed.push(child);
      continue;
    }
    if (release !== WAIT) count += 1;
    held.push({
      cluster: child.origin?.cluster,
      group: child.origin?.group,
      what: child.name,
      reason,
      release,
    });
  }
  return { doomed, held, count };
}

const WAIT = "the cluster is verified";

function whyKept(
  { origin }: KnownChild,
  clusters: ReadonlyMap<string, ClusterStanding>,
  addOnly: boolean,
): { reason: string | undefined; release: string } {
  if (origin === undefined)
    return { reason: "its comment does not tell what it was made for", release: "delete it on the firewall" };
  const { cluster, group } = origin;
  const standing = clusters.get(cluster);
  if (standing === undefined)
    return {
      reason: `cluster ${cluster} is not configured`,
      release: "configure the cluster, or delete the group on the firewall",
    };
  const definition = standing.definition(group);
  if (definition === "unknown")
    return {
      reason: `cluster ${cluster} is not verified: ${group} may still be defined there`,
      release: WAIT,
    };
  if (definition === "yes")
    return {
      reason: `no route leads ${group} of cluster ${cluster} here any more, or it has another name`,
      release: "restore the route, or delete the group on the firewall",
    };
  if (addOnly)
    return {
      reason: "its definition is gone, but this target only adds",
      release: 'set its "removals" to "sync"',
    };
  return { reason: undefined, release: "" };
}

function misplaced(known: Known, { key, name, origin, family }: KnownChild, parent: string): Held[] {
  return [...known.holders(key)]
    .filter((holder) => holder !== groupKey(family, parent))
    .map((holder) => ({
      cluster: origin?.cluster,
      group: origin?.group,
      what: name,
      reason: `it is a member of ${known.parents.get(holder)?.name ?? holder} too, where no route leads any more`,
      release: "restore the route, or take it out of that group on the firewall",
    }));
}

/** Out of the parents that hold it: from then on no policy sees it. */
export function detachStep(
  { doomed }: Orphans,
  known: Known,
  parking: Parking,
  now: number,
): Step | undefined {
  for (const { key, name, family, origin } of doomed) {
    for (const holder of known.holders(key)) {
      const parent = known.parents.get(holder);
      if (parent === undefined || parking.reason(parkingKey.detach(key, holder), now) !== undefined) continue;
      const reason = `${origin?.group} is not defined in cluster ${origin?.cluster} any more`;
      return { kind: "detach-child", parent: parent.name, family, child: name, reason };
    }
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
  for (const { key, name, family, origin, members } of doomed) {
    const reason = `${origin?.group} is not defined in cluster ${origin?.cluster} any more`;
    const isUsed = parking.reason(parkingKey.deleteChild(key), now) !== undefined;
    if (known.holders(key).size === 0 && !isUsed)
      return { kind: "delete-child", child: name, family, reason };
    const isStuck =
      isUsed ||
      [...known.holders(key)].every(
        (holder) => parking.reason(parkingKey.detach(key, holder), now) !== undefined,
      );
    if (!isStuck || members.size === 0 || parking.reason(parkingKey.child(key), now) !== undefined) continue;
    const removed = [...members];
    return {
      kind: "put-child",
      child: name,
      family,
      members: [],
      added: [],
      removed,
      reason: `${reason}, but the group is in use`,
    };
  }
  return undefined;
}
