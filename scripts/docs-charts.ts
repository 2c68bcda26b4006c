import { schemaOf } from "@podgate/shared/runtime/config-schema";
import { type Chart, chartText, type ChartValue, chartValues } from "./chart-values.ts";
import { SCHEMAS } from "./docs-configuration.ts";

type Schema = Record<string, unknown>;

/** The chart's README: its hand-written head up to the marker, and a table of its values. */
export function chartReadme(chart: Chart): string {
  const [head = ""] = chartText(chart, "README.md").split(MARKER);
  const rows = chartValues(chart).map(
    ({ path, description, default: value }) =>
      `| \`${path.join(".")}\` | ${description.replaceAll("|", "\\|")} | \`${JSON.stringify(value)}\` |`,
  );
  return `${head.trimEnd()}\n\n${MARKER}\n\n## Values\n\n| value | meaning | default |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

const MARKER = `<!-- Below: written by "npm run generate" from values.yaml. -->`;

/** values.schema.json: helm refuses a value that it does not know or that is of another type. */
export function chartSchema(chart: Chart): string {
  const root: Schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `values of ${chart}`,
    ...section(),
  };
  for (const value of chartValues(chart)) {
    let at = root;
    for (const key of value.path.slice(0, -1)) at = (properties(at)[key] ??= section()) as Schema;
    properties(at)[value.path.at(-1) ?? ""] = schemaOfValue(chart, value);
  }
  // Of a chart that another one contains.
  properties(root)["global"] = { type: "object" };
  return `${JSON.stringify(root, undefined, 2)}\n`;
}

const section = (): Schema => ({ type: "object", additionalProperties: false, properties: {} });
const properties = (schema: Schema): Schema => schema["properties"] as Schema;

function schemaOfValue(
  chart: Chart,
  { description, default: value, schema, configuration }: ChartValue,
): Schema {
  const given = configuration === undefined ? { type: typeOf(value) } : likeField(chart, configuration);
  return { description, ...given, ...schema };
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? "integer" : typeof value;
}

/** A field of the service's configuration; empty lists are refused by the template, in words. */
function likeField(chart: Chart, field: string): Schema {
  const { properties: fields = {} } = schemaOf(SCHEMAS[chart]) as { properties?: Record<string, Schema> };
  if (field === "*")
    return { type: "object", additionalProperties: false, properties: plain(rest(chart, fields)) };
  const { description: _, minItems: __, default: ___, ...schema } = structuredClone(fields[field] ?? {});
  if (chart === "podgate-pusher" && field === "targets") byReference(schema["items"] as Schema);
  return plain(schema) as Schema;
}

/** Helm's regular expressions (RE2) look neither ahead nor behind: the service checks those itself. */
function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => key !== "pattern" || !/\(\?[!<=]/.test(String(value)))
      .map(([key, value]) => [key, plain(value)]),
  );
}

/** What no value of its own says. */
function rest(chart: Chart, fields: Record<string, Schema>): Record<string, Schema> {
  const own = new Set(chartValues(chart).map(({ configuration }) => configuration));
  const rendered = new Set(["cluster", "install", "nats", "kubernetes", "bus", "ops", "log"]);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !own.has(name) && !rendered.has(name)));
}

/** A target names Secrets where the configuration names files. */
function byReference(target: Schema): void {
  const { tokenFile: _, caFile: __, ...fields } = properties(target);
  const text = { type: "string" };
  target["properties"] = {
    ...fields,
    token: { ...section(), properties: { existingSecret: text, key: text, value: text } },
    ca: { ...section(), properties: { existingSecret: text, existingConfigMap: text, key: text } },
  };
  target["required"] = (target["required"] as string[]).filter((name) => name !== "tokenFile");
}
