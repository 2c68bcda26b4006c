import type { RemoveCause } from "@podgate/shared/contract/event";
import type { Change } from "../membership/change.ts";
import { TOMBSTONE_SECONDS } from "../membership/events.ts";
import type { Member, Present } from "./difference.ts";
import { memberKey } from "./table.ts";

/** The best that can be said of a member that the stream knows and the cluster lacks. */
export function causeOfAbsence(member: Member, groups: ReadonlySet<string>, present: Present): RemoveCause {
  return groups.has(member.group) ? causeInLists(member, present) : "undefined";
}

/**
 * Members of which nothing is known but that a list lacked them. Firewalls hold on to them while the list is short, and
 * let them go when it has its old size again; what that one shows of them has to be told before. A pod that is back, runs
 * and is no member was taken out by an edit; an address that another pod has is free at once.
 */
export class Vanished {
  readonly #members = new Map<string, { readonly member: Member; readonly at: number }>();

  /** A change on its way, or a row of the stream. @param now milliseconds of the monotonic clock */
  note(told: Member & Pick<Change, "op"> & { readonly cause?: RemoveCause }, now: number): void {
    const { op, cause, group, address, owners, ownerCount, resourceVersion } = told;
    const key = memberKey(group, address);
    if (op !== "remove" || cause !== "vanished") this.#members.delete(key);
    else this.#members.set(key, { member: { group, address, owners, ownerCount, resourceVersion }, at: now });
  }

  /** What the lists show by now, of each once; and why it would be no member without what was told. */
  *explained(present: Present, now: number): Generator<Change> {
    if (this.#members.size === 0) return;
    const groups = new Set(present.groups());
    for (const [key, { member, at }] of this.#members) {
      const { group, address, owners } = member;
      const isMember = present.member(group, address) !== undefined;
      const seen = causeInLists(member, present);
      if (isMember || seen !== "vanished" || now - at > TOMBSTONE_SECONDS * 1000) this.#members.delete(key);
      if (isMember || seen === "vanished") continue;
      const cause = seen === "unselected" && !groups.has(group) ? "undefined" : seen;
      present.recall(group, address, owners, cause);
      yield { op: "remove", ...member, cause, again: true };
    }
  }
}

function causeInLists({ group, address, owners, ownerCount }: Member, present: Present): RemoveCause {
  const ends = new Set(owners.map((owner) => present.endOf(group, owner, address)));
  if (ends.has(undefined)) return "unselected";
  const known = new Set(owners.map(({ uid }) => uid));
  if (present.holders(address).some((uid) => !known.has(uid))) return "reused";
  // The end of some owners is seen in the list, that of others only by their absence.
  const isWhole = owners.length > 0 && owners.length === ownerCount;
  return isWhole && !ends.has("vanished") ? "changed" : "vanished";
}
