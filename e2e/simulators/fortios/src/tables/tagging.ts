import type { TableField } from "../field.ts";

/** Object tagging; no tag categories exist in the simulator, so tag names are not checked. */
export const TAGGING: TableField = {
  kind: "table",
  name: "tagging",
  help: "Config object tagging.",
  mkey: "name",
  memberTable: false,
  fields: [
    { kind: "string", name: "name", help: "Tagging entry name.", size: 63 },
    { kind: "string", name: "category", help: "Tag category.", size: 63 },
    {
      kind: "table",
      name: "tags",
      help: "Tags.",
      mkey: "name",
      memberTable: true,
      fields: [{ kind: "string", name: "name", help: "Tag name.", size: 79 }],
    },
  ],
};
