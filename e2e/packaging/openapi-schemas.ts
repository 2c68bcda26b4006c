import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesClient } from "../stack/kubernetes-client.ts";

interface Schema {
  readonly "x-kubernetes-group-version-kind"?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
  readonly [field: string]: unknown;
}

/**
 * Writes what an API server says of its kinds (`/openapi/v2`) as JSON Schemas, a file for each kind.
 *
 * @returns what kubeconform takes as `-schema-location`
 */
export async function writeSchemas(client: KubernetesClient, directory: string): Promise<string> {
  const { definitions } = (await client.call("GET", "/openapi/v2")) as {
    definitions: Record<string, Schema>;
  };
  mkdirSync(directory, { recursive: true });
  // Each file has all definitions that it refers to: a reference to another file would be one to a URL.
  for (const definition of Object.values(definitions))
    for (const { group, version, kind } of definition["x-kubernetes-group-version-kind"] ?? []) {
      const needed = new Map<string, unknown>();
      const root = closed(definition, definitions, needed);
      // What kubeconform calls the group of the core API is its version.
      const file = `${kind}-${group === "" ? version : group}-${version}.json`.toLowerCase();
      const schema = { ...(root as object), definitions: Object.fromEntries(needed) };
      writeFileSync(join(directory, file), JSON.stringify(schema));
    }
  return join(directory, "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json");
}

const REFERENCE = "#/definitions/";

/** An object may have no field but those that are described; references are gathered. */
function closed(node: unknown, definitions: Record<string, Schema>, needed: Map<string, unknown>): unknown {
  if (Array.isArray(node)) return node.map((each) => closed(each, definitions, needed));
  if (typeof node !== "object" || node === null) return node;
  const { $ref } = node as { $ref?: unknown };
  if (typeof $ref === "string") {
    const name = $ref.slice(REFERENCE.length);
    if (!needed.has(name)) {
      needed.set(name, {});
      needed.set(name, looseOrClosed(definitions[name], definitions, needed));
    }
    return { $ref };
  }
  return looseOrClosed(node, definitions, needed);
}

function looseOrClosed(
  node: unknown,
  definitions: Record<string, Schema>,
  needed: Map<string, unknown>,
): unknown {
  const schema = node as Record<string, unknown>;
  // A quantity, a port that may be a name, a schema of any form: the server takes more than its type says.
  const isLoose =
    schema["format"] === "int-or-string" || schema["x-kubernetes-preserve-unknown-fields"] === true;
  const { description } = schema;
  const isQuantity = typeof description === "string" && description.startsWith("Quantity is a fixed-point");
  if (isLoose || isQuantity) return {};
  const fields = Object.entries(schema).map(([key, value]): [string, unknown] => [
    key,
    closed(value, definitions, needed),
  ]);
  const isObject = typeof schema["properties"] === "object" && !("additionalProperties" in schema);
  return { ...Object.fromEntries(fields), ...(isObject && { additionalProperties: false }) };
}
