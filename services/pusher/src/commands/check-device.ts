import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Configuration, TargetConfiguration } from "../configuration.ts";
import { FirewallError, type Identity, type Limits } from "../firewall/firewall.ts";
import { FortiGate } from "../firewall/fortigate/adapter.ts";
import { TransportError } from "../firewall/fortigate/transport.ts";
import { parseReply } from "../firewall/fortigate/wire/envelope.ts";
import { classify, explain } from "../firewall/fortigate/wire/refusal.ts";
import { one, type Table } from "../firewall/fortigate/wire/request.ts";
import { FileFault } from "../reconcile/secret-file.ts";
import type { PusherNames, TargetTransport } from "../target-firewall.ts";
import type { Row } from "@podgate/shared/runtime/check-row";
import { retiredGroups } from "./check-retired.ts";

export interface DevicePorts {
  readonly transport: TargetTransport;
  readonly clock: Clock;
  readonly names: PusherNames;
  readonly configuration: Configuration;
}

export interface DeviceRows {
  readonly rows: readonly Row[];
  /** The device refused the token, in these words: it must be left alone for a while. */
  readonly refused?: string;
}

const TABLES: readonly Table[] = ["address", "address6", "addrgrp", "addrgrp6"];
const CLOCK_SKEW_MS = 60_000;

const FIXES: Readonly<Record<string, string>> = {
  unreachable:
    "check targets[].url, that HTTPS administration is allowed on that interface, and targets[].caFile",
  timeout: "is something between here and the device dropping packets? else raise targets[].timeoutSeconds",
  busy: "the device is overloaded or has shut this host out: wait some minutes",
  unauthorized:
    "put the token of a REST API administrator into targets[].tokenFile, and this host into its trusted hosts",
  forbidden:
    "give the API user's profile fwgrp-permission address read-write, and this VDOM to the user's scope",
};
const OTHER = "is there a FortiGate with FortiOS 6.2 or newer at targets[].url?";

/** All that can be told of one target without changing it. */
export async function checkDevice(target: TargetConfiguration, ports: DevicePorts): Promise<DeviceRows> {
  const { transport, clock, names, configuration } = ports;
  const subject = target.name;
  const rows: Row[] = [];
  const add = (check: string, result: Row["result"], found: string, fix?: string): void =>
    void rows.push({ check, subject, result, found, ...(fix !== undefined && { fix }) });
  let date: string | undefined;
  const dated: TargetTransport = {
    ...transport,
    send: async (request) => {
      const response = await transport.send(request);
      date = response.headers["date"] ?? date;
      return response;
    },
  };
  const timeoutMs = target.timeoutSeconds * 1000;
  const firewall = new FortiGate({ transport: dated, names, clock, vdom: target.vdom, timeoutMs });
  const { signal } = new AbortController();
  let check = "files";
  try {
    transport.ready();
    add(check, "ok", "token and CA file are there");
    check = "reachable";
    const identity = await firewall.identity(signal);
    addIdentity(add, identity);
    addClock(add, date, clock.now());
    check = "limits";
    addLimits(add, await firewall.limits(signal));
    check = "read";
    const actual = await firewall.read([], signal);
    const { addresses, children } = actual;
    add(check, "ok", `${addresses.size} addresses and ${children.size} child groups of ours are there`);
    const retired = retiredGroups(subject, children.values(), configuration, names);
    if (retired !== undefined) rows.push(retired);
    for (const name of TABLES) {
      check = `write ${name}`;
      await addRight(add, check, name, target, ports);
    }
    return { rows };
  } catch (error) {
    const reason = error instanceof FirewallError ? error.reason : undefined;
    if (error instanceof FileFault) {
      add(check, "failed", error.message, "mount the file there, or name another one in the configuration");
    } else {
      // The first answer tells of reachability, token and VDOM at once.
      const failing = reason === "unauthorized" ? "token" : reason === "forbidden" ? `${check} right` : check;
      const message = error instanceof FirewallError ? error.message : describeError(error);
      add(failing, "failed", message, FIXES[reason ?? ""] ?? OTHER);
    }
    return { rows, ...(reason === "unauthorized" && { refused: rows.at(-1)?.found ?? reason }) };
  }
}

type Add = (check: string, result: Row["result"], found: string, fix?: string) => void;

function addIdentity(add: Add, { serial, version, vdom, warnings }: Identity): void {
  add("reachable", "ok", `${serial}, FortiOS ${version}; the token is taken`);
  add("VDOM", "ok", vdom);
  const managed = warnings.filter((warning) => warning.includes("FortiManager"));
  const others = warnings.filter((warning) => !managed.includes(warning));
  if (others.length === 0) add("HA role", "ok", "nothing against it");
  for (const warning of others)
    add("HA role and version", "warn", warning, "use the address of the primary unit");
  if (managed.length === 0) add("central management", "ok", "none that is known");
  for (const warning of managed) {
    add("central management", "warn", warning, "let the FortiManager leave these groups alone");
  }
}

function addClock(add: Add, date: string | undefined, now: number): void {
  const device = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(device)) {
    add("clock", "skipped", "the device does not tell its time");
    return;
  }
  const skew = Math.round((device - now) / 1000);
  if (Math.abs(device - now) <= CLOCK_SKEW_MS) add("clock", "ok", `differs by ${Math.abs(skew)} s`);
  else {
    const fix = "set NTP on both: nothing depends on it, but logs would not fit together";
    add("clock", "warn", `the device is ${Math.abs(skew)} s ${skew > 0 ? "ahead" : "behind"}`, fix);
  }
}

function addLimits(add: Add, limits: Limits): void {
  const words = ([4, 6] as const).map((family) => {
    const { addresses, groups, membersPerGroup } = limits[family];
    return `IPv${family}: ${addresses || "any"} addresses, ${groups || "any"} groups of ${membersPerGroup || "any"}`;
  });
  add("limits", "ok", words.join("; "));
}

/**
 * Asks for a change of an object that does not exist: 404 says that it would have been done, 403 that the right is
 * missing. The name fits none that Podgate gives.
 */
async function addRight(
  add: Add,
  check: string,
  name: Table,
  target: TargetConfiguration,
  { transport, names }: DevicePorts,
): Promise<void> {
  const request = one("PUT", name, `pg.${names.install}.check`, { comment: names.comment("check") });
  try {
    const { status, body } = await transport.send({
      method: request.method,
      path: request.path,
      query: [["vdom", target.vdom]],
      body: JSON.stringify(request.body),
      timeoutMs: target.timeoutSeconds * 1000,
      signal: new AbortController().signal,
    });
    const reply = parseReply(status, body, target.vdom);
    const kind = reply.ok ? "missing" : classify(reply);
    if (kind === "missing" || kind === "reference") add(check, "ok", "allowed");
    else add(check, "failed", explain(reply), FIXES[kind] ?? FIXES["forbidden"]);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    add(check, "failed", error.message, FIXES["unreachable"]);
  }
}
