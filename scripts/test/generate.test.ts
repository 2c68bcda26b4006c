import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import t from "tap";
import { loadConfig } from "@podgate/shared/runtime/config";
import { fieldsOf, schemaOf } from "@podgate/shared/runtime/config-schema";
import { exampleText, SCHEMAS } from "../docs-configuration.ts";
import { metricsOf } from "../docs-metrics.ts";

const GENERATED = [
  ".oxlintrc.json",
  "docs/configuration.md",
  "docs/metrics.md",
  "docs/schema/podgate-watcher.schema.json",
  "docs/schema/podgate-pusher.schema.json",
];

function generate(cwd: string, ...args: string[]) {
  const script = resolve("scripts/generate.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd,
    encoding: "utf8",
  });
  return { status, text: stdout + stderr };
}

t.test("every generated file of the repository is up to date", async (t) => {
  const { status, text } = generate(".", "--check");
  t.equal(status, 0, text);
});

t.test("the check names what is missing or stale and writes nothing", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "podgate-generate-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const missing = generate(root, "--check");
  t.equal(missing.status, 1);
  for (const file of GENERATED) {
    t.match(missing.text, `${file} is stale: run "npm run generate"`);
    t.notOk(existsSync(join(root, file)));
  }
  t.equal(generate(root).status, 0);
  t.equal(generate(root, "--check").status, 0);
  const page = join(root, "docs/configuration.md");
  writeFileSync(page, readFileSync(page, "utf8").replace("heartbeatSeconds", "heartbeat"));
  const stale = generate(root, "--check");
  t.equal(stale.status, 1);
  t.same(stale.text.trim().split("\n"), ['docs/configuration.md is stale: run "npm run generate"']);
});

for (const service of ["podgate-watcher", "podgate-pusher"] as const) {
  t.test(`the example of ${service} is a configuration without a fault`, async (t) => {
    const read = (): string => exampleText(service);
    t.ok(loadConfig(SCHEMAS[service], { file: `${service}.yaml`, env: {}, read }));
    t.throws(
      () =>
        loadConfig(SCHEMAS[service], {
          file: "x",
          env: {},
          read: () => exampleText(service).replace("nats:", "nat:"),
        }),
      /nat: unknown field; did you mean nats\?/,
      "and it is checked in earnest",
    );
  });

  t.test(`every field of ${service} says what it means`, async (t) => {
    const silent = fieldsOf(schemaOf(SCHEMAS[service])).filter(({ node }) => !node.description);
    t.same(
      silent.map(({ path }) => path.join(".")),
      [],
    );
  });
}

t.test("metrics are named as Prometheus asks, and each says what it means", async (t) => {
  const { both, watcher, pusher } = metricsOf();
  t.ok(both.length > 0 && watcher.length > 0 && pusher.length > 0);
  const endings = { counter: /_total$/, histogram: /_seconds$/, gauge: /(?<!_total)$/ };
  for (const { name, type, help } of [...both, ...watcher, ...pusher]) {
    t.match(name, /^podgate_[a-z][a-z0-9_]*$/);
    t.match(name, endings[type], name);
    t.not(help.trim(), "", name);
  }
});
