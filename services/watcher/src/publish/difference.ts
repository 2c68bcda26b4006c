import type { Event, Owner, RemoveCause } from "@podgate/shared/contract/event";
import type { Change } from "../membership/change.ts";

export interface Member {
  readonly group: string;
  readonly address: string;
  readonly owners: readonly Owner[];
  readonly ownerCount: number;
  readonly resourceVersion: string;
}

/** One row of the stream as it was read back. */
export type Stored = Pick<Event, "op" | "group" | "address" | "owners" | "ownerCount" | "resourceVersion"> & {
  /** Its body could not be read: whatever the cluster holds, it must be written again. */
  readonly unreadable?: true;
};

/** What the cluster holds now, as far as the causes of removals need it. */
export interface Present {
  members(): Iterable<Member>;
  groups(): readonly string[];
  /** An owner of this kind and uid is still listed, whether or not it counts. */
  lists(owner: Owner): boolean;
  /** The uids of listed pods and nodes that hold the address now. */
  holders(address: string): readonly string[];
}

/**
 * What must be published so that a stream that was read back says what the cluster holds now: removes first, so
 * that an address that moved leaves its old group before it joins the new one.
 */
export function difference(stored: ReadonlyMap<string, Stored>, present: Present): Change[] {
  const removes: Change[] = [];
  const adds: Change[] = [];
  const kept = new Set<string>();
  for (const member of present.members()) {
    const key = memberKey(member.group, member.address);
    const event = stored.get(key);
    if (event?.op === "add") {
      kept.add(key);
      if (sameOwners(event, member)) continue;
    }
    adds.push({ ...member, op: "add" });
  }
  const groups = new Set(present.groups());
  for (const [key, event] of stored) {
    if (event.op !== "add" || kept.has(key)) continue;
    const { group, address, owners, ownerCount, resourceVersion } = event;
    const cause = causeOfAbsence(event, groups, present);
    removes.push({ op: "remove", group, address, owners, ownerCount, resourceVersion, cause });
  }
  return [...removes, ...adds];
}

export const memberKey = (group: string, address: string): string => `${group} ${address}`;

function sameOwners(event: Stored, member: Member): boolean {
  if (event.unreadable) return false;
  const uids = new Set(event.owners.map(({ uid }) => uid));
  return event.ownerCount === member.ownerCount && member.owners.every(({ uid }) => uids.has(uid));
}

/** The best that can be said of a member that is in the stream and not in the cluster. */
function causeOfAbsence(event: Stored, groups: ReadonlySet<string>, present: Present): RemoveCause {
  if (!groups.has(event.group)) return "undefined";
  const holders = present.holders(event.address);
  const known = new Set(event.owners.map(({ uid }) => uid));
  if (holders.some((uid) => !known.has(uid))) return "reused";
  if (event.owners.some((owner) => present.lists(owner)))
    return holders.length > 0 ? "unselected" : "changed";
  return "vanished";
}
