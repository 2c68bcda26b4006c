import { versionNumber, type Profile } from "./profile.ts";
import type { LimitName } from "./limits.ts";

/** A value as it is stored and sent. */
export type Value = string | number | readonly Row[];
export type Row = Readonly<{ [field: string]: Value }>;

/** The text of a field that holds one; empty where it holds rows or is not there. */
export function textIn(row: Row, name = ""): string {
  const value = row[name];
  return value === undefined || typeof value === "object" ? "" : String(value);
}

interface Common {
  readonly name: string;
  readonly help: string;
  /** First and last release with the field, as `7.0.0`. */
  readonly since?: string;
  readonly until?: string;
  /** `true`, or the first release where it is no longer required. */
  readonly required?: boolean | string;
}

/** One attribute of a table. The kinds are FortiOS' own, as `action=schema` names them. */
export type Field =
  | (Common & { kind: "string"; size: number; default?: string; datasource?: readonly string[] })
  | (Common & { kind: "var-string"; size: number })
  | (Common & { kind: "option"; options: readonly Option[]; default: string })
  | (Common & { kind: "integer"; min: number; max: number; default: number })
  | (Common & { kind: "ipv4-classnet-any"; wildcard?: true })
  | (Common & { kind: "ipv4-address-any" })
  | (Common & { kind: "ipv6-network" })
  | (Common & { kind: "ipv6-address" })
  | (Common & { kind: "mac-address" })
  | (Common & { kind: "uuid" })
  | (Common & { kind: "password"; size: number })
  | TableField;

export interface TableField extends Common {
  readonly kind: "table";
  readonly mkey: string;
  readonly fields: readonly Field[];
  /** A pure list of names. */
  readonly memberTable: boolean;
  readonly limit?: LimitName;
}

export interface Option {
  readonly name: string;
  readonly since?: string;
  readonly until?: string;
}

/** `versions("a", "b")`, and `["c", "7.0.0"]` for one that came later. */
export function options(...items: readonly (string | readonly [string, string, string?])[]): Option[] {
  return items.map((item) => {
    if (typeof item === "string") return { name: item };
    const [name, since, until] = item;
    return until === undefined ? { name, since } : { name, since, until };
  });
}

export const TOGGLE = options("enable", "disable");

/** Whether the release has the field or option. */
export function present(item: { since?: string; until?: string }, profile: Profile): boolean {
  if (item.since !== undefined && profile.number < versionNumber(item.since)) return false;
  return item.until === undefined || profile.number <= versionNumber(item.until);
}

export function required(field: Field, profile: Profile): boolean {
  if (typeof field.required === "string") return profile.number < versionNumber(field.required);
  return field.required === true;
}

export function defaultOf(field: Field): Value {
  switch (field.kind) {
    case "string":
      return field.default ?? "";
    case "var-string":
    case "password":
      return "";
    case "option":
    case "integer":
      return field.default;
    case "ipv4-classnet-any":
      return "0.0.0.0 0.0.0.0";
    case "ipv4-address-any":
      return "0.0.0.0";
    case "ipv6-network":
      return "::/0";
    case "ipv6-address":
      return "::";
    case "mac-address":
      return "00:00:00:00:00:00";
    case "uuid":
      return "00000000-0000-0000-0000-000000000000";
    default:
      return [];
  }
}
