import type { z } from "zod";
import { choicesOf, fieldsOf, nodeAt, type SchemaNode, wanted } from "./config-schema.ts";
import { masked } from "./masked.ts";
import { nearest } from "./nearest.ts";
import { isSecretName } from "./secrets.ts";

const LONGEST = 1500;

/** One issue of the schema's check as lines a user can act on: `path: value: what it must be`. */
export function faultsOf(
  issue: z.core.$ZodIssue,
  raw: unknown,
  root: SchemaNode,
  variables: ReadonlyMap<string, string>,
): string[] {
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map(
      (key) => `${pathText([...issue.path, key])}: ${unknownField(key, issue.path, root)}`,
    );
  const value = issue.path.reduce<unknown>(
    (at, part) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined,
    raw,
  );
  const variable = issue.path
    .map((_, at) => variables.get(pathText(issue.path.slice(0, at + 1))))
    .findLast((name) => name !== undefined);
  const from = variable === undefined ? "" : ` (from ${variable})`;
  return [
    `${path || "(whole file)"}${from}: ${shown(value, issue.path)}: ${oneLine(sentence(issue, value, root))}`,
  ];
}

/**
 * Names that zod (4.6) leaves out of a mapping of names without a word: a selector without the one label that it was
 * to look for would select everything.
 */
export function lostNames(value: unknown, node: SchemaNode, path: readonly PropertyKey[] = []): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { items, properties, additionalProperties } = node;
  if (Array.isArray(value))
    return items === undefined ? [] : value.flatMap((each, at) => lostNames(each, items, [...path, at]));
  const lost = typeof additionalProperties === "object" && Object.hasOwn(value, "__proto__");
  return [
    ...(lost ? [`${pathText([...path, "__proto__"])}: cannot be a name; take it out`] : []),
    ...Object.entries(properties ?? {}).flatMap(([name, inside]) =>
      Object.hasOwn(value, name)
        ? lostNames((value as Record<string, unknown>)[name], inside, [...path, name])
        : [],
    ),
  ];
}

/** A schema's own message may repeat the value, which may be anything. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s*[\r\n]+\s*/g, " ");
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

function sentence(issue: z.core.$ZodIssue, value: unknown, root: SchemaNode): string {
  const node = nodeAt(root, issue.path);
  // A message of the schema's own is a sentence already; the library's begin like this.
  if (node === undefined || !/^(Invalid|Too |Unrecognized|Expected)/.test(issue.message))
    return issue.message;
  const meaning = node.description === undefined ? "" : ` (${node.description})`;
  if (value === undefined) return `must be ${wanted(node)}${meaning}`;
  if (node.type === "string" && value === "") return `must not be empty${meaning}`;
  const choices = choicesOf(node);
  if (
    node.type === "string" &&
    choices === undefined &&
    (typeof value === "number" || typeof value === "boolean")
  )
    return `must be text; put it in quotes`;
  const meant = typeof value === "string" ? nearest(value, choices?.map(String) ?? []) : undefined;
  return `must be ${wanted(node)}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

function unknownField(key: string, section: readonly PropertyKey[], root: SchemaNode): string {
  const siblings = Object.keys(nodeAt(root, section)?.properties ?? {});
  if (siblings.includes(`${key}File`)) return `unknown field; secrets stand in files: use ${key}File`;
  const near = nearest(key, siblings);
  if (near !== undefined) return `unknown field; did you mean ${near}?`;
  const elsewhere = fieldsOf(root).find(({ path }) => path.at(-1) === key);
  if (elsewhere !== undefined) return `unknown field here; did you mean ${pathText(elsewhere.path)}?`;
  return `unknown field; remove it, or use one of ${siblings.join(", ")}`;
}

function shown(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (typeof value === "number") return String(value); // NaN and infinity, too
  if (path.some((part) => isSecretName(String(part)))) return "***";
  const text = JSON.stringify(masked(value));
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** `clusters[0].name`, `podSelector.matchLabels["app.kubernetes.io/name"]` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) => {
      if (typeof part === "number") return `[${part}]`;
      const name = String(part);
      if (name === "[]") return name;
      if (!/^[\w-]+$/.test(name)) return `[${JSON.stringify(name)}]`;
      return at === 0 ? name : `.${name}`;
    })
    .join("");
}
