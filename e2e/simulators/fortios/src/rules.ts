import { required, type Row, textIn } from "./field.ts";
import type { Limits } from "./limits.ts";
import type { Profile } from "./profile.ts";
import { mentions } from "./references.ts";
import {
  cliRefusal,
  DUPLICATE,
  EMPTY,
  FULL,
  INVALID,
  missingReference,
  NAME_CLASH,
  Refusal,
} from "./refusal.ts";
import type { Switches } from "./switches.ts";
import { tableId, type Table } from "./table.ts";
import type { Vdom } from "./vdom.ts";

/** What the device is, as far as its rules depend on it. */
export interface World {
  readonly profile: Profile;
  readonly switches: Switches;
  readonly limits: Limits;
  /** Tables that are said to be full whatever their size (fault). */
  readonly full: ReadonlySet<string>;
  nextUuid(): string;
}

export function tableFull({ switches }: World): Refusal {
  const { code, cli } = cliRefusal(switches.tableFullCode, "maximum number of entries has been reached");
  return new Refusal(switches.tableFullStatus, code, cli);
}

/** May another row be put into the table? */
export function checkRoom(world: World, vdom: Vdom, table: Table): void {
  const limit = table.limit === undefined ? 0 : world.limits[table.limit];
  const { counted } = vdom.rows(tableId(table));
  if (world.full.has(tableId(table)) || (limit > 0 && counted >= limit)) throw tableFull(world);
}

/** Is the name free, in this table and in those that share names with it? */
export function checkName(vdom: Vdom, table: Table, key: string): void {
  if (vdom.rows(tableId(table)).has(key)) {
    throw cliRefusal(DUPLICATE, `object already exists: ${key}`);
  }
  for (const id of table.namesake ?? []) {
    if (vdom.rows(id).has(key)) throw cliRefusal(NAME_CLASH, `${key} is the name of another object`);
  }
}

export function emptyAllowed({ profile, switches }: World): boolean {
  return switches.emptyGroup === null ? profile.emptyGroup : switches.emptyGroup === "allowed";
}

/** Everything that must hold for a whole row before it is stored. `key` is its present key, if it has one. */
export function checkRow(world: World, vdom: Vdom, table: Table, key: string | undefined, row: Row): void {
  checkRequired(world, table, row);
  checkReferences(world, vdom, table, row);
  table.check?.(row, world.profile);
  if (isGroup(table)) checkGroup(world, vdom, table, key, row);
  if (tableId(table) === "firewall.policy") checkPolicy(world, vdom, row);
}

function checkRequired(world: World, table: Table, row: Row): void {
  for (const field of table.fields) {
    const value = row[field.name];
    if (field.kind !== "table" || !Array.isArray(value)) continue;
    const limit = field.limit === undefined ? 0 : world.limits[field.limit];
    if (limit > 0 && value.length > limit)
      throw cliRefusal(FULL, `${field.name}: more than ${String(limit)} entries`);
    const isMember = isGroup(table) && field.name === "member";
    const needed = isMember ? !emptyAllowed(world) : required(field, world.profile);
    if (needed && value.length === 0) throw cliRefusal(EMPTY, `${field.name} must be set`);
  }
}

function checkReferences(world: World, vdom: Vdom, table: Table, row: Row): void {
  for (const { value, datasource } of mentions(table.fields, row)) {
    if (vdom.locate(value, datasource) === undefined) {
      throw missingReference(world.switches.missingReference, value);
    }
  }
}

function isGroup(table: Table): boolean {
  return table.name === "addrgrp" || table.name === "addrgrp6";
}

export function memberNames(row: Row, field = "member"): string[] {
  const members = row[field];
  return Array.isArray(members) ? members.map((member: Row) => textIn(member, "name")) : [];
}

function checkGroup(world: World, vdom: Vdom, table: Table, key: string | undefined, row: Row): void {
  const { switches } = world;
  const names = memberNames(row);
  if (switches.placeholder === "refused" && names.includes("none"))
    throw cliRefusal(INVALID, "none as a member");
  const own = new Set([key ?? "", textIn(row, "name")]);
  const depth = depthOf(world, vdom, tableId(table), [...names, ...memberNames(row, "exclude-member")], own);
  const above = key === undefined ? 0 : heightAbove(vdom, tableId(table), key);
  if (switches.nestingDepth > 0 && depth + above > switches.nestingDepth) {
    throw cliRefusal(INVALID, "groups are nested too deep");
  }
  checkFolder(vdom, table, key, row, names);
  if (switches.emptyGroupInPolicy === "refused" && names.length === 0 && key !== undefined) {
    const users = vdom.usersOf(tableId(table), key);
    if (users.some((user) => user.table === "firewall.policy"))
      throw cliRefusal(EMPTY, "group is used in a policy");
  }
}

/** What is in a folder is in no other group (help text of the schema). */
function checkFolder(
  vdom: Vdom,
  table: Table,
  key: string | undefined,
  row: Row,
  names: readonly string[],
): void {
  const isAny =
    row["type"] === "folder" || vdom.rows(tableId(table)).some((group) => group["type"] === "folder");
  if (!isAny) return;
  const datasource = [...(table.namesake ?? []), tableId(table)];
  for (const name of names) {
    const id = vdom.locate(name, datasource);
    const others = id === undefined ? [] : vdom.usersOf(id, name);
    for (const other of others) {
      if (other.table !== tableId(table) || other.key === key) continue;
      const isFolder = vdom.rows(other.table).get(other.key)?.row["type"] === "folder";
      if (isFolder || row["type"] === "folder") throw cliRefusal(INVALID, `${name} is in group ${other.key}`);
    }
  }
}

/** Levels of groups below, this one counted. @throws Refusal on a loop */
function depthOf(
  world: World,
  vdom: Vdom,
  id: string,
  names: readonly string[],
  path: ReadonlySet<string>,
): number {
  let deepest = 1;
  for (const name of names) {
    if (path.has(name)) throw cliRefusal(world.switches.loopCode, `group ${name} would contain itself`);
    const group = vdom.rows(id).get(name);
    if (group === undefined) continue;
    const below = [...memberNames(group.row), ...memberNames(group.row, "exclude-member")];
    deepest = Math.max(deepest, 1 + depthOf(world, vdom, id, below, new Set([...path, name])));
  }
  return deepest;
}

/** Levels of groups above. */
function heightAbove(vdom: Vdom, id: string, key: string): number {
  const above = vdom.usersOf(id, key).filter((user) => user.table === id);
  return above.reduce((most, user) => Math.max(most, 1 + heightAbove(vdom, id, user.key)), 0);
}

function checkPolicy(world: World, vdom: Vdom, row: Row): void {
  if (world.switches.emptyGroupInPolicy === "allowed") return;
  const sides = [
    ["srcaddr", "firewall.addrgrp"],
    ["dstaddr", "firewall.addrgrp"],
    ["srcaddr6", "firewall.addrgrp6"],
    ["dstaddr6", "firewall.addrgrp6"],
  ] as const;
  for (const [field, id] of sides) {
    for (const name of memberNames(row, field)) {
      const group = vdom.rows(id).get(name);
      if (group !== undefined && memberNames(group.row).length === 0)
        throw cliRefusal(EMPTY, `group ${name} is empty`);
    }
  }
}
