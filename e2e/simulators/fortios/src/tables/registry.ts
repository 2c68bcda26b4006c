import { versionNumber, type Profile } from "../profile.ts";
import { tableId, type Table } from "../table.ts";
import { ADDRESS } from "./address.ts";
import { ADDRESS6 } from "./address6.ts";
import { ADDRGRP, ADDRGRP6 } from "./address-group.ts";
import { EXTERNAL_RESOURCE } from "./external-resource.ts";
import { POLICY } from "./policy.ts";
import { CENTRAL_MANAGEMENT, GLOBAL, HA } from "./system.ts";

const ALL = [ADDRESS, ADDRESS6, ADDRGRP, ADDRGRP6, POLICY, EXTERNAL_RESOURCE, GLOBAL, CENTRAL_MANAGEMENT, HA];
const BY_ID: ReadonlyMap<string, Table> = new Map(ALL.map((table) => [tableId(table), table]));

/** The tables that hold rows, in an order in which rows can be created. */
export const ROW_TABLES = ALL.filter((table) => table.mkey !== undefined);
export const SINGLETONS = ALL.filter((table) => table.mkey === undefined);

/** @param id `firewall.address` */
export function tableOf(id: string, profile?: Profile): Table | undefined {
  const table = BY_ID.get(id);
  if (table?.since !== undefined && profile !== undefined && profile.number < versionNumber(table.since)) {
    return undefined;
  }
  return table;
}
