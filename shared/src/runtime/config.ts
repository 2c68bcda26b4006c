import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import { UserError } from "./errors.ts";

export interface ConfigSource {
  /** Path of the YAML file; absent = environment only. */
  readonly file?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly read?: (file: string) => string;
}

/** `PODGATE_NATS__SERVERS='["nats://a:4222"]'` sets `nats.servers`: two underscores nest, values are YAML. */
const PREFIX = "PODGATE_";

/**
 * Reads and checks a service's configuration: file, then environment over it, then the schema's defaults.
 *
 * @throws UserError with every fault at once, each with its path, the value and the remedy
 */
export function loadConfig<T>(schema: z.ZodType<T>, source: ConfigSource): T {
  const raw =
    source.file === undefined
      ? {}
      : readYaml(source.file, source.read ?? ((file) => readFileSync(file, "utf8")));
  override(raw, source.env, schema);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) => faultsOf(issue, raw, schema));
  throw new UserError(
    `the configuration${source.file === undefined ? "" : ` ${source.file}`} has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
  );
}

function readYaml(file: string, read: (file: string) => string): Record<string, unknown> {
  let text: string;
  try {
    text = read(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new UserError(
      `the configuration file ${file} cannot be read (${code}): name another one with --config`,
    );
  }
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new UserError(
      `the configuration ${file} is not YAML:\n${document.errors.map(({ message }) => `  ${message.split("\n")[0] ?? ""}`).join("\n")}`,
    );
  }
  const value: unknown = document.toJS() ?? {};
  if (!isObject(value))
    throw new UserError(
      `the configuration ${file} must be a mapping of fields, not a list or a single value`,
    );
  return value;
}

function override(raw: Record<string, unknown>, env: ConfigSource["env"], schema: z.ZodType): void {
  const names = fieldNames(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || value === undefined) continue;
    const path = name
      .slice(PREFIX.length)
      .split("__")
      .map((part) => names.get(part.replaceAll("_", "").toLowerCase()) ?? part.toLowerCase());
    // PODGATE_CACHE and the like belong to the tooling, not to a service.
    if (path.length === 1 && !names.has((path[0] ?? "").toLowerCase())) continue;
    let at = raw;
    for (const part of path.slice(0, -1)) {
      if (!isObject(at[part])) at[part] = {};
      at = at[part] as Record<string, unknown>;
    }
    const document = parseDocument(value);
    at[path.at(-1) ?? ""] = document.errors.length > 0 ? value : document.toJS();
  }
}

function fieldNames(schema: unknown, into = new Map<string, string>()): Map<string, string> {
  if (!isObject(schema)) return into;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" && isObject(value))
      for (const name of Object.keys(value)) into.set(name.toLowerCase(), name);
    if (Array.isArray(value)) for (const each of value) fieldNames(each, into);
    else fieldNames(value, into);
  }
  return into;
}

function faultsOf(issue: z.core.$ZodIssue, raw: unknown, schema: z.ZodType): string[] {
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    const names = [...fieldNames(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })).values()];
    return issue.keys.map((key) => {
      const near = names.find((name) => distance(name, key) <= 2);
      const at = path === "" ? key : `${path}.${key}`;
      return `${at}: unknown field${near === undefined ? "; remove it" : `; did you mean ${near}?`}`;
    });
  }
  const value = issue.path.reduce<unknown>(
    (at, part) =>
      isObject(at) || Array.isArray(at) ? (at as Record<PropertyKey, unknown>)[part] : undefined,
    raw,
  );
  // Somebody may have put a password into a URL.
  const shown = value === undefined ? "missing" : JSON.stringify(value).replaceAll(/\/\/[^/"]*@/g, "//***@");
  return [`${path === "" ? "(whole file)" : path}: ${shown}: ${issue.message}`];
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) => (typeof part === "number" ? `[${part}]` : `${at === 0 ? "" : "."}${String(part)}`))
    .join("");
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
