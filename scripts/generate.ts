// Writes every generated file of the repository. See --help.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { optionsOr, parseCommand } from "./options.ts";
import { CHARTS } from "./chart-values.ts";
import { chartReadme, chartSchema } from "./docs-charts.ts";
import { configurationPage, schemaText } from "./docs-configuration.ts";
import { metricsPage } from "./docs-metrics.ts";
import { lintConfig } from "./lint-config.ts";

const HELP = `npm run generate -- [options]

Writes every file of the repository that is made from another.

  --check   only say which are stale, and fail
  --help`;

const FILES: Record<string, () => string> = {
  ".oxlintrc.json": lintConfig,
  "docs/configuration.md": configurationPage,
  "docs/metrics.md": metricsPage,
  "docs/schema/podgate-watcher.schema.json": () => schemaText("podgate-watcher"),
  "docs/schema/podgate-pusher.schema.json": () => schemaText("podgate-pusher"),
  ...Object.fromEntries(
    CHARTS.flatMap((chart) => [
      [`charts/${chart}/README.md`, () => chartReadme(chart)],
      [`charts/${chart}/values.schema.json`, () => chartSchema(chart)],
    ]),
  ),
};

const { check } = optionsOr(
  HELP,
  parseCommand(
    process.argv.slice(2),
    { check: { type: "boolean", default: false } },
    (given) => given.values,
  ),
);
let stale = 0;
for (const [file, make] of Object.entries(FILES)) {
  const text = make();
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  stale += 1;
  if (check) {
    console.error(`${file} is stale: run "npm run generate"`);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(file);
}
process.exit(check && stale > 0 ? 1 : 0);
