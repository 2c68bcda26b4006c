import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Configuration } from "./configuration.ts";
import type { Device } from "./device.ts";
import { textIn, type Row } from "./field.ts";
import { digestOf } from "./rows.ts";
import { tableId } from "./table.ts";
import { ROW_TABLES } from "./tables/registry.ts";
import { Vdom } from "./vdom.ts";

interface Saved {
  /** How many UUIDs were given out. */
  readonly uuids: number;
  /** VDOM → table → its rows, in order. */
  readonly vdoms: Readonly<Record<string, Readonly<Record<string, readonly SavedRow[]>>>>;
}

interface SavedRow {
  readonly row: Row;
  readonly fixed: boolean;
  readonly predefined: boolean;
}

/** Writes the configuration to a file, by a rename: what stands there is whole. */
export function writeFlash(device: Device, file: string): void {
  const { configuration } = device;
  const vdoms = configuration.names().map((name) => {
    const tables = ROW_TABLES.map((table) => {
      const entries = configuration.vdom(name)?.rows(tableId(table)).entries() ?? [];
      return [tableId(table), entries.map(({ row, fixed, predefined }) => ({ row, fixed, predefined }))];
    });
    return [name, Object.fromEntries(tables)];
  });
  const saved = { uuids: device.uuids, vdoms: Object.fromEntries(vdoms) as Saved["vdoms"] } satisfies Saved;
  writeFileSync(`${file}.new`, JSON.stringify(saved));
  renameSync(`${file}.new`, file);
}

/** The device holds what the file holds; without a file it stays as it is. @throws Error it is not of this program */
export function readFlash(device: Device, file: string): void {
  if (!existsSync(file)) return;
  let saved: Saved;
  try {
    saved = JSON.parse(readFileSync(file, "utf8")) as Saved;
    const configuration = new Configuration(Object.entries(saved.vdoms).map(vdomOf));
    device.configuration = configuration.copy((change) => device.chronicle.record(change));
  } catch {
    throw new Error(`${file} is no configuration that this program wrote: remove it to begin anew`);
  }
  device.uuids = saved.uuids;
  device.chronicle.clear(device.configuration);
}

function vdomOf([name, tables]: [string, Saved["vdoms"][string]]): Vdom {
  const vdom = new Vdom(name, () => {});
  const all = ROW_TABLES.flatMap((table) =>
    (tables[tableId(table)] ?? []).map((saved) => ({ table, key: textIn(saved.row, table.mkey), saved })),
  );
  // First all rows, then who uses whom: a group may stand before its members.
  for (const { table, key, saved } of all)
    vdom.rows(tableId(table)).set(key, { ...saved, digest: digestOf(saved.row) });
  for (const { table, saved } of all) vdom.put(table, undefined, saved.row, saved);
  return vdom;
}
