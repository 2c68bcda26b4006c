import { readFileSync } from "node:fs";
import { parse } from "yaml";

export const CHARTS = ["podgate-watcher", "podgate-pusher"] as const;
export type Chart = (typeof CHARTS)[number];

/** One value of a chart, as the comments above it in values.yaml say. */
export interface ChartValue {
  readonly path: readonly string[];
  readonly description: string;
  readonly default: unknown;
  /** From `# @schema {…}`: what the type of the default does not say. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** From `# @configuration field`: the same as that field of the service's configuration. */
  readonly configuration: string | undefined;
}

const folder = (chart: Chart): URL => new URL(`../charts/${chart}/`, import.meta.url);

export const chartText = (chart: Chart, file: string): string =>
  readFileSync(new URL(file, folder(chart)), "utf8");

const KEY = /^(?<indent> *)(?<key>[A-Za-z]\w*):/;

/**
 * `# -- description`, continued on lines of comment, stands above each value. What has none of its own is part of the
 * value above it.
 */
export function chartValues(chart: Chart): ChartValue[] {
  const text = chartText(chart, "values.yaml");
  const defaults: unknown = parse(text);
  const values: ChartValue[] = [];
  const at: { indent: number; key: string }[] = [];
  let comment: string[] = [];
  for (const line of text.split("\n")) {
    const { indent = "", key } = KEY.exec(line)?.groups ?? {};
    if (line.trim().startsWith("#")) comment.push(line.trim().slice(1).trim());
    else {
      if (key !== undefined) {
        while ((at.at(-1)?.indent ?? -1) >= indent.length) at.pop();
        at.push({ indent: indent.length, key });
        const path = at.map((each) => each.key);
        if (comment[0]?.startsWith("-- ") === true) values.push(valueOf(path, comment, defaults));
      }
      comment = [];
    }
  }
  return values;
}

function valueOf(path: readonly string[], comment: readonly string[], defaults: unknown): ChartValue {
  const words = comment.filter((line) => !line.startsWith("@")).join(" ");
  const tag = (name: string): string | undefined =>
    comment.find((line) => line.startsWith(`@${name} `))?.slice(name.length + 2);
  return {
    path,
    description: words.slice("-- ".length),
    default: path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], defaults),
    schema: JSON.parse(tag("schema") ?? "{}") as Record<string, unknown>,
    configuration: tag("configuration"),
  };
}
