import type { Json } from "./envelope.ts";
import { type Field, type Row, type Value, textIn } from "./field.ts";
import { matcher, order } from "./filter.ts";
import { Refusal } from "./refusal.ts";
import type { World } from "./rules.ts";
import { tableId, type Table } from "./table.ts";
import type { Vdom } from "./vdom.ts";

/** The fields of a row that are asked for, with `q_origin_key` in it and in the rows in it, as every read has it. */
export function shown(fields: readonly Field[], row: Row, mkey: string): { [key: string]: Json } {
  const result: { [key: string]: Json } = {};
  for (const field of fields) {
    const value = row[field.name];
    if (value === undefined) continue;
    result[field.name] = shownValue(field, value);
    if (field.name === mkey) result["q_origin_key"] = value as string | number;
  }
  const key = row[mkey];
  if (key !== undefined) result["q_origin_key"] ??= key as string | number;
  return result;
}

function shownValue(field: Field, value: Value): Json {
  if (typeof value !== "object") return field.kind === "password" && value !== "" ? "ENC XXXX" : value;
  if (field.kind !== "table") return [];
  return value.map((child) => shown(field.fields, child, field.mkey));
}

/** `with_meta=1` */
export function meta(vdom: Vdom, table: Table, key: string): { [key: string]: Json } {
  const fixed = vdom.rows(tableId(table)).get(key)?.fixed === true;
  return {
    q_ref: vdom.used(tableId(table), key),
    q_static: fixed,
    q_no_rename: fixed,
    q_global_entry: false,
    q_type: table.qType,
    q_path: table.path,
    q_name: table.name,
    q_mkey_type: table.mkeyType ?? "string",
    q_no_edit: fixed,
    q_class: "",
  };
}

export interface Listing {
  readonly rows: readonly { [key: string]: Json }[];
  readonly matched: number;
  readonly nextIndex: number;
}

/** Filter, sort, page, project, in this order (FNDN). */
export function list(world: World, vdom: Vdom, table: Table, query: URLSearchParams): Listing {
  const mkey = table.mkey ?? "";
  const all = vdom.rows(tableId(table)).entries();
  const match = matcher([...query.getAll("filter"), ...oldFilter(query)], world.switches);
  let found = all.map(({ row }, index) => ({ row, index })).filter(({ row }) => match(row));
  const matched = found.length;
  if (world.profile.sort) found = sorted(found, query.get("sort"));
  found = paged(found, query);
  const fields = projection(table, query.get("format"));
  const withMeta = flag(query, "with_meta");
  const rows = found.map(({ row }) => ({
    ...shown(fields, row, mkey),
    ...(withMeta ? meta(vdom, table, textIn(row, mkey)) : {}),
  }));
  return { rows, matched, nextIndex: found.at(-1)?.index ?? 0 };
}

export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value !== "false";
}

/** `key=` with `pattern=`, the older form. */
function oldFilter(query: URLSearchParams): string[] {
  const key = query.get("key");
  const pattern = query.get("pattern");
  return key === null || pattern === null ? [] : [`${key}==${pattern}`];
}

type Found = { row: Row; index: number };

function sorted(found: Found[], sort: string | null): Found[] {
  const [key, direction = "asc"] = (sort ?? "").split(",");
  if (key === undefined || key === "") return found;
  const sign = direction.startsWith("d") ? -1 : 1;
  return found.toSorted((a, b) => sign * order(textIn(a.row, key), textIn(b.row, key)));
}

/** Past the end is an error; a page that runs over the end, or asks for nothing, is everything from its start. */
function paged(found: Found[], query: URLSearchParams): Found[] {
  const start = Number(query.get("start") ?? 0);
  const count = Number(query.get("count") ?? 0);
  if (!Number.isInteger(start) || !Number.isInteger(count)) throw new Refusal(400);
  if (start < 0 || count < 0 || (start === 0 && count === 0)) return found;
  if (start > found.length || count > found.length) throw new Refusal(400);
  return count === 0 ? found.slice(start) : found.slice(start, start + count);
}

/** `format=name|member`; one unknown field makes it all fields. */
export function projection(table: Table, format: string | null): readonly Field[] {
  const wanted = (format ?? "").split("|").filter((name) => name !== "");
  const fields = wanted.map((name) => table.fields.find((field) => field.name === name));
  const known = fields.filter((field) => field !== undefined);
  return wanted.length === 0 || known.length < wanted.length ? table.fields : known;
}
