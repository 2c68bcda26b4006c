import { defaultOf, present, type Row, textIn } from "./field.ts";
import { mentions, nodeKey, References } from "./references.ts";
import { digestOf, Rows, type Entry } from "./rows.ts";
import { tableId, type Table } from "./table.ts";
import { ROW_TABLES, tableOf } from "./tables/registry.ts";
import type { Profile } from "./profile.ts";

/** One row made, changed (also renamed) or removed. */
export interface RowChange {
  readonly vdom: string;
  /** `firewall.addrgrp` */
  readonly table: string;
  readonly before?: Row;
  readonly after?: Row;
}

/** The configuration of one virtual domain: rows, and who uses whom. Holds no rule of its own. */
export class Vdom {
  readonly name: string;
  readonly #tables: Map<string, Rows>;
  readonly #references: References;
  readonly #changed: (change: RowChange) => void;

  constructor(
    name: string,
    changed: (change: RowChange) => void,
    tables = new Map<string, Rows>(),
    references = new References(),
  ) {
    this.name = name;
    this.#changed = changed;
    this.#tables = tables;
    this.#references = references;
    for (const table of ROW_TABLES) {
      if (!tables.has(tableId(table))) tables.set(tableId(table), new Rows());
    }
  }

  rows(id: string): Rows {
    const rows = this.#tables.get(id);
    if (rows === undefined) throw new Error(`table ${id} holds no rows`);
    return rows;
  }

  /** The digest of every table together. */
  get digest(): bigint {
    return [...this.#tables.values()].reduce((sum, rows) => (sum + rows.digest) % (1n << 128n), 0n);
  }

  /** Which of the tables has an object of that name. */
  locate(name: string, datasource: readonly string[]): string | undefined {
    return datasource.find((id) => this.rows(id).has(name));
  }

  /** How many objects use this one. */
  used(id: string, key: string): number {
    return this.#references.count(nodeKey(id, key));
  }

  /** Table id and key of each object that uses this one. */
  usersOf(id: string, key: string): { table: string; key: string }[] {
    return this.#references.usersOf(nodeKey(id, key)).map((node) => {
      const [table = "", user = ""] = node.split("\u0000");
      return { table, key: user };
    });
  }

  /** Stores a row that was found good. `key` is the present one, absent for a new row. */
  put(
    table: Table,
    key: string | undefined,
    row: Row,
    marks: { fixed?: boolean; predefined?: boolean } = {},
  ): void {
    const id = tableId(table);
    const rows = this.rows(id);
    const before = key === undefined ? undefined : rows.get(key);
    const entry: Entry = {
      row,
      fixed: marks.fixed ?? before?.fixed ?? false,
      predefined: marks.predefined ?? before?.predefined ?? false,
      digest: digestOf(row),
    };
    const next = textIn(row, table.mkey);
    if (key !== undefined && key !== next) {
      this.#retarget(id, key, next, () => rows.rename(key, next, entry));
    } else {
      rows.set(next, entry);
    }
    this.#references.replace(nodeKey(id, next), this.#targets(table, before?.row), this.#targets(table, row));
    this.#changed({
      vdom: this.name,
      table: id,
      after: row,
      ...(before === undefined ? {} : { before: before.row }),
    });
  }

  remove(table: Table, key: string): void {
    const id = tableId(table);
    const before = this.rows(id).get(key);
    if (before === undefined) return;
    this.#references.replace(nodeKey(id, key), this.#targets(table, before.row), new Set());
    this.rows(id).delete(key);
    this.#changed({ vdom: this.name, table: id, before: before.row });
  }

  copy(changed: (change: RowChange) => void): Vdom {
    const tables = new Map([...this.#tables].map(([id, rows]) => [id, rows.copy()]));
    return new Vdom(this.name, changed, tables, this.#references.copy());
  }

  #targets(table: Table, row: Row | undefined): Set<string> {
    if (row === undefined) return new Set();
    const found = new Set<string>();
    for (const { value, datasource } of mentions(table.fields, row)) {
      const id = this.locate(value, datasource);
      if (id !== undefined) found.add(nodeKey(id, value));
    }
    return found;
  }

  /** A renamed object keeps its users: their rows take the new name (as in the CLI; unsure for REST). */
  #retarget(id: string, from: string, to: string, rename: () => void): void {
    const users = this.usersOf(id, from);
    const own = tableOf(id);
    const node = nodeKey(id, from);
    const targets = own === undefined ? new Set<string>() : this.#targets(own, this.rows(id).get(from)?.row);
    this.#references.replace(node, targets, new Set());
    for (const user of users) {
      this.#references.replace(nodeKey(user.table, user.key), new Set([node]), new Set([nodeKey(id, to)]));
    }
    this.#references.replace(nodeKey(id, to), new Set(), targets);
    rename();
    for (const user of users) {
      const table = tableOf(user.table);
      const entry = this.rows(user.table).get(user.key);
      if (table === undefined || entry === undefined) continue;
      const row = renameWithin(table.fields, entry.row, id, from, to);
      this.rows(user.table).set(user.key, { ...entry, row, digest: digestOf(row) });
      this.#changed({ vdom: this.name, table: user.table, before: entry.row, after: row });
    }
  }
}

function renameWithin(fields: Table["fields"], row: Row, id: string, from: string, to: string): Row {
  const next: Record<string, Row[string]> = { ...row };
  for (const field of fields) {
    const value = row[field.name];
    if (field.kind === "table" && Array.isArray(value)) {
      next[field.name] = value.map((child) => renameWithin(field.fields, child, id, from, to));
    } else if (field.kind === "string" && value === from && field.datasource?.includes(id) === true) {
      next[field.name] = to;
    }
  }
  return next;
}

/** A row with every field of the release at its default. */
export function blankRow(table: Table, profile: Profile): Record<string, Row[string]> {
  const row: Record<string, Row[string]> = {};
  for (const field of table.fields) if (present(field, profile)) row[field.name] = defaultOf(field);
  return row;
}
