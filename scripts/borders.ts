// Who may import what: the one table behind the linter's import rules. `npm run generate` writes .oxlintrc.json.
import { posix } from "node:path";

interface Room {
  /** One folder without its subfolders (each has a row of its own), or files by a pattern; from the repository's root. */
  readonly place: string;
  /** Folders and files of Podgate it may import besides itself. */
  readonly may: readonly string[];
  /** No I/O, no clock, no randomness: those come in as arguments. */
  readonly pure?: true;
}

const CONTRACT = "shared/src/contract";
const BUS = "shared/src/bus";
const RUNTIME = "shared/src/runtime";
const WATCHER = "services/watcher/src";
const PUSHER = "services/pusher/src";
const PORT = `${PUSHER}/firewall/firewall.ts`;

export const ROOMS: readonly Room[] = [
  { place: CONTRACT, may: [], pure: true },
  { place: BUS, may: [CONTRACT, RUNTIME] },
  { place: RUNTIME, may: [] },

  {
    place: `${WATCHER}/configuration*.ts`,
    may: [CONTRACT, `${BUS}/configuration.ts`, `${RUNTIME}/sections.ts`],
    pure: true,
  },
  { place: `${WATCHER}/facts`, may: [CONTRACT], pure: true },
  { place: `${WATCHER}/membership`, may: [CONTRACT, `${WATCHER}/facts`], pure: true },
  {
    place: `${WATCHER}/kubernetes`,
    may: [CONTRACT, RUNTIME, `${WATCHER}/facts`, `${WATCHER}/membership`],
  },
  {
    place: `${WATCHER}/publish`,
    may: [CONTRACT, BUS, RUNTIME, `${WATCHER}/facts`, `${WATCHER}/membership`, `${WATCHER}/kubernetes`],
  },
  {
    place: `${WATCHER}/status`,
    may: [CONTRACT, BUS, RUNTIME, `${WATCHER}/membership`, `${WATCHER}/kubernetes`],
  },

  {
    place: `${PUSHER}/configuration*.ts`,
    may: [CONTRACT, `${BUS}/configuration.ts`, `${RUNTIME}/sections.ts`],
    pure: true,
  },
  { place: `${PUSHER}/desired`, may: [CONTRACT, `${PUSHER}/configuration.ts`], pure: true },
  {
    place: `${PUSHER}/plan`,
    may: [CONTRACT, `${PUSHER}/desired`, PORT, `${PUSHER}/plan/guards`],
    pure: true,
  },
  { place: `${PUSHER}/plan/guards`, may: [CONTRACT, `${PUSHER}/desired`], pure: true },
  { place: `${PUSHER}/firewall`, may: [CONTRACT, RUNTIME] },
  {
    place: `${PUSHER}/firewall/fortigate`,
    may: [CONTRACT, RUNTIME, PORT, `${PUSHER}/firewall/fortigate/wire`],
  },
  {
    place: `${PUSHER}/firewall/fortigate/wire`,
    may: [CONTRACT, PORT, `${PUSHER}/firewall/fortigate/naming.ts`],
    pure: true,
  },
  {
    place: `${PUSHER}/reconcile`,
    may: [
      CONTRACT,
      BUS,
      RUNTIME,
      `${PUSHER}/configuration.ts`,
      `${PUSHER}/desired`,
      `${PUSHER}/plan`,
      `${PUSHER}/plan/guards`,
      `${PUSHER}/firewall`,
    ],
  },
  // Composed by a person at the command line, so across all stages, as main is.
  {
    place: `${PUSHER}/commands`,
    may: [
      CONTRACT,
      BUS,
      RUNTIME,
      `${PUSHER}/configuration.ts`,
      `${PUSHER}/desired`,
      `${PUSHER}/plan`,
      `${PUSHER}/plan/guards`,
      `${PUSHER}/firewall`,
      `${PUSHER}/firewall/fortigate`,
      `${PUSHER}/firewall/fortigate/wire`,
      `${PUSHER}/reconcile`,
      `${PUSHER}/pusher-bus.ts`,
      `${PUSHER}/target-firewall.ts`,
    ],
  },
];

/** What pure code may import besides: libraries that only calculate. Of node:crypto the hashes alone. */
const PURE_LIBRARIES = ["zod", "ipaddr.js", "node:crypto"];

interface Pattern {
  readonly group: readonly string[];
  readonly message: string;
}

/** Of every source file. The stand-ins for NATS, Kubernetes and firewalls are for tests. */
const ALWAYS: readonly Pattern[] = [
  {
    group: [
      "@podgate/shared/bus/memory*",
      "@podgate/*-simulator",
      "@podgate/*-simulator/**",
      "**/e2e/**",
      "@podgate/e2e/**",
    ],
    message: "stand-ins are for tests",
  },
  { group: ["**/test/**"], message: "sources import no tests" },
  {
    group: [
      "@podgate/watcher/**",
      "@podgate/pusher/**",
      "**/watcher/src/**",
      "**/pusher/src/**",
      "**/shared/src/**",
    ],
    message: "a service imports its own files, and of others @podgate/shared only",
  },
];

/** What judges the product shares no code with it: it would share the mistakes. */
const PRODUCT: Pattern = {
  group: [
    "@podgate/shared/**",
    "@podgate/watcher/**",
    "@podgate/pusher/**",
    "**/shared/src/**",
    "**/shared/test/**",
    "**/services/**",
  ],
  message: "a simulator or judge shares no code with the product",
};

/** How files of `place` spell an import of `target`; any other spelling is refused. */
function spelling(target: string, place: string): string {
  const file = target.endsWith(".ts");
  if (target.startsWith("shared/") && !place.startsWith("shared/")) {
    const name = `@podgate/${target.replace("/src/", "/")}`;
    return file ? name.replace(/\.ts$/, "") : `${name}/*`;
  }
  const path = posix.relative(folderOf(place), target);
  return `${path.startsWith(".") ? "" : "./"}${path}${file ? "" : "/*.ts"}`;
}

const isFiles = (place: string): boolean => place.endsWith(".ts");
const folderOf = (place: string): string => (isFiles(place) ? posix.dirname(place) : place);

function overrideOf({ place, may, pure }: Room): object {
  const own = isFiles(place) ? `./${posix.basename(place)}` : "./*.ts";
  const allowed = [own, ...may.map((target) => spelling(target, place)), ...(pure ? PURE_LIBRARIES : [])];
  // One group, in which later patterns overrule earlier ones: what a group takes out, no other group refuses.
  const group = [
    ...(pure ? ["**"] : ["./**", "../**", "@podgate/**"]),
    ...allowed.map((pattern) => `!${pattern}`),
    ...ALWAYS.flatMap((pattern) => pattern.group),
  ];
  const names = [...may, ...(pure ? PURE_LIBRARIES : ["libraries"])].join(", ");
  const message = `${place} may import only: itself, ${names} (scripts/borders.ts)`;
  return {
    files: [isFiles(place) ? place : `${place}/**/*.ts`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group, message }], ...(pure && { paths: [ONLY_HASHES] }) },
      ],
      ...(pure && PURE_RULES),
    },
  };
}

const ONLY_HASHES = {
  name: "node:crypto",
  allowImportNames: ["hash", "createHash"],
  message: "pure: randomness comes in as an argument",
};

const PURE_RULES = {
  "no-restricted-globals": [
    "error",
    ...[
      "Date",
      "WebSocket",
      "clearInterval",
      "clearTimeout",
      "console",
      "crypto",
      "fetch",
      "globalThis",
      "performance",
      "process",
      "setImmediate",
      "setInterval",
      "setTimeout",
    ].map((name) => ({ name, message: "pure: clock and I/O come in as arguments" })),
  ],
  "no-restricted-properties": [
    "error",
    { object: "Math", property: "random", message: "pure: randomness comes in as an argument" },
  ],
};

function importsOf(files: readonly string[], patterns: readonly Pattern[]): object {
  return { files, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

/** In the order that counts: of two that set one rule for one file, the later replaces the earlier. */
export function overrides(): object[] {
  return [
    // main, run and what else stands beside the folders compose them all.
    importsOf(["shared/src/**/*.ts", "services/*/src/**/*.ts"], ALWAYS),
    ...ROOMS.toSorted((a, b) => depth(a) - depth(b)).map(overrideOf),
    importsOf(
      [
        "e2e/simulators/**/*.ts",
        "e2e/simulation/oracle/**/*.ts",
        "e2e/scenarios/judge*.ts",
        "e2e/scenarios/judge/**/*.ts",
        "e2e/mutants/**/*.ts",
      ],
      [PRODUCT],
    ),
    { files: ["**/test/**/*.ts", "**/*.test.ts"], rules: { "typescript/no-floating-promises": "off" } },
  ];
}

/** A folder inside another has its own row, which must come later. */
const depth = ({ place }: Room): number => place.split("/").length;
