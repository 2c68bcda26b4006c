import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import t from "tap";
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

const REFUSED: [string, string, string][] = [
  ["pure code reaches for a file", "services/pusher/src/plan/x.ts", using("node:fs")],
  ["pure code reaches for the network", "services/watcher/src/membership/x.ts", using("undici")],
  ["pure code reaches for the bus", "services/pusher/src/desired/x.ts", using("@podgate/shared/bus/bus")],
  ["pure code logs", "shared/src/contract/x.ts", using("pino")],
  ["pure code asks the clock", "services/pusher/src/plan/x.ts", "export const at = Date.now();\n"],
  ["pure code draws lots", "services/watcher/src/facts/x.ts", "export const n = Math.random();\n"],
  [
    "pure code sets a timer",
    "services/pusher/src/desired/x.ts",
    "export const id = setTimeout(String, 1);\n",
  ],
  ["pure code fetches", "services/pusher/src/firewall/fortigate/wire/x.ts", 'export const r = fetch("x");\n'],
  ["an arrow goes backwards: desired ← plan", "services/pusher/src/desired/x.ts", using("../plan/diff.ts")],
  [
    "an arrow goes backwards: facts ← membership",
    "services/watcher/src/facts/x.ts",
    using("../membership/membership.ts"),
  ],
  ["an arrow goes sideways: firewall → plan", "services/pusher/src/firewall/x.ts", using("../plan/diff.ts")],
  ["contract imports the bus", "shared/src/contract/x.ts", using("../bus/bus.ts")],
  ["runtime imports the bus", "shared/src/runtime/x.ts", using("../bus/bus.ts")],
  ["a service imports another", "services/watcher/src/publish/x.ts", using("@podgate/pusher/plan/diff")],
  ["a service imports a stand-in", "services/pusher/src/reconcile/x.ts", using("@podgate/shared/bus/memory")],
  ["main imports a stand-in", "services/pusher/src/main.ts", using("@podgate/fortios-simulator/server")],
  [
    "the simulator imports the product",
    "e2e/simulators/fortios/src/x.ts",
    using("@podgate/shared/contract/event"),
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
  ["plan takes from desired", "services/pusher/src/plan/x.ts", using("../desired/fold.ts")],
  ["plan knows the firewall port", "services/pusher/src/plan/x.ts", using("../firewall/firewall.ts")],
  ["the loop crosses stages", "services/pusher/src/reconcile/x.ts", using("../plan/diff.ts")],
  ["main composes", "services/watcher/src/main.ts", using("./publish/session.ts")],
  [
    "pure code uses the contract",
    "services/watcher/src/membership/x.ts",
    using("@podgate/shared/contract/event"),
  ],
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
