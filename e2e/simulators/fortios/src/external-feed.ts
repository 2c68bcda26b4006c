import { mayWrite } from "./access.ts";
import type { Call } from "./call.ts";
import type { Json } from "./envelope.ts";
import { Refusal } from "./refusal.ts";

const RESOURCES = "system.external-resource";
const COMMANDS = ["add", "remove", "snapshot"] as const;

/** POST monitor/system/external-resource/dynamic */
export function pushEntries(call: Call): Json {
  if (!call.identity.profile.push) throw new Refusal(404);
  if (!mayWrite(call.user, "sysgrp.cfg")) throw new Refusal(403);
  const commands = call.body["commands"];
  if (!Array.isArray(commands)) throw new Refusal(400);
  return (commands as readonly unknown[]).map((item) => push(call, item));
}

function push(call: Call, item: unknown): Json {
  const { name, command, entries } = (item ?? {}) as Readonly<Record<string, unknown>>;
  const known = COMMANDS.find((verb) => verb === command);
  if (typeof name !== "string" || known === undefined || !Array.isArray(entries)) throw new Refusal(400);
  const row = call.vdom.rows(RESOURCES).get(name)?.row;
  const failed = (error: string): Json => ({
    name,
    command: known,
    status: "error",
    error,
    invalidEntries: [],
  });
  if (row === undefined) return failed("external resource not found");
  if (row["update-method"] !== "push") return failed("external resource is not updated by push");
  const texts = (entries as readonly unknown[]).map(String);
  const invalid = call.feeds.apply(call.vdom.name, name, known, texts);
  return { name, command: known, status: "success", error: "", invalidEntries: invalid };
}

/** GET monitor/system/external-resource/entry-list?mkey= */
export function entryList(call: Call): Json {
  const name = call.query.get("mkey") ?? "";
  if (!call.vdom.rows(RESOURCES).has(name)) throw new Refusal(404);
  const entries = call.feeds.entries(call.vdom.name, name);
  const { limit, scope } = call.identity.profile.feedEntries;
  const others = scope === "device" ? call.feeds.total - entries.length : 0;
  const accepted = Math.max(0, Math.min(entries.length, limit - others));
  const counts = {
    status: "success",
    resource_file_status: entries.length === 0 ? "nonexistent" : "ok",
    valid_count: entries.length,
    invalid_count: 0,
    accepted_count: accepted,
    accepted_limit: limit,
    overflow: accepted < entries.length,
  };
  if (call.query.has("counts_only") || call.query.has("status_only")) return counts;
  return { ...counts, entries: entries.map((entry) => ({ entry, valid: true })) };
}

/** POST monitor/system/external-resource/refresh: nothing is pulled in the simulator. */
export function refresh(call: Call): Json {
  const name = call.body["mkey"];
  if (typeof name !== "string" || !call.vdom.rows(RESOURCES).has(name)) throw new Refusal(404);
  return { status: "success" };
}
