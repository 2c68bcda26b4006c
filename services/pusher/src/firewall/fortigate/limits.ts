import type { Family } from "@podgate/shared/contract/address";
import { FirewallError, type FamilyLimits, type Limits } from "../firewall.ts";
import type { Client } from "./client.ts";
import { explained, reasonOfReply } from "./outcome.ts";
import { isObject } from "./wire/envelope.ts";
import { addressTable, groupTable, schema, type Table } from "./wire/request.ts";

/** The device's own numbers, from its schema: they differ by model and firmware. @throws FirewallError */
export async function readLimits(client: Client, signal: AbortSignal): Promise<Limits> {
  return { 4: await ofFamily(client, 4, signal), 6: await ofFamily(client, 6, signal) };
}

async function ofFamily(client: Client, family: Family, signal: AbortSignal): Promise<FamilyLimits> {
  const addresses = await tableSchema(client, addressTable(family), signal);
  const groups = await tableSchema(client, groupTable(family), signal);
  const children = groups["children"];
  const member = isObject(children) ? children["member"] : undefined;
  return {
    addresses: limit(addresses["max_table_size_vdom"]),
    groups: limit(groups["max_table_size_vdom"]),
    membersPerGroup: isObject(member) ? limit(member["max_table_size_item"]) : 0,
  };
}

async function tableSchema(
  client: Client,
  table: Table,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const request = schema(table);
  const reply = await client.read(request, signal);
  if (!reply.ok) {
    throw new FirewallError(reasonOfReply(reply), `${request.template}: ${explained(reply, client.vdom)}`);
  }
  return isObject(reply.results) ? reply.results : {};
}

const limit = (value: unknown): number =>
  Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : 0;
