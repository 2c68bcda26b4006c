import { FirewallError, type Identity } from "../firewall.ts";
import type { Client } from "./client.ts";
import { explained, reasonOfReply } from "./outcome.ts";
import { isObject, type Reply } from "./wire/envelope.ts";
import { resource } from "./wire/request.ts";

/** A group may be empty from 7.2.0 on (recorded schemas: `member` is required up to 7.0.6, not from 7.2.0). */
const EMPTY_GROUPS_FROM = "7.2.0";
/** The oldest firmware whose replies we know. */
const OLDEST = "6.2.0";

/** @throws FirewallError */
export async function readIdentity(client: Client, signal: AbortSignal): Promise<Identity> {
  const status = resource("monitor/system/status");
  const reply = await client.read(status, signal);
  if (!reply.ok) throw new FirewallError(reasonOfReply(reply), explained(reply, client.vdom));
  const { serial, version } = reply;
  if (serial === undefined || version === undefined) {
    throw new FirewallError(
      "other",
      `${status.template}: no serial or version in the answer: is it a FortiGate?`,
    );
  }
  const warnings = [
    ...(isBelow(version, OLDEST)
      ? [`FortiOS ${version} is older than ${OLDEST}, the oldest that is known to work`]
      : []),
    ...roleWarning(await optional(client, "monitor/system/ha-peer", signal), serial),
    ...managementWarning(await optional(client, "cmdb/system/central-management", signal)),
  ];
  return { serial, version, vdom: client.vdom, needsPlaceholder: needsPlaceholder(version), warnings };
}

export const needsPlaceholder = (version: string): boolean => isBelow(version, EMPTY_GROUPS_FROM);

/** Reads that need `sysgrp.cfg`, which the smallest profile has not: without it there is nothing to tell. */
async function optional(client: Client, template: string, signal: AbortSignal): Promise<unknown> {
  const reply = await client.read(resource(template), signal);
  const reason = reply.ok ? undefined : reasonOfReply(reply);
  if (reason === "unauthorized" || reason === "busy") {
    throw new FirewallError(reason, `${template}: ${explained(reply, client.vdom)}`);
  }
  return resultsOf(reply);
}

const resultsOf = (reply: Reply): unknown => (reply.ok ? reply.results : undefined);

/** Writing through both units of a pair makes two writers of one: a secondary takes changes, too (KB 363357). */
function roleWarning(peers: unknown, serial: string): string[] {
  const rows = Array.isArray(peers) ? peers.filter(isObject) : [];
  const self = rows.find((row) => row["serial_no"] === serial);
  // `master` is the older spelling; 7.x has both.
  const isPrimary = self?.["primary"] ?? self?.["master"];
  return isPrimary === false
    ? [`${serial} is a secondary unit of its HA cluster: give the address of the cluster, not of the unit`]
    : [];
}

function managementWarning(settings: unknown): string[] {
  const row: unknown = Array.isArray(settings) ? settings[0] : settings;
  if (!isObject(row) || row["type"] !== "fortimanager") return [];
  return ["managed by a FortiManager: its next install of a policy package may undo what is written here"];
}

function isBelow(version: string, limit: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, bound] of limit.split(".").map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== bound) return part < bound;
  }
  return false;
}
