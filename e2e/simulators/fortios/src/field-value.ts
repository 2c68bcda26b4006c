import { present, type Field, type Row, type TableField, type Value, defaultOf, textIn } from "./field.ts";
import { formatIPv4, formatIPv6, lengthMask, maskLength, network6, parseIPv4, parseIPv6 } from "./ip.ts";
import type { Profile } from "./profile.ts";
import {
  BAD_IP,
  BAD_IP6,
  BAD_MASK,
  BAD_PREFIX6,
  cliRefusal,
  DUPLICATE_ROW,
  EMPTY,
  INVALID,
  OUT_OF_RANGE,
  TOO_LONG,
  XSS,
} from "./refusal.ts";

/** Characters that no name may hold (Fortinet's document 651640; terraform-provider-fortios; the monitor swagger). */
const FORBIDDEN = /[<>()#"']/;

const refuse = (code: number, value: unknown): never => {
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  throw cliRefusal(code, `value parse error before '${shown}'`);
};

function text(value: unknown): string {
  return typeof value === "string" ? value : refuse(INVALID, value);
}

/** `A.B.C.D M.M.M.M`, `A.B.C.D/M.M.M.M` or CIDR; read back as the first, host bits cleared. */
function subnet(value: string, wildcard: boolean): string {
  const [ip = "", mask, more] = value.trim().split(/[ /]+/);
  const address = parseIPv4(ip);
  if (address === null || more !== undefined) return refuse(BAD_IP, value);
  if (mask === undefined) return refuse(BAD_MASK, value);
  let bits = parseIPv4(mask);
  if (/^\d{1,2}$/.test(mask) && Number(mask) <= 32) bits = lengthMask(Number(mask));
  if (bits === null || (!wildcard && maskLength(bits) === null)) return refuse(BAD_MASK, value);
  return `${formatIPv4((address & bits) >>> 0)} ${formatIPv4(bits)}`;
}

function prefix6(value: string): string {
  const [ip = "", length = "", more] = value.trim().split("/");
  const address = parseIPv6(ip);
  if (address === null || more !== undefined) return refuse(BAD_IP6, value);
  if (!/^\d{1,3}$/.test(length) || Number(length) > 128) return refuse(BAD_PREFIX6, value);
  return `${formatIPv6(network6(address, Number(length)))}/${String(Number(length))}`;
}

function integer(field: Field & { kind: "integer" }, value: unknown): number {
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) return refuse(INVALID, value);
  // A default may lie outside the range: an object that was read can be written back.
  if (number === field.default) return number;
  return number < field.min || number > field.max ? refuse(OUT_OF_RANGE, value) : number;
}

function sized(value: string, size: number): string {
  return Buffer.byteLength(value) > size ? refuse(TOO_LONG, value) : value;
}

/** What a written value is stored as. @throws Refusal where the device would not take it */
export function parseValue(field: Field, value: unknown, profile: Profile): Value {
  switch (field.kind) {
    case "string": {
      const name = sized(text(value), field.size);
      return FORBIDDEN.test(name) ? refuse(XSS, value) : name;
    }
    case "var-string":
    case "password":
      return sized(text(value), field.size);
    case "option": {
      const name = text(value);
      const known = field.options.some((option) => option.name === name && present(option, profile));
      return known ? name : refuse(INVALID, value);
    }
    case "integer":
      return integer(field, value);
    case "ipv4-classnet-any":
      return subnet(text(value), field.wildcard === true);
    case "ipv4-address-any": {
      const address = parseIPv4(text(value).trim());
      return address === null ? refuse(BAD_IP, value) : formatIPv4(address);
    }
    case "ipv6-network":
      return prefix6(text(value));
    case "ipv6-address": {
      const address = parseIPv6(text(value).trim());
      return address === null ? refuse(BAD_IP6, value) : formatIPv6(address);
    }
    case "mac-address":
      return /^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(text(value))
        ? text(value).toLowerCase()
        : refuse(INVALID, value);
    case "uuid":
      return /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(text(value))
        ? text(value).toLowerCase()
        : refuse(INVALID, value);
    default:
      return parseRows(field, value, profile);
  }
}

function parseRows(field: TableField, value: unknown, profile: Profile): Row[] {
  if (!Array.isArray(value)) return refuse(INVALID, value);
  const seen = new Set<string>();
  const rows: Row[] = [];
  for (const item of value as readonly unknown[]) {
    const row = parseRow(field, item, profile);
    const key = textIn(row, field.mkey);
    if (seen.has(key)) throw cliRefusal(DUPLICATE_ROW, `duplicate entry '${key}'`);
    seen.add(key);
    rows.push(row);
  }
  return sortRows(field, rows);
}

/** One row of a child table. `q_origin_key` and unknown keys are ignored. */
export function parseRow(field: TableField, item: unknown, profile: Profile): Row {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return refuse(INVALID, item);
  const given = item as Readonly<Record<string, unknown>>;
  const row: Record<string, Value> = {};
  for (const child of field.fields) {
    if (!present(child, profile)) continue;
    const value = given[child.name];
    row[child.name] = value === undefined ? defaultOf(child) : parseValue(child, value, profile);
  }
  if (row[field.mkey] === "") throw cliRefusal(EMPTY, `${field.name}.${field.mkey}`);
  return row;
}

/** Names are read back in another order than they were written (terraform-provider-fortios issue 343): ours by name. */
export function sortRows(field: TableField, rows: Row[]): Row[] {
  if (!field.memberTable) return rows;
  const key = (row: Row): string => textIn(row, field.mkey);
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
