import { parseDocument } from "yaml";
import { fieldsOf, type SchemaNode } from "./config-schema.ts";
import { nearest } from "./nearest.ts";

const PREFIX = "PODGATE_";
/** Kubernetes sets PODGATE_…_PORT=tcp://… for a Service whose name begins with podgate. */
const SERVICE_LINK = /^(tcp|udp|sctp):\/\//;

/** `["nats", "tls", "caFile"]` → `PODGATE_NATS__TLS__CA_FILE`: two underscores nest, one parts words. */
export function variableOf(path: readonly string[]): string {
  return PREFIX + path.map((name) => name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()).join("__");
}

export interface Overridden {
  /** Of variables that name no field and look as if they should. Never a variable's value. */
  readonly faults: readonly string[];
  /** Path as in faults → the variable it came from. */
  readonly variables: ReadonlyMap<string, string>;
}

/**
 * Writes the variables' values over `raw`. A field that wants text takes a value as it stands; every other is read as
 * YAML, so a list is `PODGATE_NATS__SERVERS='["nats://a:4222"]'`.
 */
export function overrideByEnvironment(
  raw: Record<string, unknown>,
  env: Readonly<Record<string, string | undefined>>,
  root: SchemaNode,
): Overridden {
  const known = new Map(
    fieldsOf(root)
      .filter(({ path }) => !path.includes("[]"))
      .map((field) => [variableOf(field.path), field]),
  );
  const faults: string[] = [];
  const variables = new Map<string, string>();
  // Sections before their fields.
  const given = Object.entries(env)
    .filter(([name]) => name.startsWith(PREFIX))
    .toSorted(([a], [b]) => a.split("__").length - b.split("__").length);
  for (const [name, value] of given) {
    if (value === undefined) continue;
    const field = known.get(name);
    if (field === undefined) {
      faults.push(...unknownVariable(name, value, [...known.keys()], root));
      continue;
    }
    if (place(raw, field.path, field.node.type === "string" ? value : yamlValue(value)))
      variables.set(field.path.join("."), name);
  }
  return { faults, variables };
}

/** False where the file has something else than a mapping on the way: the schema's check names that. */
function place(raw: Record<string, unknown>, path: readonly string[], value: unknown): boolean {
  let at = raw;
  for (const part of path.slice(0, -1)) {
    const next = (at[part] ??= {});
    if (typeof next !== "object" || Array.isArray(next)) return false;
    at = next as Record<string, unknown>;
  }
  at[path.at(-1) ?? ""] = value;
  return true;
}

function yamlValue(text: string): unknown {
  try {
    const document = parseDocument(text);
    return document.errors.length > 0 ? text : document.toJS();
  } catch {
    return text; // more aliases than the parser allows
  }
}

function unknownVariable(name: string, value: string, known: readonly string[], root: SchemaNode): string[] {
  const [section = "", ...inside] = name.slice(PREFIX.length).split("__");
  const list = Object.keys(root.properties ?? {}).find(
    (field) => root.properties?.[field]?.type === "array" && variableOf([field]) === PREFIX + section,
  );
  if (list !== undefined)
    return [`${name}: ${list} is a list; give the whole of it, as YAML, in ${PREFIX}${section}`];
  if (known.includes(`${name}_FILE`))
    return [`${name}: secrets stand in files; name the file in ${name}_FILE`];
  const nested = inside.length > 0;
  const meant =
    known.find((each) => letters(each) === letters(name)) ??
    // One word is compared with sections only: the environment holds variables of tools and of Services, too.
    nearest(
      name,
      known.filter((each) => nested || !each.includes("__")),
      PREFIX,
    );
  if (!nested && (meant === undefined || SERVICE_LINK.test(value))) return [];
  return [
    `${name}: no field of the configuration; ${meant === undefined ? "remove it" : `did you mean ${meant}?`}`,
  ];
}

const letters = (name: string): string => name.replaceAll("_", "").toLowerCase();
