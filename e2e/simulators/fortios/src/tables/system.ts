import { options, TOGGLE } from "../field.ts";
import type { Table } from "../table.ts";

/** The singletons a client looks at before it writes; read only here. */
export const GLOBAL: Table = {
  path: "system",
  name: "global",
  help: "Configure global attributes.",
  access: "sysgrp.cfg",
  qType: 1,
  global: true,
  readOnly: true,
  fields: [
    { kind: "string", name: "hostname", size: 35, help: "FortiGate unit's hostname." },
    { kind: "string", name: "alias", size: 35, help: "Alias." },
    {
      kind: "option",
      name: "vdom-mode",
      help: "VDOM mode.",
      default: "multi-vdom",
      since: "6.2.0",
      options: options("no-vdom", "split-vdom", "multi-vdom"),
    },
    {
      kind: "string",
      name: "management-vdom",
      size: 31,
      default: "root",
      help: "Management virtual domain name.",
    },
    {
      kind: "option",
      name: "cfg-save",
      help: "Configuration file save mode.",
      default: "automatic",
      options: options("automatic", "manual", "revert"),
    },
    {
      kind: "integer",
      name: "admin-lockout-threshold",
      help: "Failed logins before lockout.",
      min: 1,
      max: 10,
      default: 3,
    },
    {
      kind: "integer",
      name: "admin-lockout-duration",
      help: "Lockout in seconds.",
      min: 1,
      max: 2_147_483_647,
      default: 60,
    },
    {
      kind: "option",
      name: "gui-rest-api-cache",
      help: "REST API result caching.",
      default: "enable",
      options: TOGGLE,
    },
    {
      kind: "option",
      name: "rest-api-key-url-query",
      help: "API key in the URL.",
      default: "disable",
      since: "7.4.5",
      options: TOGGLE,
    },
  ],
};

export const CENTRAL_MANAGEMENT: Table = {
  path: "system",
  name: "central-management",
  help: "Configure central management.",
  access: "sysgrp.cfg",
  qType: 2,
  global: true,
  readOnly: true,
  fields: [
    {
      kind: "option",
      name: "mode",
      help: "Central management mode.",
      default: "normal",
      options: options("normal", "backup"),
    },
    {
      kind: "option",
      name: "type",
      help: "Central management type.",
      default: "none",
      options: options("fortimanager", "fortiguard", "none"),
    },
    { kind: "string", name: "fmg", size: 255, help: "FortiManager address." },
    { kind: "string", name: "serial-number", size: 63, help: "FortiManager serial number." },
  ],
};

export const HA: Table = {
  path: "system",
  name: "ha",
  help: "Configure HA.",
  access: "sysgrp.cfg",
  qType: 3,
  global: true,
  readOnly: true,
  fields: [
    { kind: "integer", name: "group-id", help: "HA group ID.", min: 0, max: 1023, default: 0 },
    { kind: "string", name: "group-name", size: 32, help: "Cluster group name." },
    {
      kind: "option",
      name: "mode",
      help: "HA mode.",
      default: "standalone",
      options: options("standalone", "a-a", "a-p"),
    },
    { kind: "integer", name: "priority", help: "Unit priority.", min: 0, max: 255, default: 128 },
    { kind: "option", name: "override", help: "Override primary.", default: "disable", options: TOGGLE },
  ],
};
