import { z } from "zod";

/** The part of JSON Schema that configurations need: what the file may hold at one place. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
}

/** JSON Schema (2020-12) of what the user writes, before defaults. */
export function schemaOf(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as SchemaNode;
}

/** The node at a path; undefined where the schema knows nothing. */
export function nodeAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>((node, part) => {
    if (typeof part === "number") return node?.items;
    const more = node?.additionalProperties;
    return node?.properties?.[String(part)] ?? (typeof more === "object" ? more : undefined);
  }, root);
}

export interface Field {
  /** Names from the root; `[]` = an entry of the list before it. */
  readonly path: readonly string[];
  readonly node: SchemaNode;
  readonly required: boolean;
}

/** Every field in the order of the schema, sections and lists before what is in them. */
export function fieldsOf(root: SchemaNode, path: readonly string[] = []): Field[] {
  const fields: Field[] = [];
  for (const [name, node] of Object.entries(root.properties ?? {})) {
    const at = path.concat(name);
    fields.push({ path: at, node, required: root.required?.includes(name) ?? false });
    fields.push(...fieldsOf(node, at));
  }
  if (root.items) fields.push(...fieldsOf(root.items, path.concat("[]")));
  return fields;
}

/** The values a field is limited to, if it is. */
export function choicesOf(node: SchemaNode): readonly unknown[] | undefined {
  if (node.enum) return node.enum;
  if (node.const !== undefined) return [node.const];
  const each = node.anyOf?.map(choicesOf);
  return each?.every((choices) => choices !== undefined) === true ? each.flat() : undefined;
}

/** What a value has to be, to go behind "must be": "a whole number from 3 to 300". */
export function wanted(node: SchemaNode): string {
  const choices = choicesOf(node);
  if (choices) return `one of ${choices.join(", ")}`;
  switch (node.type) {
    case "string":
      return "text";
    case "boolean":
      return "true or false";
    case "integer":
    case "number":
      return `${node.type === "integer" ? "a whole number" : "a number"}${range(node)}`;
    case "array": {
      const least = node.minItems === undefined ? "" : `, at least ${node.minItems}`;
      return `a list of ${plural(node.items)}${least}`;
    }
    case "object":
      return node.properties ? mapping(node) : "a mapping of names to text";
    default:
      return "another value";
  }
}

function mapping({ properties = {}, required = [] }: SchemaNode): string {
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const needs = required.length > 0 ? ` that has ${required.join(", ")}` : "";
  const may = optional.length > 0 ? ` that may have ${optional.join(", ")}` : "";
  return `a mapping${needs}${needs && may ? " and" : ""}${may}`;
}

function plural(node: SchemaNode | undefined): string {
  if (node?.type === "string") return "texts";
  return node?.type === "object" ? "mappings" : `${node?.type ?? "value"}s`;
}

function range({ minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  const least = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${most === undefined ? "" : `, at most ${most}`}`;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined) return `, at least ${least}`;
  return most === undefined ? "" : `, at most ${most}`;
}
