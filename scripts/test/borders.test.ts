import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import t from "tap";
import { ROOMS } from "../borders.ts";
import { lintConfig } from "../lint-config.ts";

const OXLINT = resolve("node_modules/.bin/oxlint");

/** Lints one planted file in a folder of its own and returns what the linter printed. */
function lint(file: string, source: string): { status: number | null; text: string } {
  const root = mkdtempSync(join(tmpdir(), "podgate-borders-"));
  try {
    writeFileSync(join(root, ".oxlintrc.json"), lintConfig());
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), source);
    const { status, stdout, stderr } = spawnSync(OXLINT, ["-c", ".oxlintrc.json", file], {
      cwd: root,
      encoding: "utf8",
    });
    return { status, text: stdout + stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}

const using = (specifier: string): string =>
  `import { thing } from "${specifier}";\nexport const used = thing;\n`;

const MEMBERSHIP = "services/watcher/src/membership/x.ts";
const PLAN = "services/pusher/src/plan/x.ts";
const WIRE = "services/pusher/src/firewall/fortigate/wire/x.ts";

const REFUSED: [string, string, string][] = [
  // Purity, by import.
  ["pure code reaches for a file", PLAN, using("node:fs")],
  ["pure code reaches for a file by promises", PLAN, using("node:fs/promises")],
  ["pure code reaches for the network", MEMBERSHIP, using("undici")],
  ["pure code uses a library that nobody named", MEMBERSHIP, using("left-pad")],
  ["pure code reaches for the bus", "services/pusher/src/desired/x.ts", using("@podgate/shared/bus/bus")],
  ["pure code takes the clock of the runtime", PLAN, using("@podgate/shared/runtime/clock")],
  ["pure code logs", "shared/src/contract/x.ts", using("pino")],
  ["pure code passes I/O on", PLAN, 'export { readFile } from "node:fs";\n'],
  ["pure code imports I/O when it runs", PLAN, 'export const fs = await import("node:fs");\n'],
  [
    "pure code draws a UUID",
    PLAN,
    'import { randomUUID } from "node:crypto";\nexport const id = randomUUID();\n',
  ],
  ["the configuration's schema reads files", "services/pusher/src/configuration.ts", using("node:fs")],
  ["wire reaches for its neighbor's transport", WIRE, using("../got-transport.ts")],
  // Purity, by global.
  ["pure code asks the clock", PLAN, "export const at = Date.now();\n"],
  ["pure code asks the clock by a new date", PLAN, "export const at = new Date();\n"],
  ["pure code asks the monotonic clock", MEMBERSHIP, "export const at = performance.now();\n"],
  ["pure code draws lots", "services/watcher/src/facts/x.ts", "export const n = Math.random();\n"],
  [
    "pure code sets a timer",
    "services/pusher/src/desired/x.ts",
    "export const id = setTimeout(String, 1);\n",
  ],
  ["pure code fetches", WIRE, 'export const r = fetch("x");\n'],
  ["pure code reads the environment", PLAN, "export const e = process.env;\n"],
  ["pure code goes round by globalThis", PLAN, 'export const r = globalThis.fetch("x");\n'],
  // Arrows.
  ["an arrow goes backwards: desired ← plan", "services/pusher/src/desired/x.ts", using("../plan/diff.ts")],
  [
    "an arrow goes backwards: facts ← membership",
    "services/watcher/src/facts/x.ts",
    using("../membership/membership.ts"),
  ],
  [
    "an arrow goes backwards: kubernetes ← publish",
    "services/watcher/src/kubernetes/x.ts",
    using("../publish/session.ts"),
  ],
  ["an arrow goes sideways: firewall → plan", "services/pusher/src/firewall/x.ts", using("../plan/diff.ts")],
  [
    "an arrow goes sideways: status → publish",
    "services/watcher/src/status/x.ts",
    using("../publish/outbox.ts"),
  ],
  ["the port knows its adapter", "services/pusher/src/firewall/x.ts", using("./fortigate/adapter.ts")],
  [
    "the loop knows an adapter",
    "services/pusher/src/reconcile/x.ts",
    using("../firewall/fortigate/adapter.ts"),
  ],
  [
    "the adapter knows the loop",
    "services/pusher/src/firewall/fortigate/x.ts",
    using("../../reconcile/device.ts"),
  ],
  ["a stage imports the composition", "services/pusher/src/reconcile/x.ts", using("../run.ts")],
  ["an arrow takes a detour", "services/pusher/src/desired/x.ts", using("../../src/plan/diff.ts")],
  [
    "an arrow goes by the package's name",
    "services/pusher/src/desired/x.ts",
    using("@podgate/pusher/plan/diff"),
  ],
  ["contract imports the bus", "shared/src/contract/x.ts", using("../bus/bus.ts")],
  ["runtime imports the bus", "shared/src/runtime/x.ts", using("../bus/bus.ts")],
  ["a service imports another", "services/watcher/src/publish/x.ts", using("@podgate/pusher/plan/diff")],
  ["main imports another service", "services/watcher/src/main.ts", using("../../pusher/src/run.ts")],
  [
    "run goes round the package's name",
    "services/watcher/src/run.ts",
    using("../../../shared/src/bus/bus.ts"),
  ],
  // Stand-ins and tests.
  [
    "a loop imports the in-memory bus",
    "services/pusher/src/reconcile/x.ts",
    using("@podgate/shared/bus/memory"),
  ],
  [
    "a loop imports a part of the in-memory bus",
    "services/watcher/src/publish/x.ts",
    using("@podgate/shared/bus/memory-stream"),
  ],
  [
    "main imports the firewall simulator",
    "services/pusher/src/main.ts",
    using("@podgate/fortios-simulator/server"),
  ],
  [
    "run imports the cluster simulator",
    "services/watcher/src/run.ts",
    using("@podgate/kubernetes-simulator/server"),
  ],
  [
    "run imports a simulator by its path",
    "services/pusher/src/run.ts",
    using("../../../e2e/simulators/fortios/src/device.ts"),
  ],
  ["a source imports a test's part", "services/pusher/src/run.ts", using("../test/stage.ts")],
  // Judges.
  [
    "the firewall simulator imports the product",
    "e2e/simulators/fortios/src/x.ts",
    using("@podgate/shared/contract/event"),
  ],
  [
    "the cluster simulator imports the product",
    "e2e/simulators/kubernetes/src/x.ts",
    using("@podgate/watcher/facts/pod-fact"),
  ],
  [
    "a simulator imports the product by its path",
    "e2e/simulators/kubernetes/src/x.ts",
    using("../../../../services/watcher/src/facts/pod-fact.ts"),
  ],
  ["the judge imports the product", "e2e/scenarios/judge.ts", using("@podgate/shared/contract/address")],
  [
    "the judge imports the product by its path",
    "e2e/scenarios/judge.ts",
    using("../../shared/src/contract/address.ts"),
  ],
];

for (const [what, file, source] of REFUSED) {
  t.test(`the linter refuses: ${what}`, async (t) => {
    const { status, text } = lint(file, source);
    t.not(status, 0);
    t.match(text, /no-restricted-(imports|globals|properties)/);
  });
}

const ALLOWED: [string, string, string][] = [
  ["plan takes from desired", PLAN, using("../desired/fold.ts")],
  ["plan knows the firewall port", PLAN, using("../firewall/firewall.ts")],
  ["a file imports its neighbor", PLAN, using("./shards.ts")],
  ["the loop crosses stages", "services/pusher/src/reconcile/x.ts", using("../plan/diff.ts")],
  ["the loop uses the bus", "services/pusher/src/reconcile/x.ts", using("@podgate/shared/bus/reader")],
  ["the adapter uses a library", "services/pusher/src/firewall/fortigate/x.ts", using("got")],
  ["the adapter uses wire", "services/pusher/src/firewall/fortigate/x.ts", using("./wire/request.ts")],
  ["wire knows the port", WIRE, using("../../firewall.ts")],
  ["wire knows the names", WIRE, using("../naming.ts")],
  ["the bus knows the contract", "shared/src/bus/x.ts", using("../contract/event.ts")],
  ["main composes", "services/watcher/src/main.ts", using("./publish/session.ts")],
  ["run composes", "services/pusher/src/run.ts", using("./firewall/fortigate/adapter.ts")],
  ["pure code uses the contract", MEMBERSHIP, using("@podgate/shared/contract/event")],
  [
    "pure code hashes",
    "shared/src/contract/x.ts",
    'import { hash } from "node:crypto";\nexport const h = hash("sha256", "");\n',
  ],
  ["the configuration's schema is made of schemas", "services/pusher/src/configuration.ts", using("zod")],
  [
    "the configuration's schema takes that of the bus",
    "services/pusher/src/configuration.ts",
    using("@podgate/shared/bus/configuration"),
  ],
  ["a test uses a stand-in", "services/pusher/test/x.ts", using("@podgate/shared/bus/memory")],
  ["the judge uses libraries", "e2e/scenarios/judge.ts", using("ipaddr.js")],
];

for (const [what, file, source] of ALLOWED) {
  t.test(`the linter allows: ${what}`, async (t) => {
    const { status, text } = lint(file, source);
    t.equal(status, 0, text);
  });
}

t.test("the repository is linted with exactly this configuration", async (t) => {
  t.equal(readFileSync(".oxlintrc.json", "utf8"), lintConfig());
});

t.test("every folder of the sources has its row in the table, and no row is about nothing", async (t) => {
  const folders = globSync(["shared/src/*/**/*.ts", "services/*/src/*/**/*.ts"]).map((file) => dirname(file));
  const rows = ROOMS.map(({ place }) => place).filter((place) => !place.endsWith(".ts"));
  t.same([...new Set(folders)].toSorted(), rows.toSorted());
});
