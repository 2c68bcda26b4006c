import { pusherMetrics } from "@podgate/pusher/metrics";
import { type MetricDescription, Metrics } from "@podgate/shared/runtime/metrics";
import { watcherMetrics } from "@podgate/watcher/metrics";

/** Every metric of both services, as their own definitions say. */
export function metricsOf(): Record<"both" | "watcher" | "pusher", MetricDescription[]> {
  const both = new Metrics("both", "").describe();
  const watcher = new Metrics("watcher", "");
  watcherMetrics(watcher);
  const pusher = new Metrics("pusher", "");
  pusherMetrics(pusher, { clusters: [], targets: [], devices: [] });
  const own = (metrics: Metrics): MetricDescription[] => metrics.describe().slice(both.length);
  return { both: [...both], watcher: own(watcher), pusher: own(pusher) };
}

export function metricsPage(): string {
  const { both, watcher, pusher } = metricsOf();
  return `<!-- Written by "npm run generate" from the services' own definitions. -->

# Metrics

Both services serve them at \`/metrics\` of the ops server (\`ops.host\`, \`ops.port\`), in the Prometheus text format,
together with those of the Node process (\`process_…\`, \`nodejs_…\`). A series exists from the start, at zero, wherever
its label values are known by then: those listed here, and clusters, targets and devices of the configuration.

## Both services

${table(both)}

## podgate-watcher

${table(watcher)}

## podgate-pusher

${table(pusher)}
`;
}

function table(metrics: readonly MetricDescription[]): string {
  const rows = metrics.map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labelText(labels)} | ${help} |`,
  );
  return `| name | type | labels | meaning |\n| --- | --- | --- | --- |\n${rows.join("\n")}`;
}

/** Values are listed where they are the same in every installation. */
function labelText(labels: MetricDescription["labels"]): string {
  return Object.entries(labels)
    .map(([label, values]) =>
      values.length === 0 || label === "service" || label === "version"
        ? `\`${label}\``
        : `\`${label}\` (${values.join(", ")})`,
    )
    .join("; ");
}
