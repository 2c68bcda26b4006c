import { present, type Row, type Value, textIn } from "./field.ts";
import { parseValue } from "./field-value.ts";
import { cliRefusal, EMPTY, IN_USE, NOT_FOUND, PROTECTED, Refusal } from "./refusal.ts";
import { checkName, checkRoom, checkRow, type World } from "./rules.ts";
import { tableId, type Table } from "./table.ts";
import { blankRow, type Vdom } from "./vdom.ts";

export type Body = Readonly<Record<string, unknown>>;
/** `mkey` of what was written, and whether anything is different now. */
export interface Written {
  readonly mkey: string;
  readonly changed: boolean;
}

function merge(table: Table, world: World, row: Record<string, Value>, body: Body): void {
  for (const field of table.fields) {
    const value = body[field.name];
    // Unknown attributes are ignored (fixed choice); a field left out keeps its value.
    if (value === undefined || !present(field, world.profile)) continue;
    row[field.name] = parseValue(field, value, world.profile);
  }
}

function numbered(table: Table, vdom: Vdom, row: Record<string, Value>): void {
  const mkey = table.mkey ?? "";
  if (table.mkeyType === "integer" && row[mkey] === 0) {
    row[mkey] =
      1 +
      vdom
        .rows(tableId(table))
        .keys()
        .reduce((most, key) => Math.max(most, Number(key)), 0);
  }
}

/** POST. */
export function create(world: World, vdom: Vdom, table: Table, body: Body): Written {
  const row = blankRow(table, world.profile);
  merge(table, world, row, body);
  numbered(table, vdom, row);
  const key = textIn(row, table.mkey);
  if (key === "") throw cliRefusal(EMPTY, `${String(table.mkey)} must be set`);
  checkName(vdom, table, key);
  checkRoom(world, vdom, table);
  checkRow(world, vdom, table, undefined, row);
  if ("uuid" in row && body["uuid"] === undefined) row["uuid"] = world.nextUuid();
  vdom.put(table, undefined, row);
  return { mkey: key, changed: true };
}

/** POST with `action=clone`. */
export function clone(world: World, vdom: Vdom, table: Table, key: string, nkey: string): Written {
  const source = existing(vdom, table, key);
  const { uuid: _, ...rest } = source;
  return create(world, vdom, table, { ...rest, [table.mkey ?? ""]: nkey });
}

/** PUT: fields that are named are set, tables that are named are replaced whole, another key renames. */
export function update(world: World, vdom: Vdom, table: Table, key: string, body: Body): Written {
  const before = existing(vdom, table, key);
  const row: Record<string, Value> = { ...before };
  merge(table, world, row, body);
  return store(world, vdom, table, key, before, row);
}

/** DELETE. */
export function remove(vdom: Vdom, table: Table, key: string): Written {
  existing(vdom, table, key);
  const users = vdom.used(tableId(table), key);
  if (users > 0) throw cliRefusal(IN_USE, `The entry is used by other ${String(users)} entries`);
  if (vdom.rows(tableId(table)).get(key)?.fixed === true) throw cliRefusal(PROTECTED, `${key} is built in`);
  vdom.remove(table, key);
  return { mkey: key, changed: true };
}

/** DELETE on the collection: everything that is not used and not built in goes. */
export function purge(vdom: Vdom, table: Table): Written {
  const rows = vdom.rows(tableId(table));
  const before = rows.size;
  for (const key of rows.keys()) {
    if (vdom.used(tableId(table), key) === 0 && rows.get(key)?.fixed !== true) vdom.remove(table, key);
  }
  return { mkey: "", changed: rows.size !== before };
}

export function move(
  vdom: Vdom,
  table: Table,
  key: string,
  neighbor: string,
  where: "before" | "after",
): Written {
  existing(vdom, table, key);
  if (!vdom.rows(tableId(table)).has(neighbor)) throw cliRefusal(NOT_FOUND, `entry ${neighbor} not found`);
  if (key !== neighbor) vdom.rows(tableId(table)).move(key, neighbor, where);
  return { mkey: key, changed: key !== neighbor };
}

export function existing(vdom: Vdom, table: Table, key: string): Row {
  const entry = vdom.rows(tableId(table)).get(key);
  if (entry === undefined) throw new Refusal(404);
  return entry.row;
}

/** Puts a changed row back. */
export function store(world: World, vdom: Vdom, table: Table, key: string, before: Row, row: Row): Written {
  const next = textIn(row, table.mkey);
  const same = JSON.stringify(before) === JSON.stringify(row);
  if (same) return { mkey: key, changed: world.switches.identicalPut === "changed" };
  if (vdom.rows(tableId(table)).get(key)?.fixed === true) throw cliRefusal(PROTECTED, `${key} is built in`);
  if (next === "") throw cliRefusal(EMPTY, `${String(table.mkey)} must be set`);
  if (next !== key) checkName(vdom, table, next);
  checkRow(world, vdom, table, key, row);
  vdom.put(table, key, row);
  return { mkey: next, changed: true };
}
