import { options, TOGGLE, type Field, type TableField } from "../field.ts";
import type { Table } from "../table.ts";

function names(name: string, help: string, datasource?: readonly string[], since?: string): TableField {
  return {
    kind: "table",
    name,
    help,
    mkey: "name",
    memberTable: true,
    fields: [
      datasource === undefined
        ? { kind: "string", name: "name", size: 79, help: "Name.", required: true }
        : { kind: "string", name: "name", size: 79, help: "Name.", required: true, datasource },
    ],
    ...(since === undefined ? {} : { since }),
  };
}

const V4 = ["firewall.address", "firewall.addrgrp", "system.external-resource"];
const V6 = ["firewall.address6", "firewall.addrgrp6", "system.external-resource"];

const FIELDS: readonly Field[] = [
  { kind: "integer", name: "policyid", help: "Policy ID.", min: 0, max: 4_294_967_294, default: 0 },
  { kind: "option", name: "status", help: "Status.", default: "enable", options: TOGGLE },
  { kind: "string", name: "name", size: 35, help: "Policy name." },
  { kind: "uuid", name: "uuid", help: "Universally Unique Identifier, assigned by the device." },
  names("srcintf", "Incoming interface."),
  names("dstintf", "Outgoing interface."),
  names("srcaddr", "Source address.", V4),
  names("dstaddr", "Destination address.", V4),
  names("srcaddr6", "Source IPv6 address.", V6, "6.4.0"),
  names("dstaddr6", "Destination IPv6 address.", V6, "6.4.0"),
  {
    kind: "option",
    name: "action",
    help: "Policy action.",
    default: "deny",
    options: options("accept", "deny", "ipsec"),
  },
  { kind: "string", name: "schedule", size: 35, help: "Schedule name." },
  names("service", "Service names."),
  {
    kind: "option",
    name: "logtraffic",
    help: "Logging.",
    default: "utm",
    options: options("all", "utm", "disable"),
  },
  { kind: "option", name: "logtraffic-start", help: "Log at start.", default: "disable", options: TOGGLE },
  { kind: "option", name: "utm-status", help: "Security profiles.", default: "disable", options: TOGGLE },
  {
    kind: "option",
    name: "inspection-mode",
    help: "Inspection.",
    default: "flow",
    options: options("proxy", "flow"),
  },
  { kind: "option", name: "srcaddr-negate", help: "Negate source.", default: "disable", options: TOGGLE },
  {
    kind: "option",
    name: "dstaddr-negate",
    help: "Negate destination.",
    default: "disable",
    options: TOGGLE,
  },
  {
    kind: "option",
    name: "internet-service",
    help: "Internet service.",
    default: "disable",
    options: TOGGLE,
  },
  { kind: "option", name: "ippool", help: "IP pools.", default: "disable", options: TOGGLE },
  names("poolname", "IP pool names."),
  names("groups", "User groups."),
  names("users", "Users."),
  { kind: "option", name: "nat", help: "Source NAT.", default: "disable", options: TOGGLE },
  { kind: "var-string", name: "comments", size: 1023, help: "Comment." },
];

/** As much of a policy as is needed to use addresses and groups. Interfaces and services are not checked. */
export const POLICY: Table = {
  path: "firewall",
  name: "policy",
  mkey: "policyid",
  mkeyType: "integer",
  fields: FIELDS,
  help: "Configure IPv4/IPv6 policies.",
  access: "fwgrp.policy",
  qType: 50,
  limit: "policy",
};
