import { options, TOGGLE, type Field } from "../field.ts";
import type { Table } from "../table.ts";

const FIELDS: readonly Field[] = [
  { kind: "string", name: "name", size: 35, help: "External resource name." },
  { kind: "uuid", name: "uuid", help: "Universally Unique Identifier.", since: "6.4.0" },
  { kind: "option", name: "status", help: "Enable user resource.", default: "enable", options: TOGGLE },
  {
    kind: "option",
    name: "type",
    help: "User resource type.",
    default: "category",
    options: options(
      "category",
      "domain",
      "malware",
      "address",
      ["mac-address", "7.4.0"],
      ["data", "7.4.0"],
      ["generic-address", "7.6.1"],
    ),
  },
  {
    kind: "option",
    name: "update-method",
    help: "External resource update method.",
    default: "feed",
    since: "7.2.1",
    options: options("feed", "push"),
  },
  { kind: "integer", name: "category", help: "User resource category.", min: 192, max: 221, default: 0 },
  { kind: "string", name: "username", size: 64, help: "HTTP basic authentication user name." },
  { kind: "password", name: "password", size: 128, help: "HTTP basic authentication password." },
  { kind: "var-string", name: "comments", size: 255, help: "Comment." },
  { kind: "string", name: "resource", size: 511, help: "URI of external resource." },
  {
    kind: "integer",
    name: "refresh-rate",
    help: "Minutes between refreshes.",
    min: 1,
    max: 43_200,
    default: 5,
  },
];

export const EXTERNAL_RESOURCE: Table = {
  path: "system",
  name: "external-resource",
  mkey: "name",
  fields: FIELDS,
  help: "Configure external resource.",
  access: "sysgrp.cfg",
  qType: 413,
  limit: "external-resource",
};
