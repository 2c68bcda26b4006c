import { FULL_ACCESS, type ApiUser } from "./access.ts";
import type { Outcome } from "./call.ts";
import { cmdb } from "./cmdb.ts";
import type { Configuration } from "./configuration.ts";
import type { Device } from "./device.ts";
import { FAMILIES } from "./resolve.ts";
import { ROW_TABLES } from "./tables/registry.ts";
import { tableId } from "./table.ts";

const ADMIN: ApiUser = { name: "admin", token: "", profile: FULL_ACCESS, vdoms: "*" };

export interface Edit {
  readonly vdom?: string;
  readonly method: "POST" | "PUT" | "DELETE";
  /** `firewall/addrgrp/web/member`, each part percent-encoded where it needs to be. May have a query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** An administrator's edit at the console: same rules, no token, no latency, not in the request log. */
export function edit(device: Device, change: Edit, now: number): Outcome {
  const name = change.vdom ?? device.settings.managementVdom;
  const vdom = device.configuration.vdom(name);
  if (vdom === undefined)
    throw new Error(`there is no VDOM "${name}": the device has ${device.configuration.names().join(", ")}`);
  const [path = "", query = ""] = change.path.replace(/^\//, "").split("?");
  device.chronicle.begin(0, now);
  const outcome = cmdb({
    method: change.method,
    segments: path.split("/").map((part) => decodeURIComponent(part)),
    query: new URLSearchParams(query),
    body: change.body ?? {},
    user: ADMIN,
    vdom,
    now,
    identity: device.identity,
    world: device.world(),
    settings: device.settings,
    configuration: device.configuration,
    feeds: device.feeds,
    reading: {
      extraFields: false,
      emptyResults: false,
      notFoundFor: 0,
      bornAt: () => Number.NEGATIVE_INFINITY,
    },
    tentative: false,
  });
  device.chronicle.end();
  return outcome;
}

/** The other unit of the pair answers from now on: same configuration, another serial number. */
export function failover(device: Device, serial?: string): string {
  device.serial =
    serial ??
    (device.serial.endsWith("9") ? `${device.serial.slice(0, -1)}1` : `${device.serial.slice(0, -1)}9`);
  return device.serial;
}

/** What was written to flash: a reboot without saving goes back to it. */
export function checkpoint(device: Device): Configuration {
  return device.configuration.copy(() => {});
}

/** Back to what was saved. What is lost thereby is in the history, as an administrator's doing. */
export function reboot(device: Device, saved: Configuration, now: number, downFor = 0): void {
  const before = device.configuration;
  device.chronicle.begin(0, now);
  device.configuration = saved.copy((change) => device.chronicle.record(change));
  device.downUntil = now + downFor;
  device.lockout.clear();
  device.transactions.clear();
  device.feeds.clear();
  for (const vdom of before.names()) recordLoss(device, before, vdom);
  device.chronicle.end();
}

/** A VDOM as it comes from the factory. One of that name that is there stays as it is. */
export function addVdom(device: Device, name: string, now: number): void {
  device.chronicle.begin(0, now);
  device.configuration = device.configuration.with(name, device.world(), (change) =>
    device.chronicle.record(change),
  );
  device.chronicle.end();
}

/** With all it holds. @throws for the management VDOM, and where there is none of that name */
export function removeVdom(device: Device, name: string, now: number): void {
  const before = device.configuration;
  if (name === device.settings.managementVdom)
    throw new Error(`"${name}" is the management VDOM: it cannot be removed`);
  if (before.vdom(name) === undefined)
    throw new Error(`there is no VDOM "${name}": the device has ${before.names().join(", ")}`);
  device.chronicle.begin(0, now);
  device.configuration = before.without(name);
  recordLoss(device, before, name);
  device.chronicle.end();
}

/** A VDOM as it was in a copy of the configuration, policies and all. @throws where the copy has none of that name */
export function restoreVdom(device: Device, saved: Configuration, name: string, now: number): void {
  const copy = saved.copy((change) => device.chronicle.record(change)).vdom(name);
  if (copy === undefined) throw new Error(`there is no VDOM "${name}" in the copy`);
  addVdom(device, name, now);
  const before = device.configuration;
  device.chronicle.begin(0, now);
  device.configuration = before.without(name).and(copy);
  recordLoss(device, before, name);
  device.chronicle.end();
}

function recordLoss(device: Device, before: Configuration, name: string): void {
  const old = before.vdom(name);
  const present = device.configuration.vdom(name);
  if (old === undefined) return;
  const tables = Object.values(FAMILIES).flatMap(({ address, group }) => [address, group]);
  for (const table of ROW_TABLES.map(tableId).filter((id) => tables.some((known) => known === id))) {
    const keys = new Set([...old.rows(table).keys(), ...(present?.rows(table).keys() ?? [])]);
    for (const key of keys) {
      const was = old.rows(table).get(key);
      const is = present?.rows(table).get(key);
      if (was?.digest === is?.digest) continue;
      device.chronicle.record({
        vdom: name,
        table,
        ...(was === undefined ? {} : { before: was.row }),
        ...(is === undefined ? {} : { after: is.row }),
      });
    }
  }
}
