import type { Change } from "../membership/change.ts";
import { memberKey, Table } from "./table.ts";

export interface Noticed {
  readonly change: Change;
  /** Milliseconds of the monotonic clock at which its cause was read from the API server. */
  readonly at: number;
}

/** Who owns an address is told at most this often while the address stays. */
const OWNERS_MS = 1000;

/**
 * Changes on their way to the bus. While the bus is away they gather here, at most one per member, so memory is
 * bounded by members, never by events: only the newest change of a member counts, and a member that came and
 * went unpublished leaves no trace. Order is that of the newest change, so removes that were reported before
 * adds are also published before them. An `add` of what the stream already holds only tells its owners: it waits
 * a second, and what comes meanwhile replaces it.
 */
export class Outbox {
  readonly #pending = new Map<string, Noticed>();
  /** In the order in which they are due. */
  readonly #owners = new Map<string, Noticed>();
  /** What the stream holds once everything taken is stored. */
  readonly #table: Table;

  constructor(table: Table = new Table()) {
    this.#table = table;
  }

  put(change: Change, at: number): void {
    const key = memberKey(change.group, change.address);
    const stored = this.#table.has(change.group, change.address);
    this.#pending.delete(key);
    if (change.op === "add" && stored) {
      // Set again, an entry keeps its place; so it must keep its time.
      this.#owners.set(key, { change, at: this.#owners.get(key)?.at ?? at });
      return;
    }
    this.#owners.delete(key);
    if (change.op === "add" || stored || change.again === true) this.#pending.set(key, { change, at });
  }

  /** The oldest change that is due, for publishing now: from here on `members` and `digest` count it. */
  take(now: number): Noticed | undefined {
    const noticed = shift(this.#pending) ?? (this.#ownersDue() <= now ? shift(this.#owners) : undefined);
    if (noticed === undefined) return undefined;
    const { op, group, address } = noticed.change;
    if (op === "add") this.#table.add(group, address);
    else this.#table.remove(group, address);
    return noticed;
  }

  /** Members whose change waits for the bus; changes of owners do not count. */
  get size(): number {
    return this.#pending.size;
  }

  /** When `take` next has something that it does not have now, on the monotonic clock. */
  nextDeadline(): number {
    return this.#ownersDue();
  }

  /** For the next state message: what the stream holds at exactly that place. */
  get members(): number {
    return this.#table.members;
  }

  get digest(): string {
    return this.#table.digest;
  }

  #ownersDue(): number {
    for (const { at } of this.#owners.values()) return at + OWNERS_MS;
    return Number.POSITIVE_INFINITY;
  }
}

function shift(map: Map<string, Noticed>): Noticed | undefined {
  for (const [key, noticed] of map) {
    map.delete(key);
    return noticed;
  }
  return undefined;
}
