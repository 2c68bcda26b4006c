import { readFileSync } from "node:fs";
import { LineCounter, parseDocument, stringify, type YAMLError } from "yaml";
import type { z } from "zod";
import { overrideByEnvironment } from "./config-environment.ts";
import { faultsOf, lostNames } from "./config-faults.ts";
import { schemaOf } from "./config-schema.ts";
import { describeError, UserError } from "./errors.ts";
import { masked } from "./masked.ts";

export interface ConfigSource {
  /** Path of the YAML file; absent = environment only. */
  readonly file?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly read?: (file: string) => string;
}

/**
 * Reads and checks a service's configuration: file, then environment over it (`PODGATE_…`, see `variableOf`), then
 * the schema's defaults.
 *
 * @throws UserError with every fault at once, each with its path, the value (masked) and the remedy
 */
export function loadConfig<T>(schema: z.ZodType<T>, source: ConfigSource): T {
  const { file, env, read = (name: string) => readFileSync(name, "utf8") } = source;
  const raw = file === undefined ? {} : readYaml(file, read);
  const root = schemaOf(schema);
  const overridden = overrideByEnvironment(raw, env, root);
  const parsed = schema.safeParse(raw);
  const issues = parsed.success ? [] : parsed.error.issues;
  const faults = new Set([
    ...overridden.faults,
    ...lostNames(raw, root),
    ...issues.flatMap((issue) => faultsOf(issue, raw, root, overridden.variables)),
  ]);
  if (parsed.success && faults.size === 0) return parsed.data;
  const where = file === undefined ? " (no --config given, environment only)" : ` ${file}`;
  throw new UserError(
    `the configuration${where} has ${faults.size === 1 ? "a fault" : `${faults.size} faults`}:\n${indented([...faults])}`,
  );
}

/** The configuration as YAML that can be shown: defaults filled in, secrets masked. */
export function showConfig(configuration: unknown): string {
  return stringify(masked(configuration), { lineWidth: 0 });
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
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.some(({ message }) => OVERFLOW.test(message)))
    throw new UserError(`the configuration ${file} is nested too deeply to be one: check its brackets`);
  if (wrong.length > 0)
    throw new UserError(
      `the configuration ${file} is no proper YAML:\n${indented(wrong.map((each) => yamlFault(each, lines)))}`,
    );
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    throw new UserError(`the configuration ${file} is no proper YAML: ${describeError(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UserError(
      `the configuration ${file} must be a mapping of fields ("name: value"), not a list or a single value`,
    );
  return value as Record<string, unknown>;
}

/** The parser's own words when it runs out of stack. */
const OVERFLOW = /call stack|stack overflow/i;

function yamlFault({ code, message, pos }: YAMLError, lines: LineCounter): string {
  const { line, col } = lines.linePos(pos[0]);
  const said: Partial<Record<typeof code, string>> = {
    DUPLICATE_KEY: "a field that stands twice in its section; remove one of the two",
    MULTIPLE_DOCS: "a second document begins here; remove the line ---",
    TAB_AS_INDENT: "indented with a tab; use spaces",
  };
  return `line ${line}, column ${col}: ${said[code] ?? message}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}
