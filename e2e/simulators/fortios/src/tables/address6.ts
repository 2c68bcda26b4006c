import { options, TOGGLE, type Field, type Row, textIn } from "../field.ts";
import { parseIPv6 } from "../ip.ts";
import { BAD_RANGE, cliRefusal, EMPTY } from "../refusal.ts";
import type { Table } from "../table.ts";
import { TAGGING } from "./tagging.ts";

const FIELDS: readonly Field[] = [
  { kind: "string", name: "name", size: 79, help: "Address name." },
  { kind: "uuid", name: "uuid", help: "Universally Unique Identifier, assigned by the device." },
  {
    kind: "option",
    name: "type",
    help: "Type of IPv6 address object.",
    default: "ipprefix",
    options: options(
      "ipprefix",
      "iprange",
      "fqdn",
      "dynamic",
      "template",
      ["geography", "6.4.0"],
      ["mac", "6.2.0"],
      ["route-tag", "7.4.0"],
      ["wildcard", "7.6.4"],
    ),
  },
  {
    kind: "table",
    name: "macaddr",
    help: "MAC address ranges.",
    mkey: "macaddr",
    memberTable: true,
    since: "7.0.0",
    fields: [{ kind: "string", name: "macaddr", size: 127, help: "MAC address or range." }],
  },
  { kind: "mac-address", name: "start-mac", help: "First MAC address.", since: "6.2.0", until: "6.4.4" },
  { kind: "mac-address", name: "end-mac", help: "Last MAC address.", since: "6.2.0", until: "6.4.4" },
  { kind: "string", name: "sdn", size: 35, help: "SDN." },
  { kind: "ipv6-network", name: "ip6", help: "IPv6 address prefix." },
  { kind: "ipv6-address", name: "start-ip", help: "First address of the range." },
  { kind: "ipv6-address", name: "end-ip", help: "Last address of the range." },
  { kind: "string", name: "fqdn", size: 255, help: "Fully qualified domain name." },
  { kind: "string", name: "country", size: 2, help: "Country code.", since: "6.4.0" },
  {
    kind: "integer",
    name: "cache-ttl",
    help: "Minimal TTL in the FQDN cache.",
    min: 0,
    max: 86_400,
    default: 0,
  },
  { kind: "integer", name: "color", help: "Color of icon on the GUI.", min: 0, max: 32, default: 0 },
  { kind: "var-string", name: "obj-id", size: 255, help: "Object id." },
  TAGGING,
  { kind: "var-string", name: "comment", size: 255, help: "Comment." },
  { kind: "string", name: "template", size: 63, help: "IPv6 address template." },
  {
    kind: "table",
    name: "subnet-segment",
    help: "IPv6 subnet segments.",
    mkey: "name",
    memberTable: false,
    fields: [
      { kind: "string", name: "name", size: 63, help: "Name." },
      { kind: "option", name: "type", help: "Type.", default: "any", options: options("any", "specific") },
      { kind: "string", name: "value", size: 35, help: "Value." },
    ],
  },
  {
    kind: "option",
    name: "host-type",
    help: "Host type.",
    default: "any",
    options: options("any", "specific"),
  },
  { kind: "ipv6-address", name: "host", help: "Host address." },
  { kind: "string", name: "tenant", size: 35, help: "Tenant.", since: "7.2.1" },
  { kind: "string", name: "epg-name", size: 255, help: "Endpoint group name.", since: "7.2.1" },
  { kind: "string", name: "sdn-tag", size: 15, help: "SDN tag.", since: "7.2.1" },
  {
    kind: "integer",
    name: "route-tag",
    help: "Route tag.",
    min: 1,
    max: 4_294_967_295,
    default: 0,
    since: "7.4.0",
  },
  { kind: "string", name: "wildcard", size: 127, help: "IPv6 address and wildcard mask.", since: "7.6.4" },
  { kind: "var-string", name: "filter", size: 2047, help: "Match criteria filter.", since: "7.6.1" },
  {
    kind: "option",
    name: "sdn-addr-type",
    help: "Type of addresses to collect.",
    default: "private",
    since: "7.6.1",
    options: options("private", "public", "all"),
  },
  {
    kind: "table",
    name: "list",
    help: "IP address list.",
    mkey: "ip",
    memberTable: false,
    fields: [{ kind: "string", name: "ip", size: 89, help: "IP." }],
  },
  {
    kind: "option",
    name: "fabric-object",
    help: "Security Fabric global object.",
    default: "disable",
    since: "6.4.4",
    options: TOGGLE,
  },
  {
    kind: "option",
    name: "visibility",
    help: "Visible in the GUI.",
    default: "enable",
    until: "6.2.7",
    options: TOGGLE,
  },
];

export const ADDRESS6: Table = {
  path: "firewall",
  name: "address6",
  mkey: "name",
  fields: FIELDS,
  help: "Configure IPv6 firewall addresses.",
  access: "fwgrp.address",
  qType: 209,
  limit: "address6",
  namesake: ["firewall.addrgrp6"],
  check(row: Row): void {
    if (row["type"] === "iprange") {
      const start = parseIPv6(textIn(row, "start-ip")) ?? 0n;
      const end = parseIPv6(textIn(row, "end-ip")) ?? 0n;
      if (start > end || end === 0n) throw cliRefusal(BAD_RANGE, "end-ip is before start-ip");
    }
    if (row["type"] === "fqdn" && row["fqdn"] === "") throw cliRefusal(EMPTY, "fqdn");
  },
};
