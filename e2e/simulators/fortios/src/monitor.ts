import { mayRead } from "./access.ts";
import type { Call, Outcome } from "./call.ts";
import { errorEnvelope, monitorEnvelope, type Json } from "./envelope.ts";
import { entryList, pushEntries, refresh } from "./external-feed.ts";
import { Refusal } from "./refusal.ts";
import { tableOf } from "./tables/registry.ts";

interface Endpoint {
  readonly access: string;
  readonly methods: readonly string[];
  answer(call: Call, rest: readonly string[]): Json;
}

/** A pair that is not standing alone has a peer. */
function haPeers(call: Call): Json {
  const { settings, identity } = call;
  const self = {
    serial_no: identity.serial,
    vcluster_id: 0,
    priority: settings.ha.priority,
    hostname: settings.hostname,
  };
  if (settings.ha.mode === "standalone") return [{ ...self, master: true, primary: true }];
  const peer = {
    ...self,
    serial_no: `${identity.serial.slice(0, -1)}X`,
    priority: 100,
    hostname: `${settings.hostname}-b`,
  };
  return [
    { ...self, master: true, primary: true },
    { ...peer, master: false, primary: false },
  ];
}

function vdomResource(call: Call): Json {
  const one = (id: "address" | "addrgrp" | "external-resource", table: string): Json => {
    const used = call.vdom.rows(table).counted;
    const max = call.world.limits[id];
    return {
      current_usage: used,
      global_max: max,
      custom_max: 0,
      guaranteed: 0,
      usage_percentage: max === 0 ? 0 : Math.floor((100 * used) / max),
    };
  };
  return {
    "firewall-address": one("address", "firewall.address"),
    "firewall-addrgrp": one("addrgrp", "firewall.addrgrp"),
  };
}

function status(call: Call): Json {
  const { identity, settings } = call;
  if (!identity.profile.statusDetails) return {};
  return {
    model_name: "FortiGate",
    model_number: "VM64",
    model: identity.serial.slice(0, 6),
    hostname: settings.hostname,
    log_disk_status: "available",
  };
}

/** Who uses an object; the shape of the result is unsure. */
function objectUsage(call: Call): Json {
  const id = `${call.query.get("q_path") ?? ""}.${call.query.get("q_name") ?? ""}`;
  const key = call.query.get("mkey") ?? "";
  if (tableOf(id)?.mkey === undefined) throw new Refusal(400);
  const using = call.vdom.usersOf(id, key).map((user) => {
    const [path = "", name = ""] = user.table.split(".");
    return { path, name, mkey: user.key, vdom: call.vdom.name };
  });
  return { currently_using: using, currently_using_count: using.length };
}

function firmware({ identity }: Call): Json {
  const [major = 0, minor = 0, patch = 0] = identity.profile.version.slice(1).split(".").map(Number);
  return {
    current: { version: identity.profile.version, major, minor, patch, build: identity.profile.build },
  };
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "system/status": { access: "any", methods: ["GET"], answer: status },
  "system/firmware": { access: "sysgrp.mnt", methods: ["GET"], answer: firmware },
  "system/ha-peer": { access: "sysgrp.cfg", methods: ["GET"], answer: haPeers },
  "system/vdom-resource": { access: "sysgrp.cfg", methods: ["GET"], answer: vdomResource },
  "system/object/usage": { access: "any", methods: ["GET"], answer: objectUsage },
  "system/external-resource/dynamic": { access: "sysgrp.cfg", methods: ["POST"], answer: pushEntries },
  "system/external-resource/entry-list": { access: "sysgrp.cfg", methods: ["GET"], answer: entryList },
  "system/external-resource/refresh": { access: "sysgrp.cfg", methods: ["POST"], answer: refresh },
  "license/status": { access: "any", methods: ["GET"], answer: () => ({}) },
};

/** `/monitor/<path>/<name>[/<action>]` */
export function monitor(call: Call): Outcome {
  const [path = "", ...rest] = call.segments.filter((part) => part !== "");
  const whole = [path, ...rest].join("/");
  const id = Object.keys(ENDPOINTS).find((known) => known === whole || whole === `${known}/select`);
  const place = { method: call.method, vdom: call.vdom.name, path, name: rest[0] ?? "" };
  try {
    const endpoint = id === undefined ? undefined : ENDPOINTS[id];
    if (endpoint === undefined) throw new Refusal(404);
    if (!mayRead(call.user, endpoint.access)) throw new Refusal(403);
    if (!endpoint.methods.includes(call.method)) throw new Refusal(405);
    const results = endpoint.answer(call, rest);
    const withStatus = call.world.switches.monitorHttpStatus ?? call.identity.profile.monitorHttpStatus;
    const body = monitorEnvelope(call.identity, place, rest[1] ?? "", results, withStatus);
    return { status: 200, body, changed: false, error: 0 };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const body = errorEnvelope(call.identity, place, error, { revision: "" });
    return { status: error.status, body, changed: false, error: error.code ?? 0 };
  }
}
