import { globSync, readFileSync } from "node:fs";
import t from "tap";
import { parse } from "yaml";

const OPERATIONS = "docs/operations.md";
const GUARANTEES = "docs/guarantees.md";
const RULES = "charts/podgate-pusher/files/alerts.yaml";
const text = (file: string): string => readFileSync(file, "utf8");
const all = (source: string, pattern: RegExp): string[] =>
  [...source.matchAll(pattern)].map(([, found = ""]) => found);

const sources = globSync(["services/*/src/**/*.ts", "shared/src/**/*.ts"]).map(text).join("\n");
const { groups } = parse(text(RULES)) as {
  groups: { rules: { alert: string; annotations: { runbook: string } }[] }[];
};
/** What FortiOS, Node and Kubernetes say. */
const OTHERS = new Set(["cfg-save manual", "JavaScript heap out of memory", "OOMKilled"]);
const alerts = groups.flatMap(({ rules }) => rules);

/** Each heading with what stands below it, by the anchor that GitHub makes of it. */
const sections = new Map(
  text(OPERATIONS)
    .split(/^(?=#)/m)
    .map((section) => {
      const heading = /^#+ (.+)$/m.exec(section)?.[1] ?? "";
      const anchor = heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-");
      return [anchor, section];
    }),
);

t.test("every metric that the documentation names exists", async (t) => {
  const known = new Set(all(text("docs/metrics.md"), /^\| `(podgate_\w+)`/gm));
  t.ok(known.size > 30);
  for (const page of globSync(["*.md", "docs/**/*.md", "charts/*/README.md"])) {
    for (const name of all(text(page), /`(podgate_(?:watcher|pusher|build|exposure)_\w+)/g))
      t.ok(known.has(name.replace(/_(?:bucket|sum|count)$/, "")), `${page}: ${name}`);
  }
});

t.test("every text that operators are told to look for is one of the services'", async (t) => {
  const commands = /^(?:kubectl|npm|podgate-(?:watcher|pusher)) /;
  const settings = /^[\w.]+: /;
  // Words with a space between them, which are no command and no setting.
  const quoted = all(text(OPERATIONS), /`([A-Za-z][^`\n]* [^`\n]*)`/g).filter(
    (each) => !commands.test(each) && !settings.test(each) && !OTHERS.has(each),
  );
  t.ok(quoted.length > 25);
  for (const each of quoted) t.ok(sources.includes(each), each);
});

t.test("every reason, kind and guard that operators are told of exists", async (t) => {
  for (const word of all(text(OPERATIONS), /`([A-Z][A-Za-z]+)`/g)) {
    if (word.startsWith("Podgate"))
      t.ok(
        alerts.some(({ alert }) => alert === word),
        word,
      );
    else if (!["True", "False", "Unknown"].includes(word) && !OTHERS.has(word))
      t.match(sources, new RegExp(`"${word}"|${word}:`), word);
  }
  const rows = all(text(OPERATIONS), /^\| `([a-z-]+)`/gm);
  for (const word of rows) t.match(sources, new RegExp(`"${word}"`), word);
  const guards = /GUARDS = \[([^\]]+)\]/.exec(text("services/pusher/src/plan/guards/held-set.ts"))?.[1] ?? "";
  for (const guard of all(guards, /"([a-z-]+)"/g)) t.ok(rows.includes(guard), `guard ${guard} is explained`);
});

t.test("every alert leads to a heading that names it, and says what to do", async (t) => {
  for (const { alert, annotations } of alerts) {
    const [page, anchor = ""] = annotations.runbook.split("#");
    t.equal(page, OPERATIONS);
    t.match(sections.get(anchor), new RegExp(`\`${alert}\``), `${alert}: ${anchor}`);
  }
});

t.test("every test that a guarantee rests on is there", async (t) => {
  const files = all(text(GUARANTEES), /`((?:[\w.-]+\/)+[\w.*{},-]+\.(?:ts|yaml))`/g);
  t.ok(files.length > 10);
  for (const file of files) t.ok(globSync(file).length > 0, file);
});
