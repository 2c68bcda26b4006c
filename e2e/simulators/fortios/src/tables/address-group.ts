import { options, TOGGLE, type Field, type Row, type TableField } from "../field.ts";
import type { LimitName } from "../limits.ts";
import { cliRefusal, EMPTY } from "../refusal.ts";
import type { Table } from "../table.ts";
import { TAGGING } from "./tagging.ts";

function names(
  name: string,
  help: string,
  datasource: readonly string[],
  more: Pick<TableField, "since" | "required" | "limit">,
): TableField {
  return {
    kind: "table",
    name,
    help,
    mkey: "name",
    memberTable: true,
    fields: [{ kind: "string", name: "name", size: 79, help: "Address name.", required: true, datasource }],
    ...more,
  };
}

const COLOR: Field = {
  kind: "integer",
  name: "color",
  help: "Color of icon on the GUI.",
  min: 0,
  max: 32,
  default: 0,
};
const COMMENT: Field = { kind: "var-string", name: "comment", size: 255, help: "Comment." };
const UUID: Field = {
  kind: "uuid",
  name: "uuid",
  help: "Universally Unique Identifier, assigned by the device.",
};
const FABRIC: Field = {
  kind: "option",
  name: "fabric-object",
  help: "Security Fabric global object.",
  default: "disable",
  since: "6.4.4",
  options: TOGGLE,
};
const VISIBILITY: Field = {
  kind: "option",
  name: "visibility",
  help: "Visible in the GUI.",
  default: "enable",
  until: "6.2.7",
  options: TOGGLE,
};
const NAME: Field = { kind: "string", name: "name", size: 79, help: "Address group name.", required: true };

const exclude = (since: string): Field => ({
  kind: "option",
  name: "exclude",
  help: "Address exclusion.",
  default: "disable",
  since,
  options: TOGGLE,
});

/** `exclude` needs somebody to exclude. */
function check(row: Row): void {
  const excluded = row["exclude-member"];
  if (row["exclude"] === "enable" && Array.isArray(excluded) && excluded.length === 0) {
    throw cliRefusal(EMPTY, "exclude-member");
  }
}

const LIMIT4: LimitName = "addrgrp.member";
const LIMIT6: LimitName = "addrgrp6.member";
const V4 = ["firewall.address", "firewall.addrgrp"];
const V6 = ["firewall.address6", "firewall.addrgrp6"];

/** `member` is required below 7.2.0 (recorded schema replies; PFGT's tests on real units). */
export const ADDRGRP: Table = {
  path: "firewall",
  name: "addrgrp",
  mkey: "name",
  help: "Configure IPv4 address groups.",
  access: "fwgrp.address",
  qType: 34,
  limit: "addrgrp",
  namesake: ["firewall.address"],
  check,
  fields: [
    NAME,
    {
      kind: "option",
      name: "type",
      help: "Address group type.",
      default: "default",
      since: "6.4.0",
      options: options("default", "folder"),
    },
    {
      kind: "option",
      name: "category",
      help: "Address group category.",
      default: "default",
      since: "7.0.0",
      options: options("default", "ztna-ems-tag", "ztna-geo-tag", ["telemetry", "7.6.4"]),
    },
    UUID,
    names("member", "Address objects contained within the group.", V4, { required: "7.2.0", limit: LIMIT4 }),
    COMMENT,
    exclude("6.2.0"),
    names("exclude-member", "Address exclusion member.", V4, { since: "6.2.0" }),
    COLOR,
    TAGGING,
    {
      kind: "option",
      name: "allow-routing",
      help: "Use in static routes.",
      default: "disable",
      options: TOGGLE,
    },
    FABRIC,
    VISIBILITY,
  ],
};

export const ADDRGRP6: Table = {
  path: "firewall",
  name: "addrgrp6",
  mkey: "name",
  help: "Configure IPv6 address groups.",
  access: "fwgrp.address",
  qType: 210,
  limit: "addrgrp6",
  namesake: ["firewall.address6"],
  check,
  fields: [
    NAME,
    UUID,
    COLOR,
    COMMENT,
    names("member", "Address objects contained within the group.", V6, { required: "7.2.0", limit: LIMIT6 }),
    exclude("7.4.0"),
    names("exclude-member", "Address exclusion member.", V6, { since: "7.4.0" }),
    TAGGING,
    FABRIC,
    VISIBILITY,
  ],
};
