import type { Json } from "./envelope.ts";
import { defaultOf, present, required, type Field } from "./field.ts";
import type { World } from "./rules.ts";
import type { Table } from "./table.ts";

/** `action=schema`, in the shape of recorded replies: limits of this very model among it. */
export function schemaOf(world: World, table: Table): Json {
  const limit = table.limit === undefined ? 0 : world.limits[table.limit];
  return {
    access_group: table.access.split(".")[0] ?? "",
    category: table.mkey === undefined ? "unitary" : "table",
    children: children(world, table.fields),
    help: table.help,
    max_table_size_global: limit,
    max_table_size_item: 0,
    max_table_size_vdom: limit,
    ...(table.mkey === undefined ? {} : { mkey: table.mkey, mkey_type: table.mkeyType ?? "string" }),
    name: table.name,
    ...(world.profile.schemaDefaults ? { object_range: table.global === true ? "global" : "vdom" } : {}),
    path: table.path,
    q_type: table.qType,
  };
}

function children(world: World, fields: readonly Field[]): { [name: string]: Json } {
  const result: { [name: string]: Json } = {};
  for (const field of fields.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (present(field, world.profile)) result[field.name] = child(world, field);
  }
  return result;
}

function child(world: World, field: Field): Json {
  const { profile } = world;
  const need = required(field, profile) ? { required: true } : {};
  if (field.kind === "table") {
    return {
      category: "table",
      children: children(world, field.fields),
      help: field.help,
      max_table_size_global: 0,
      max_table_size_item: field.limit === undefined ? 0 : world.limits[field.limit],
      max_table_size_vdom: 0,
      ...(field.memberTable ? { member_table: true } : {}),
      mkey: field.mkey,
      mkey_type: "string",
      name: field.name,
      ...need,
    };
  }
  const withDefault = profile.schemaDefaults && field.kind !== "var-string";
  return {
    category: "unitary",
    ...(field.kind === "string" && field.datasource !== undefined
      ? { datasource: field.datasource.map((id) => `${id}.name`) }
      : {}),
    ...(withDefault ? { default: defaultOf(field) as string | number } : {}),
    help: field.help,
    ...(field.kind === "integer" ? { "max-value": field.max, "min-value": field.min } : {}),
    ...(profile.schemaDefaults || field.kind === "option" ? { multiple_values: false } : {}),
    name: field.name,
    ...(field.kind === "option"
      ? {
          options: field.options
            .filter((option) => present(option, profile))
            .map(({ name }) => ({ help: name, name })),
        }
      : {}),
    ...need,
    ...("size" in field ? { size: field.size } : {}),
    type: field.kind,
  };
}

/** `action=default` */
export function defaultsOf(world: World, table: Table): Json {
  const result: { [name: string]: Json } = {};
  for (const field of table.fields) {
    if (present(field, world.profile)) result[field.name] = defaultOf(field) as Json;
  }
  return result;
}
