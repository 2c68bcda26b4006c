import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { parse } from "yaml";
import { obtainTool, skipWithout } from "../tools/tool.ts";

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const RULES = path("charts/podgate-pusher/files/alerts.yaml");
const TESTS = path("e2e/test/alerts.yaml");

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const { groups } = parse(readFileSync(RULES, "utf8")) as { groups: { rules: Alert[] }[] };
const ALERTS = groups.flatMap(({ rules }) => rules);

async function promtool(...args: readonly string[]): Promise<string> {
  const { path: program } = await obtainTool("promtool", () => undefined);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

t.test("the alert rules are rules of Prometheus", { skip: skipWithout("promtool") }, async (t) => {
  t.equal(await promtool("check", "rules", "--lint=all", "--lint-fatal", RULES), "");
});

t.test(
  "the alerts fire when they should, and stay silent otherwise",
  { skip: skipWithout("promtool") },
  async (t) => {
    t.equal(await promtool("test", "rules", TESTS), "");
  },
);

t.test("there is a test of each alert", async (t) => {
  const tests = readFileSync(TESTS, "utf8").replace(/^ {2}- name: nothing fires[^]*?\n\n/m, "");
  for (const { alert, labels, annotations } of ALERTS) {
    t.match(
      tests,
      new RegExp(`\\b${alert}\\b|PodgateDevice\\(.*${alert.replace("PodgateDevice", "")}`),
      alert,
    );
    t.ok(["critical", "warning", "info"].includes(labels.severity), alert);
    t.same(Object.keys(annotations).toSorted(), ["description", "runbook", "summary"]);
  }
});

t.test("the alerts ask for metrics that the services have", async (t) => {
  const page = readFileSync(path("docs/metrics.md"), "utf8");
  const known = new Set([...page.matchAll(/^\| `(podgate_\w+)`/gm)].map(([, name]) => name));
  for (const { alert, expr } of ALERTS) {
    for (const [name] of expr.matchAll(/\bpodgate_\w+/g))
      t.ok(known.has(name.replace(/_(?:bucket|sum|count)$/, "")), `${alert}: ${name}`);
    // podgate_build_info has the services as values; the page calls them by their full names.
    for (const [, label = "", values = ""] of expr
      .replace(/service="pusher"/, "")
      .matchAll(/\b(\w+)(?:=|=~|!~|!=)"([^"]+)"/g))
      for (const value of values.split("|"))
        t.match(page, new RegExp(`\`${label}\`[^|]*\\b${value}\\b`), `${alert}: ${value}`);
  }
});
