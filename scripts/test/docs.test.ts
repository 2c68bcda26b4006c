import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "@podgate/shared/runtime/config";
import { definitionFact } from "@podgate/watcher/kubernetes/group-definitions";
import t from "tap";
import { parse } from "yaml";
import { SCHEMAS, type Service } from "../docs-configuration.ts";

const PAGES = globSync(["*.md", "docs/**/*.md", "e2e/*/README.md", "e2e/simulators/*/README.md"]).toSorted();
const text = (file: string): string => readFileSync(file, "utf8");
const all = (page: string, pattern: RegExp): string[] =>
  [...text(page).matchAll(pattern)].map(([, found = ""]) => found);
const blocks = (page: string, language: string): string[] =>
  all(page, new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"));

const { scripts } = JSON.parse(text("package.json")) as { scripts: Record<string, string> };

/** As GitHub makes it from a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

t.test("every link in the documentation leads somewhere", async (t) => {
  for (const page of PAGES) {
    for (const link of all(page, /\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      t.ok(existsSync(target), `${page}: ${link}`);
      if (anchor !== undefined)
        t.ok(
          all(target, /^#+ (.+)$/gm)
            .map(anchorOf)
            .includes(anchor),
          `${page}: ${link}`,
        );
    }
  }
});

t.test("every file that the documentation names is there", async (t) => {
  for (const page of PAGES) {
    for (const file of all(page, /`((?:shared|services|scripts|charts|docs)\/[\w./*-]+)`/g)) {
      if (file.includes("/dist/")) continue;
      t.ok(globSync(file).length > 0, `${page}: ${file}`);
    }
  }
});

t.test("every npm command in the documentation exists, and the README names every one", async (t) => {
  for (const page of PAGES)
    for (const name of all(page, /npm run ([a-z0-9:-]+)/g)) t.ok(name in scripts, `${page}: npm run ${name}`);
  const table = all("README.md", /^\| `npm (?:run )?([a-z0-9:-]+)` \|/gm);
  t.same(table.toSorted(), Object.keys(scripts).toSorted());
});

t.test("configurations in the documentation are taken by the services", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "podgate-docs-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const seen = new Set<Service>();
  for (const page of PAGES) {
    for (const [at, block] of blocks(page, "yaml").entries()) {
      if (block.startsWith(VALUES)) continue;
      const service = serviceOf(parse(block) as object);
      if (service === undefined) continue;
      const file = join(directory, `${at}.yaml`);
      writeFileSync(file, block);
      t.doesNotThrow(() => loadConfig(SCHEMAS[service], { file, env: {} }), `${page}: yaml block ${at + 1}`);
      seen.add(service);
    }
  }
  t.same([...seen].toSorted(), ["podgate-pusher", "podgate-watcher"]);
});

/** Values of a chart; e2e/packaging/charts.test.ts renders them. */
const VALUES = "# values of ";

function serviceOf(document: object): Service | undefined {
  if ("install" in document) return "podgate-pusher";
  return "cluster" in document ? "podgate-watcher" : undefined;
}

t.test(
  "group definitions in the documentation are accepted, and of a version that the chart has",
  async (t) => {
    const kinds = new Map(
      globSync("charts/podgate-watcher/files/crds/*.yaml").map((file) => {
        const { spec } = parse(text(file)) as {
          spec: { group: string; names: { kind: string }; versions: { name: string }[] };
        };
        return [spec.names.kind, spec.versions.map(({ name }) => `${spec.group}/${name}`)] as const;
      }),
    );
    let found = 0;
    for (const page of PAGES) {
      for (const block of blocks(page, "yaml")) {
        const resource = parse(block) as { apiVersion?: string; kind?: string };
        const { apiVersion = "", kind } = resource;
        if (kind !== "ClusterAddressGroup" && kind !== "AddressGroup") continue;
        found += 1;
        t.ok(kinds.get(kind)?.includes(apiVersion), `${page}: ${kind} ${apiVersion}`);
        t.same(definitionFact(kind, resource).faults, [], `${page}: ${kind}`);
      }
    }
    t.ok(found >= 2);
  },
);

t.test("decisions are numbered without a gap, and every reference to one finds it", async (t) => {
  const files = globSync("docs/adr/*.md").toSorted();
  const numbers = files.map((file) => Number(/(\d{4})-/.exec(file)?.[1]));
  t.same(
    numbers,
    files.map((_, at) => at + 1),
  );
  for (const [at, file] of files.entries()) t.match(text(file), `# ${at + 1}. `, file);
  const sources = globSync("{shared,services,scripts,e2e}/**/*.ts", {
    exclude: (path) => path.endsWith("node_modules") || path.endsWith("dist"),
  });
  for (const file of [...PAGES, ...sources])
    for (const number of all(file, /(?:docs\/adr\/0*|\bADR )(\d+)/g))
      t.ok(numbers.includes(Number(number)), `${file}: ADR ${number}`);
});
