import type { Family } from "@podgate/shared/contract/address";

export type Table = "address" | "address6" | "addrgrp" | "addrgrp6";
export type Query = readonly (readonly [string, string])[];

/** One call, without the VDOM. */
export interface WireRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** The path without names of objects, for metrics and messages: `cmdb/firewall/addrgrp/{name}`. */
  readonly template: string;
  readonly query: Query;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A name that can't be put into a URL. */
export class NameError extends Error {
  override name = "NameError";
}

export const addressTable = (family: Family): Table => (family === 4 ? "address" : "address6");
export const groupTable = (family: Family): Table => (family === 4 ? "addrgrp" : "addrgrp6");

const ROOT = "/api/v2/";

/**
 * An empty key would make DELETE purge the whole table, and `.` and `..` are folded away by URL parsers with the
 * same effect (FRR, "Purge table").
 */
function segment(name: string): string {
  if (name === "" || name === "." || name === "..") {
    throw new NameError(`"${name}" can't be the name of an object on a FortiGate`);
  }
  return encodeURIComponent(name);
}

export function list(table: Table, fields: readonly string[], query: Query = []): WireRequest {
  const template = `cmdb/firewall/${table}`;
  return { method: "GET", path: ROOT + template, template, query: [["format", fields.join("|")], ...query] };
}

/** Who uses an object. FortiOS keeps it for the GUI; any API user may ask. */
export function usage(table: Table, name: string): WireRequest {
  const template = "monitor/system/object/usage";
  const query: Query = [
    ["q_path", "firewall"],
    ["q_name", table],
    ["mkey", name],
    ["scope", "vdom"],
  ];
  return { method: "GET", path: ROOT + template, template, query };
}

export function schema(table: Table): WireRequest {
  const template = `cmdb/firewall/${table}`;
  return { method: "GET", path: ROOT + template, template, query: [["action", "schema"]] };
}

/** Any other resource, read. @param template `monitor/system/status` */
export function resource(template: string): WireRequest {
  return { method: "GET", path: ROOT + template, template, query: [] };
}

export function create(table: Table, body: Readonly<Record<string, unknown>>): WireRequest {
  const template = `cmdb/firewall/${table}`;
  return { method: "POST", path: ROOT + template, template, query: [], body };
}

export function one(
  method: "GET" | "PUT" | "DELETE",
  table: Table,
  name: string,
  body?: Readonly<Record<string, unknown>>,
): WireRequest {
  const path = `${ROOT}cmdb/firewall/${table}/${segment(name)}`;
  const template = `cmdb/firewall/${table}/{name}`;
  return { method, path, template, query: [], ...(body === undefined ? {} : { body }) };
}

/** Appends one row to a group's members. Commutes with whatever anybody else does to them. */
export function addMember(table: Table, group: string, member: string): WireRequest {
  const path = `${ROOT}cmdb/firewall/${table}/${segment(group)}/member`;
  const template = `cmdb/firewall/${table}/{name}/member`;
  return { method: "POST", path, template, query: [], body: { name: member } };
}

export function removeMember(table: Table, group: string, member: string): WireRequest {
  const path = `${ROOT}cmdb/firewall/${table}/${segment(group)}/member/${segment(member)}`;
  const template = `cmdb/firewall/${table}/{name}/member/{name}`;
  return { method: "DELETE", path, template, query: [] };
}

export const memberRows = (names: readonly string[]): { name: string }[] => names.map((name) => ({ name }));
