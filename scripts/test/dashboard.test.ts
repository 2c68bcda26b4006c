import { readFileSync } from "node:fs";
import t from "tap";
import { metricsOf } from "../docs-metrics.ts";

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const { panels } = JSON.parse(
  readFileSync("charts/podgate-pusher/files/dashboard.json", "utf8"),
) as Dashboard;

t.test("every metric and label on the dashboard is one that the services have", async (t) => {
  const metrics = new Map(
    Object.values(metricsOf())
      .flat()
      .map(({ name, labels }) => [name, Object.keys(labels)]),
  );
  const used = new Set<string>();
  for (const { title, targets = [] } of panels)
    for (const { expr } of targets)
      for (const [found] of expr.matchAll(/podgate_\w+/g)) {
        const name = found.replace(/_bucket$/, "");
        t.ok(metrics.has(name), `${title}: ${found}`);
        used.add(name);
      }
  t.ok(used.size > 20);
  for (const { title, targets = [] } of panels)
    for (const { expr } of targets) {
      const names = [...expr.matchAll(/podgate_\w+/g)].map(([found]) => found.replace(/_bucket$/, ""));
      const known = new Set([
        "le",
        "job",
        "namespace",
        "instance",
        ...names.flatMap((name) => metrics.get(name) ?? []),
      ]);
      for (const [, labels = ""] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g))
        for (const label of labels.split(", ")) t.ok(known.has(label), `${title}: label ${label}`);
    }
});

t.test("panels have numbers of their own", async (t) => {
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
});
