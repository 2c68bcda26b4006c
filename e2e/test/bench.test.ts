import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { imageEnvironment, imageNodeOptions } from "../bench/image-environment.ts";
import { quantile, quantiles } from "../bench/quantiles.ts";
import { render, type Section } from "../bench/report.ts";
import { usageOf } from "../bench/usage.ts";
import { skipWithout } from "../tools/tool.ts";

const BENCH = fileURLToPath(new URL("../bench/bench.ts", import.meta.url));

async function bench(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [BENCH, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  return { code, out, err };
}

t.test("quantiles are values that were measured", async (t) => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  t.match(quantiles(hundred), { count: 100, p50: 50, p99: 99, max: 100 });
  t.match(quantiles([3, 1, 2]), { count: 3, p50: 2, p99: 3, max: 3 });
  t.equal(quantile([7], 0.01), 7);
  t.ok(Number.isNaN(quantile([], 0.5)));
});

t.test("a table shows every row, and says of each aim whether it was met", async (t) => {
  const section: Section = {
    name: "a",
    title: "Title",
    notes: ["A note."],
    columns: ["what", "ms"],
    rows: [
      ["first", 1234.56],
      ["second", undefined],
    ],
    aims: [
      { what: "fast", measured: 5, limit: 5, unit: "ms" },
      { what: "slim", measured: 151, limit: 150, unit: "MB" },
    ],
  };
  const text = render(section);
  t.match(text, /^## Title$/m);
  t.match(text, /^first\s+1,234\.6$/m);
  t.match(text, /^second\s+-$/m);
  t.match(text, /^met\s+fast: 5 ms, aim at most 5 ms$/m);
  t.match(text, /^MISSED slim: 151 MB, aim at most 150 MB$/m);
});

t.test("the services are run with the environment and the options of their images", async (t) => {
  t.strictSame(imageNodeOptions("watcher"), ["--optimize-for-size"]);
  t.strictSame(imageNodeOptions("pusher"), []);
  for (const service of ["watcher", "pusher"] as const) {
    const environment = imageEnvironment(service);
    t.match(environment, {
      NODE_ENV: "production",
      NODE_OPTIONS: /^--max-semi-space-size=\d+$/,
      MALLOC_ARENA_MAX: "1",
    });
    t.notOk("PODGATE_VERSION" in environment, "a build argument is no value");
  }
});

t.test("memory and CPU of a process are read", async (t) => {
  const { rss, peakRss, ownRss, cpuSeconds } = usageOf(process.pid);
  t.ok(rss > 20 && peakRss >= rss && ownRss < rss && ownRss > 0, JSON.stringify({ rss, peakRss, ownRss }));
  t.ok(cpuSeconds > 0 && cpuSeconds < 600);
});

t.test("the bench says what it can do, and refuses what it does not know", async (t) => {
  const help = await bench("--help");
  t.equal(help.code, 0);
  t.match(help.out, /--quick/);
  const wrong = await bench("--only", "nothing");
  t.equal(wrong.code, 2);
  t.match(wrong.err, /--only nothing: use one of latency-50,/);
});

t.test(
  "a quick measurement prints its table and writes its numbers as JSON",
  { skip: skipWithout("nats-server") },
  async (t) => {
    const file = join(t.testdir(), "results.json");
    const { code, out, err } = await bench("--quick", "--no-build", "--only", "churn-4", "--json", file);
    t.equal(code, 0, err);
    t.match(out, /per 1,000 events/);
    const { sections } = JSON.parse(readFileSync(file, "utf8")) as { sections: Section[] };
    t.strictSame(
      sections.map(({ name }) => name),
      ["churn-4"],
    );
    const [within] = sections[0]?.aims ?? [];
    t.ok((within?.measured ?? 0) > 0 && (within?.measured ?? 0) <= (within?.limit ?? 0), "within the budget");
  },
);
