import type { Change } from "../membership/change.ts";
import { Table } from "./table.ts";

/**
 * Changes on their way to the bus. While the bus is away they gather here, at most one per member, so memory is
 * bounded by members, never by events: only the newest change of a member counts, and a member that came and
 * went unpublished leaves no trace. Order is that of the newest change, so removes that were reported before
 * adds are also published before them.
 */
export class Outbox {
  readonly #pending = new Map<string, Change>();
  /** What the stream holds once everything taken is stored. */
  readonly #table: Table;

  constructor(table: Table = new Table()) {
    this.#table = table;
  }

  put(change: Change): void {
    const key = `${change.group} ${change.address}`;
    this.#pending.delete(key);
    if (change.op === "remove" && !this.#table.has(change.group, change.address)) return;
    this.#pending.set(key, change);
  }

  /** The oldest change, for publishing now: from here on `members` and `digest` count it. */
  take(): Change | undefined {
    const [first] = this.#pending;
    if (first === undefined) return undefined;
    const [key, change] = first;
    this.#pending.delete(key);
    if (change.op === "add") this.#table.add(change.group, change.address);
    else this.#table.remove(change.group, change.address);
    return change;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** For the next state message: what the stream holds at exactly that place. */
  get members(): number {
    return this.#table.members;
  }

  get digest(): string {
    return this.#table.digest;
  }
}
