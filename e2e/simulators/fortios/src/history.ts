import { textIn } from "./field.ts";
import { memberNames } from "./rules.ts";
import type { RowChange, Vdom } from "./vdom.ts";
import { addressesOf, type Family, FAMILIES } from "./resolve.ts";

/** One change of a group's members or of an address' value, in the order in which they took effect. */
export interface HistoryEntry {
  readonly seq: number;
  /** Milliseconds since 1970 at which it took effect. */
  readonly at: number;
  /** Id of the request in the log; 0 = an administrator at the console. */
  readonly request: number;
  readonly vdom: string;
  readonly family: Family;
  readonly kind: "group" | "address";
  readonly name: string;
  /** What it was called before, if it was renamed. */
  readonly renamedFrom?: string;
  readonly op: "create" | "update" | "delete";
  /** Group: names that came and went. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Group: how many members it has now. */
  readonly members: number;
  /** Address: the addresses it stands for, before and now. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** A group's resolved addresses from `at` on. */
export interface Membership {
  readonly at: number;
  readonly request: number;
  readonly members: readonly string[];
}

/** @returns undefined where the change concerns neither members nor addresses */
export function historyEntry(
  change: RowChange,
  seq: number,
  at: number,
  request: number,
): HistoryEntry | undefined {
  const family: Family = change.table.endsWith("6") ? "ipv6" : "ipv4";
  const { group, address } = FAMILIES[family];
  if (change.table !== group && change.table !== address) return undefined;
  const { before, after } = change;
  const op = before === undefined ? "create" : after === undefined ? "delete" : "update";
  const name = textIn(after ?? before ?? {}, "name");
  const renamed =
    before !== undefined && before["name"] !== name ? { renamedFrom: textIn(before, "name") } : {};
  const common = { seq, at, request, vdom: change.vdom, family, name, op, ...renamed } as const;
  if (change.table === address) {
    const was = addressesOf(before, family);
    const is = addressesOf(after, family);
    return { ...common, kind: "address", added: [], removed: [], members: 0, before: was, after: is };
  }
  const was = new Set(before === undefined ? [] : memberNames(before));
  const is = new Set(after === undefined ? [] : memberNames(after));
  return {
    ...common,
    kind: "group",
    added: [...is].filter((member) => !was.has(member)),
    removed: [...was].filter((member) => !is.has(member)),
    members: is.size,
    before: [],
    after: [],
  };
}

/** Objects as they were when the history began, played forward. */
export class Replay {
  readonly #groups = new Map<string, Set<string>>();
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(start: Vdom | undefined, family: Family) {
    if (start === undefined) return;
    const { group, address } = FAMILIES[family];
    for (const { row } of start.rows(group).entries())
      this.#groups.set(textIn(row, "name"), new Set(memberNames(row)));
    for (const { row } of start.rows(address).entries())
      this.#addresses.set(textIn(row, "name"), addressesOf(row, family));
  }

  apply(entry: HistoryEntry): void {
    if (entry.kind === "address") {
      if (entry.renamedFrom !== undefined) this.#addresses.delete(entry.renamedFrom);
      if (entry.op === "delete") this.#addresses.delete(entry.name);
      else this.#addresses.set(entry.name, entry.after);
      return;
    }
    const members = this.#groups.get(entry.renamedFrom ?? entry.name) ?? new Set<string>();
    if (entry.renamedFrom !== undefined) this.#groups.delete(entry.renamedFrom);
    for (const name of entry.removed) members.delete(name);
    for (const name of entry.added) members.add(name);
    if (entry.op === "delete") this.#groups.delete(entry.name);
    else this.#groups.set(entry.name, members);
  }

  /** Sorted; `undefined` while there is no such group. */
  resolve(group: string): string[] | undefined {
    if (!this.#groups.has(group)) return undefined;
    const found = new Set<string>();
    const seen = new Set<string>();
    const walk = (name: string): void => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const address of this.#addresses.get(name) ?? []) found.add(address);
      for (const member of this.#groups.get(name) ?? []) walk(member);
    };
    walk(group);
    return [...found].toSorted();
  }
}

/** Every state a group's resolved addresses were in. The first is that of the beginning (`at` 0). */
export function memberships(
  start: Vdom | undefined,
  history: readonly HistoryEntry[],
  vdom: string,
  group: string,
  family: Family,
): Membership[] {
  const replay = new Replay(start, family);
  const states: Membership[] = [{ at: 0, request: 0, members: replay.resolve(group) ?? [] }];
  let last = states[0]?.members.join(" ") ?? "";
  for (const entry of history) {
    if (entry.vdom !== vdom || entry.family !== family) continue;
    replay.apply(entry);
    const members = replay.resolve(group) ?? [];
    const text = members.join(" ");
    if (text === last) continue;
    last = text;
    states.push({ at: entry.at, request: entry.request, members });
  }
  return states;
}
