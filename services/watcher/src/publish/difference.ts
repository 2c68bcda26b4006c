import type { Event, Owner, RemoveCause } from "@podgate/shared/contract/event";
import type { Change } from "../membership/change.ts";
import { causeOfAbsence } from "./absence.ts";
import { memberKey, Table } from "./table.ts";

export interface Member {
  readonly group: string;
  readonly address: string;
  readonly owners: readonly Owner[];
  readonly ownerCount: number;
  readonly resourceVersion: string;
}

/** One row of the stream as it was read back. */
export type Stored = Pick<Event, "op" | "group" | "address" | "owners" | "ownerCount" | "resourceVersion"> & {
  /** Of a `remove`. */
  readonly cause?: RemoveCause;
  /** Its body could not be read: whatever the cluster holds, it must be written again. */
  readonly unreadable?: true;
};

/** What the cluster holds now, as far as the causes of removals need it. */
export interface Present {
  members(): Iterable<Member>;
  member(group: string, address: string): Member | undefined;
  groups(): readonly string[];
  /**
   * Why the group may not have the address of this owner any more, whatever it selects; `vanished` = nothing is known but
   * that it is not listed, or its node; undefined = the owner runs, and the address is its own or its node's.
   */
  endOf(group: string, owner: Owner, address: string): RemoveCause | undefined;
  /** The uids of listed pods and nodes that hold the address now. */
  holders(address: string): readonly string[];
  /** The stream says why it is no member: their end is to be told as well, if an edit took it out. */
  recall(group: string, address: string, owners: readonly Owner[], cause: RemoveCause): void;
  /** It is a member, and the stream names this owner. */
  miss(group: string, address: string, owner: Owner): void;
}

/**
 * What must be published so that a stream says what the cluster holds. Rows are compared as they are read, and only
 * those are kept that say something else than the cluster: a stream of 100,000 rows that need nothing costs no more
 * than its table. The cluster goes on changing meanwhile, which must be told by `note`, from the first row on.
 */
export class Difference {
  readonly #present: Present;
  readonly #table = new Table();
  readonly #unlike = new Map<string, Stored>();
  readonly #since = new Map<string, Change>();

  constructor(present: Present) {
    this.#present = present;
  }

  /** The members that the stream says there are, for readers. */
  get table(): Table {
    return this.#table;
  }

  take(row: Stored): void {
    const { op, group, address } = row;
    const key = memberKey(group, address);
    this.#unlike.delete(key);
    if (op === "remove") {
      this.#table.remove(group, address);
      if (row.cause !== undefined) this.#present.recall(group, address, row.owners, row.cause);
      return;
    }
    const member = this.#present.member(group, address);
    // The cluster's own text of the address, so that it is kept once.
    this.#table.add(group, member?.address ?? address);
    if (member !== undefined && sameOwners(row, member)) return;
    for (const owner of row.owners) this.#present.miss(group, address, owner);
    this.#unlike.set(key, row);
  }

  note(changes: readonly Change[]): void {
    for (const change of changes) this.#since.set(memberKey(change.group, change.address), change);
  }

  /**
   * To be published before the additions, so that an address that moved leaves its old group before it joins the new
   * one.
   * @param cause of every removal, where it is known
   */
  removals(cause?: RemoveCause): Change[] {
    const changes: Change[] = [];
    const groups = new Set(this.#present.groups());
    for (const { group, address } of this.#table.all())
      if (this.#present.member(group, address) === undefined)
        changes.push(this.#removal(group, address, groups, cause));
    for (const change of this.#since.values())
      if (change.op === "remove" && change.again && !this.#table.has(change.group, change.address))
        changes.push(change);
    // Readers could not read them either: for them they are no members yet.
    for (const { group, address, unreadable } of this.#unlike.values())
      if (unreadable && this.#present.member(group, address) !== undefined)
        this.#table.remove(group, address);
    return changes;
  }

  /** As many as the stream lacks; each is told as it stands when its turn comes, and what came otherwise is left out. */
  *additions(): Generator<Change> {
    for (const member of this.#present.members()) if (this.#isNews(member)) yield { ...member, op: "add" };
  }

  countAdditions(): number {
    let count = 0;
    for (const member of this.#present.members()) if (this.#isNews(member)) count += 1;
    return count;
  }

  #isNews(member: Member): boolean {
    const { group, address } = member;
    if (!this.#table.has(group, address)) return true;
    const key = memberKey(group, address);
    const row = this.#unlike.get(key);
    return row === undefined ? this.#since.has(key) : !sameOwners(row, member);
  }

  #removal(group: string, address: string, groups: ReadonlySet<string>, known?: RemoveCause): Change {
    const key = memberKey(group, address);
    const seen = this.#since.get(key);
    if (seen?.op === "remove") return seen;
    const row = this.#unlike.get(key);
    if (row === undefined) throw new Error(`${key} left the cluster and nobody said so`);
    const { owners, ownerCount, resourceVersion } = row;
    const cause = known ?? causeOfAbsence(row, groups, this.#present);
    this.#present.recall(group, address, owners, cause);
    return { op: "remove", group, address, owners, ownerCount, resourceVersion, cause };
  }
}

function sameOwners(event: Stored, member: Member): boolean {
  if (event.unreadable) return false;
  const uids = new Set(event.owners.map(({ uid }) => uid));
  return event.ownerCount === member.ownerCount && member.owners.every(({ uid }) => uids.has(uid));
}
