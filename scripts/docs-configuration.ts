import { readFileSync } from "node:fs";
import { configurationSchema as pusherSchema } from "@podgate/pusher/configuration";
import { variableOf } from "@podgate/shared/runtime/config-environment";
import {
  type Field,
  fieldsOf,
  type SchemaNode,
  schemaOf,
  wanted,
} from "@podgate/shared/runtime/config-schema";
import { configurationSchema as watcherSchema } from "@podgate/watcher/configuration";

export type Service = "podgate-watcher" | "podgate-pusher";

export const SCHEMAS: Readonly<Record<Service, Parameters<typeof schemaOf>[0]>> = {
  "podgate-watcher": watcherSchema,
  "podgate-pusher": pusherSchema,
};
const WHAT: Record<Service, string> = {
  "podgate-watcher": "one for every cluster",
  "podgate-pusher": "one for all clusters and firewalls",
};

/** The configuration file's JSON Schema, for editors and charts. */
export function schemaText(service: Service): string {
  const { $schema, ...schema } = schemaOf(SCHEMAS[service]) as Record<string, unknown>;
  return `${JSON.stringify({ $schema, title: `configuration of ${service}`, ...schema }, undefined, 2)}\n`;
}

export function exampleText(service: Service): string {
  return readFileSync(new URL(`../docs/examples/${service}.yaml`, import.meta.url), "utf8");
}

export function configurationPage(): string {
  const services = Object.keys(SCHEMAS) as Service[];
  return `${INTRODUCTION}\n${services.map(chapter).join("\n")}`;
}

const INTRODUCTION = `<!-- Written by "npm run generate" from the schemas of both services. -->

# Configuration

Each service reads one YAML file, named by \`--config\`, and lays the environment over it.

- \`--check-config\` checks the configuration, prints it with its defaults and ends; the exit code is 2 when something is
  wrong. All faults are named at once, each with its field, its value and what it must be.
- A field that the service does not know is a fault, and so is one that stands twice.
- Secrets never stand in the configuration: a field \`…File\` names the file that holds one.
- A variable overrides one field: \`PODGATE_\`, the field's name in capitals, two underscores before the name of a field
  inside a section, one between words: \`nats.tls.caFile\` is \`PODGATE_NATS__TLS__CA_FILE\`. Text is taken as it stands,
  everything else is read as YAML: \`PODGATE_NATS__SERVERS='["tls://nats.example:4222"]'\`. A list is given whole. A
  variable that looks like a misspelled field is a fault.
- Editors complete and check the file with the schemas in [schema/](schema/).
`;

function chapter(service: Service): string {
  const rows = fieldsOf(schemaOf(SCHEMAS[service])).map(row);
  return `## ${service}: ${WHAT[service]}

\`\`\`yaml
${exampleText(service).replace(/^# yaml-language-server.*\n/, "")}\`\`\`

| field | what it holds | default | meaning | variable |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function row({ path, node, required }: Field): string {
  const cells = [
    `\`${path.join(".").replaceAll(".[]", "[]")}\``,
    holds(node),
    required ? "**required**" : preset(node),
    node.description ?? "",
    path.includes("[]") ? "" : `\`${variableOf(path)}\``,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

function holds(node: SchemaNode): string {
  if (node.type === "object" && node.properties) return "a section";
  return wanted(node).replace("a list of mappings", "a list of sections");
}

function preset({ default: value }: SchemaNode): string {
  if (value === undefined || isEmptySection(value)) return "";
  return `\`${JSON.stringify(value)}\``;
}

/** What a section is when it is left out: its fields' own defaults hold. */
function isEmptySection(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}
