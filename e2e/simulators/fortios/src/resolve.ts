import { type Row, textIn } from "./field.ts";
import { formatIPv4, maskLength, parseIPv4 } from "./ip.ts";
import { memberNames } from "./rules.ts";
import type { Vdom } from "./vdom.ts";

export type Family = "ipv4" | "ipv6";

export const FAMILIES = {
  ipv4: { address: "firewall.address", group: "firewall.addrgrp" },
  ipv6: { address: "firewall.address6", group: "firewall.addrgrp6" },
} as const;

/**
 * What an address object stands for, in short form: `10.1.2.3`, `10.1.0.0/16`, `2001:db8::7`, `a-b` for a range,
 * `type:name` for what has no fixed addresses. The predefined `none` stands for nothing.
 */
export function addressesOf(row: Row | undefined, family: Family): readonly string[] {
  if (row === undefined) return [];
  const type = textIn(row, "type");
  if (type === "iprange") return [`${textIn(row, "start-ip")}-${textIn(row, "end-ip")}`];
  if (family === "ipv4" && type === "ipmask") {
    const [ip = "", mask = ""] = textIn(row, "subnet").split(" ");
    const length = maskLength(parseIPv4(mask) ?? 0) ?? 0;
    if (length === 32 && ip === "0.0.0.0") return [];
    return [length === 32 ? ip : `${formatIPv4(parseIPv4(ip) ?? 0)}/${String(length)}`];
  }
  if (family === "ipv6" && type === "ipprefix") {
    const prefix = textIn(row, "ip6");
    if (prefix === "::/128") return [];
    return [prefix.endsWith("/128") ? prefix.slice(0, -4) : prefix];
  }
  return [`${type}:${textIn(row, "name")}`];
}

/** A group's addresses through all its groups, sorted; `undefined` where there is no such group. */
export function resolveGroup(vdom: Vdom, name: string, family: Family): string[] | undefined {
  const { address, group } = FAMILIES[family];
  if (!vdom.rows(group).has(name)) return undefined;
  const found = new Set<string>();
  const seen = new Set<string>();
  const walk = (current: string): void => {
    if (seen.has(current)) return;
    seen.add(current);
    for (const item of addressesOf(vdom.rows(address).get(current)?.row, family)) found.add(item);
    const row = vdom.rows(group).get(current)?.row;
    if (row !== undefined) for (const member of memberNames(row)) walk(member);
  };
  walk(name);
  return [...found].toSorted();
}
