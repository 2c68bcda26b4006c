import type { Field, Row } from "./field.ts";
import type { Table } from "./table.ts";

/** `firewall.address` + name, as one key. */
export const nodeKey = (table: string, key: string): string => `${table}\u0000${key}`;

/** A name that a row holds, and the tables it may be in. */
export interface Mention {
  readonly value: string;
  readonly datasource: readonly string[];
}

/** Every name in a row that must be the name of another object. */
export function mentions(fields: readonly Field[], row: Row): Mention[] {
  const found: Mention[] = [];
  for (const field of fields) {
    const value = row[field.name];
    if (field.kind === "table" && Array.isArray(value)) {
      for (const child of value) found.push(...mentions(field.fields, child));
    } else if (
      field.kind === "string" &&
      field.datasource !== undefined &&
      typeof value === "string" &&
      value !== ""
    ) {
      found.push({ value, datasource: field.datasource });
    }
  }
  return found;
}

/** Who uses what, in one VDOM. */
export class References {
  readonly #users: Map<string, Set<string>>;

  constructor(users = new Map<string, Set<string>>()) {
    this.#users = users;
  }

  /** How many objects use it. */
  count(node: string): number {
    return this.#users.get(node)?.size ?? 0;
  }

  /** The node keys of the objects that use it. */
  usersOf(node: string): readonly string[] {
    return [...(this.#users.get(node) ?? [])];
  }

  /** `user` stops using `before` and uses `after` (node keys). */
  replace(user: string, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
    for (const node of before) {
      if (after.has(node)) continue;
      const users = this.#users.get(node);
      users?.delete(user);
      if (users?.size === 0) this.#users.delete(node);
    }
    for (const node of after) {
      if (before.has(node)) continue;
      const users = this.#users.get(node);
      if (users === undefined) this.#users.set(node, new Set([user]));
      else users.add(user);
    }
  }

  copy(): References {
    return new References(new Map([...this.#users].map(([node, users]) => [node, new Set(users)])));
  }
}

/** Names a row of this table may hold anywhere. */
export function hasDatasource(table: Table): boolean {
  const within = (fields: readonly Field[]): boolean =>
    fields.some((field) =>
      field.kind === "table"
        ? within(field.fields)
        : field.kind === "string" && field.datasource !== undefined,
    );
  return within(table.fields);
}
