import type { Configuration } from "./configuration.ts";
import { textIn } from "./field.ts";
import { historyEntry, memberships, type HistoryEntry, type Membership } from "./history.ts";
import type { Family } from "./resolve.ts";
import type { RowChange } from "./vdom.ts";

/** What happened to groups and addresses, by which request and when; and when each object was made. */
export class Chronicle {
  #beginning: Configuration | undefined;
  #entries: HistoryEntry[] = [];
  #seq = 0;
  #request = 0;
  #now = 0;
  readonly #born = new Map<string, number>();

  /** What is recorded until `end` is this request's doing. */
  begin(request: number, now: number): void {
    this.#request = request;
    this.#now = now;
  }

  end(): void {
    this.#request = 0;
  }

  record(change: RowChange): void {
    if (change.before === undefined && change.after !== undefined) {
      const key = textIn(change.after, change.table === "firewall.policy" ? "policyid" : "name");
      this.#born.set(`${change.vdom}\u0000${change.table}\u0000${key}`, this.#now);
    }
    const entry = historyEntry(change, this.#seq + 1, this.#now, this.#request);
    if (entry === undefined) return;
    this.#seq += 1;
    this.#entries.push(entry);
  }

  /** When the object was made; long ago if that is not known. */
  bornAt(vdom: string, table: string, key: string): number {
    return this.#born.get(`${vdom}\u0000${table}\u0000${key}`) ?? Number.NEGATIVE_INFINITY;
  }

  entries(since = 0): HistoryEntry[] {
    return this.#entries.filter((entry) => entry.seq > since);
  }

  /** Every state a group's addresses, resolved through its groups, were in. */
  memberships(vdom: string, group: string, family: Family): Membership[] {
    return memberships(this.#beginning?.vdom(vdom), this.#entries, vdom, group, family);
  }

  /** Forgets what was; the present is the new beginning. */
  clear(present: Configuration): void {
    this.#beginning = present.copy(() => {});
    this.#entries = [];
  }
}
