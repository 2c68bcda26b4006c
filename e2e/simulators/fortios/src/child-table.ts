import { defaultOf, present, type Field, type Row, type TableField, textIn } from "./field.ts";
import { parseRow, parseValue, sortRows } from "./field-value.ts";
import { cliRefusal, DUPLICATE_ROW, NOT_FOUND, Refusal } from "./refusal.ts";
import { emptyAllowed, type World } from "./rules.ts";
import type { Table } from "./table.ts";
import type { Vdom } from "./vdom.ts";
import { existing, store, type Body, type Written } from "./write.ts";

/** Steps below an object: `["member", "a"]`, `["tagging", "x", "tags"]`. */
export type ChildPath = readonly string[];

/** @throws Refusal 404 where there is no such child table or row; 400 where the path names no table */
export function readChild(
  world: World,
  vdom: Vdom,
  table: Table,
  key: string,
  path: ChildPath,
): { readonly field: TableField; readonly rows: readonly Row[] } {
  let fields = table.fields;
  childField(world, fields, path[0]);
  let row: Row = existing(vdom, table, key);
  for (let at = 0; ; at += 2) {
    const field = childField(world, fields, path[at]);
    const rows = rowsOf(row, field);
    const child = path[at + 1];
    if (child === undefined) return { field, rows };
    const found = rows.find((item) => textIn(item, field.mkey) === child);
    if (found === undefined) throw new Refusal(404);
    if (path.length === at + 2) return { field, rows: [found] };
    row = found;
    fields = field.fields;
  }
}

/** POST, PUT or DELETE below an object. */
export function writeChild(
  world: World,
  vdom: Vdom,
  table: Table,
  key: string,
  path: ChildPath,
  verb: "POST" | "PUT" | "DELETE",
  body: Body,
): Written & { childMkey: string } {
  // A slash in a name that was not encoded ends here: there is no such child table.
  childField(world, table.fields, path[0]);
  const before = existing(vdom, table, key);
  const edit = { world, verb, body, mkey: path.at(-1) ?? "", sameAs: false };
  const row = edited(edit, table.fields, before, path);
  if (edit.sameAs) return { mkey: key, changed: false, childMkey: edit.mkey };
  const relaxed = relaxedWorld(world, verb);
  const written = store(relaxed, vdom, table, key, before, row);
  return { ...written, childMkey: edit.mkey };
}

/** The removal of a last member has a switch of its own. */
function relaxedWorld(world: World, verb: string): World {
  const allowed = verb === "DELETE" && world.switches.lastMember === "allowed" && !emptyAllowed(world);
  return allowed ? { ...world, switches: { ...world.switches, emptyGroup: "allowed" } } : world;
}

interface Edit {
  readonly world: World;
  readonly verb: "POST" | "PUT" | "DELETE";
  readonly body: Body;
  mkey: string;
  sameAs: boolean;
}

function edited(edit: Edit, fields: readonly Field[], row: Row, path: ChildPath): Row {
  const [name, child, ...deeper] = path;
  const field = childField(edit.world, fields, name);
  const rows = rowsOf(row, field);
  if (child === undefined) return { ...row, [field.name]: wholeTable(edit, field, rows) };
  const found = rows.find((item) => textIn(item, field.mkey) === child);
  if (deeper.length > 0) {
    if (found === undefined) throw new Refusal(404);
    const next = edited(edit, field.fields, found, deeper);
    return { ...row, [field.name]: rows.map((item) => (item === found ? next : item)) };
  }
  return { ...row, [field.name]: oneRow(edit, field, rows, found, child) };
}

/** POST appends a row; DELETE purges the child table; PUT has nothing to name. */
function wholeTable(edit: Edit, field: TableField, rows: readonly Row[]): Row[] {
  if (edit.verb === "DELETE") return [];
  if (edit.verb === "PUT") throw new Refusal(405);
  const added = parseRow(field, edit.body, edit.world.profile);
  const key = textIn(added, field.mkey);
  edit.mkey = key;
  if (rows.some((item) => textIn(item, field.mkey) === key)) {
    const { childDuplicate } = edit.world.switches;
    if (childDuplicate !== "success") throw cliRefusal(childDuplicate, `duplicate entry '${key}'`);
    edit.sameAs = true;
    return [...rows];
  }
  return sortRows(field, [...rows, added]);
}

function oneRow(
  edit: Edit,
  field: TableField,
  rows: readonly Row[],
  found: Row | undefined,
  key: string,
): Row[] {
  // POST names the row in its body, never in the URL.
  if (edit.verb === "POST") throw new Refusal(404);
  // A list of names has nothing in its rows that could be edited.
  if (edit.verb === "PUT" && field.memberTable) throw new Refusal(405);
  if (found === undefined) return missingRow(edit, rows, key);
  if (edit.verb === "DELETE") return rows.filter((item) => item !== found);
  const next = { ...found };
  for (const inner of field.fields) {
    const value = edit.body[inner.name];
    if (value !== undefined) next[inner.name] = parseValue(inner, value, edit.world.profile);
    else next[inner.name] ??= defaultOf(inner);
  }
  const renamed = textIn(next, field.mkey);
  if (renamed !== key && rows.some((item) => textIn(item, field.mkey) === renamed)) {
    throw cliRefusal(DUPLICATE_ROW, `duplicate entry '${renamed}'`);
  }
  return rows.map((item) => (item === found ? next : item));
}

function missingRow(edit: Edit, rows: readonly Row[], key: string): Row[] {
  const { childMissing } = edit.world.switches;
  if (edit.verb === "DELETE" && childMissing !== 404) {
    if (childMissing === -3) throw cliRefusal(NOT_FOUND, `entry '${key}' not found`);
    edit.sameAs = true;
    return [...rows];
  }
  throw new Refusal(404);
}

function childField(world: World, fields: readonly Field[], name: string | undefined): TableField {
  const field = fields.find((item) => item.name === name);
  if (field === undefined || field.kind !== "table" || !present(field, world.profile)) throw new Refusal(400);
  return field;
}

function rowsOf(row: Row, field: TableField): readonly Row[] {
  const value = row[field.name];
  return Array.isArray(value) ? (value as readonly Row[]) : [];
}
