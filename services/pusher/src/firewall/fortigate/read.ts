import { familyOf, type Family } from "@podgate/shared/contract/address";
import {
  FirewallError,
  groupKey,
  type Actual,
  type ActualAddress,
  type ActualChild,
  type ActualParent,
} from "../firewall.ts";
import type { Client } from "./client.ts";
import { listAll } from "./listing.ts";
import type { Names } from "./naming.ts";
import { isPlaceholder } from "./placeholder.ts";
import { standingOf } from "./standing.ts";
import { addressRows, contentOf, groupRows, type AddressRow, type GroupRow } from "./wire/content.ts";
import { addressTable, groupTable, type Query } from "./wire/request.ts";

const FAMILIES: readonly Family[] = [4, 6];
const GROUP_FIELDS = ["name", "member", "comment"];
const ADDRESS_FIELDS: Readonly<Record<Family, readonly string[]>> = {
  4: ["name", "type", "subnet", "comment"],
  6: ["name", "type", "ip6", "comment"],
};
/**
 * Reads what is ours. Groups come first: an address that a group holds can't be deleted, so one that the later list
 * lacks proves that the list is not whole.
 *
 * @throws FirewallError
 */
export async function readActual(
  client: Client,
  names: Names,
  wanted: readonly string[],
  readAt: number,
  signal: AbortSignal,
): Promise<Actual> {
  const asked = new Set(wanted);
  const addresses = new Map<string, ActualAddress>();
  const children = new Map<string, ActualChild>();
  const parents = new Map<string, ActualParent>();
  for (const family of FAMILIES) {
    const groups = await listAll(client, groupTable(family), GROUP_FIELDS, [], groupRows, signal);
    const held = groups.flatMap((row) => (names.isChild(row.name) ? row.members : []));
    for (const row of await heldAndOwn(client, names, family, held, signal))
      addresses.set(row.name, actualAddress(names, row, family));
    const own = groups.filter(({ name }) => names.isChild(name));
    for (const row of own)
      children.set(groupKey(family, row.name), actualChild(names, row, family, addresses));
    const ours = new Set(own.filter(({ comment }) => names.isMarked(comment)).map(({ name }) => name));
    for (const row of groups) {
      if (names.isChild(row.name)) continue;
      const isMade = names.isMarked(row.comment);
      if (!asked.has(row.name) && !isMade && !row.members.some((member) => ours.has(member))) continue;
      parents.set(groupKey(family, row.name), actualParent(names, row, family));
    }
  }
  return { addresses, children, parents, readAt };
}

/**
 * Asked with a filter first; without it where an address that a child holds is not in the answer. What is missing
 * then, too, is found when the child is looked at.
 */
async function heldAndOwn(
  client: Client,
  names: Names,
  family: Family,
  held: readonly string[],
  signal: AbortSignal,
): Promise<AddressRow[]> {
  const filtered = await ownAddresses(client, names, family, signal);
  const found = new Set(filtered.map(({ name }) => name));
  const isWhole = held.every((name) => found.has(name) || !isAddressOf(names, name, family));
  return isWhole ? filtered : await ownAddresses(client, names, family, signal, []);
}

function isAddressOf(names: Names, name: string, family: Family): boolean {
  const address = names.addressOf(name);
  return address !== undefined && familyOf(address) === family;
}

/** Compared again by name: how filters tell case and dots differs by firmware. */
export async function ownAddresses(
  client: Client,
  names: Names,
  family: Family,
  signal: AbortSignal,
  filter: Query = [["filter", `name=@${names.install}`]],
): Promise<AddressRow[]> {
  const table = addressTable(family);
  const rows = await listAll(client, table, ADDRESS_FIELDS[family], filter, addressRows, signal);
  return rows.filter(({ name }) => isAddressOf(names, name, family));
}

function actualAddress(names: Names, row: AddressRow, family: Family): ActualAddress {
  const address = names.addressOf(row.name) ?? "";
  const standing = standingOf(names, row, address);
  const isExact = standing === "ours" || standing === "borrowed";
  return { name: row.name, family, address, standing, ...(isExact ? {} : { found: contentOf(row) }) };
}

/** @throws FirewallError where it holds an address object that the list of addresses lacks */
function actualChild(
  names: Names,
  row: GroupRow,
  family: Family,
  addresses: ReadonlyMap<string, ActualAddress>,
): ActualChild {
  const members = new Set<string>();
  const strangers: string[] = [];
  for (const name of row.members) {
    const address = names.addressOf(name);
    if (isPlaceholder(names, name)) continue;
    if (address === undefined || familyOf(address) !== family) {
      strangers.push(name);
      continue;
    }
    const object = addresses.get(name);
    if (object === undefined) {
      const place = `cmdb/firewall/${addressTable(family)}`;
      throw new FirewallError("busy", `${place}: ${name} is a member of ${row.name}, but not in the list`);
    }
    if (object.standing === "collision") strangers.push(name);
    else members.add(address);
  }
  const isOurs = names.isMarked(row.comment);
  const manager = names.otherManager(row.comment);
  return {
    name: row.name,
    family,
    standing: isOurs ? "ours" : "collision",
    ...(manager !== undefined && { manager }),
    origin: isOurs ? names.origin(row.name, row.comment) : undefined,
    members,
    strangers,
  };
}

function actualParent(names: Names, row: GroupRow, family: Family): ActualParent {
  const members = row.members.filter((name) => !isPlaceholder(names, name));
  const manager = names.otherManager(row.comment);
  return {
    name: row.name,
    family,
    ours: names.isMarked(row.comment),
    members: new Set(members),
    ...(manager !== undefined && { manager }),
  };
}
