// Who may import what: the one table behind the linter's import rules. `npm run generate` writes .oxlintrc.json.

interface Room {
  /** Folder, from the root of the repository. */
  readonly folder: string;
  /** Folders (or packages) of Podgate it may import besides itself. */
  readonly may: readonly string[];
  /** No I/O, no clock, no randomness: those come in as arguments. */
  readonly pure?: true;
}

const CONTRACT = "shared/src/contract";
const BUS = "shared/src/bus";
const RUNTIME = "shared/src/runtime";

export const ROOMS: readonly Room[] = [
  { folder: CONTRACT, may: [], pure: true },
  { folder: BUS, may: [CONTRACT, RUNTIME] },
  { folder: RUNTIME, may: [] },
  { folder: "services/watcher/src/facts", may: [CONTRACT], pure: true },
  { folder: "services/watcher/src/membership", may: [CONTRACT, "services/watcher/src/facts"], pure: true },
  {
    folder: "services/watcher/src/kubernetes",
    may: [CONTRACT, RUNTIME, "services/watcher/src/facts", "services/watcher/src/membership"],
  },
  {
    folder: "services/watcher/src/publish",
    may: [
      CONTRACT,
      BUS,
      RUNTIME,
      "services/watcher/src/facts",
      "services/watcher/src/membership",
      "services/watcher/src/kubernetes",
    ],
  },
  {
    folder: "services/watcher/src/status",
    may: [CONTRACT, BUS, RUNTIME, "services/watcher/src/membership", "services/watcher/src/kubernetes"],
  },
  {
    folder: "services/pusher/src/desired",
    may: [CONTRACT, "services/pusher/src/configuration.ts"],
    pure: true,
  },
  {
    folder: "services/pusher/src/plan",
    may: [CONTRACT, "services/pusher/src/desired", "services/pusher/src/firewall/firewall.ts"],
    pure: true,
  },
  { folder: "services/pusher/src/firewall", may: [CONTRACT, RUNTIME] },
  {
    folder: "services/pusher/src/firewall/fortigate/wire",
    may: [
      CONTRACT,
      "services/pusher/src/firewall/firewall.ts",
      "services/pusher/src/firewall/fortigate/naming.ts",
    ],
    pure: true,
  },
  {
    folder: "services/pusher/src/reconcile",
    may: [
      CONTRACT,
      BUS,
      RUNTIME,
      "services/pusher/src/desired",
      "services/pusher/src/plan",
      "services/pusher/src/firewall",
      "services/pusher/src/configuration.ts",
    ],
  },
];

/** The in-memory stand-ins are for tests; a service never imports them. */
const STAND_INS: string[] = [
  "**/bus/memory.ts",
  "@podgate/shared/bus/memory",
  "@podgate/fortios-simulator",
  "@podgate/fortios-simulator/**",
  "**/e2e/**",
  "@podgate/e2e/**",
];

/** Libraries and parts of Node that reach outside the process. */
const IO = [
  "node:fs*",
  "node:net",
  "node:tls",
  "node:http*",
  "node:dns*",
  "node:child_process",
  "node:worker_threads",
  "node:timers*",
  "node:process",
  "node:os",
  "node:cluster",
  "node:dgram",
  "node:perf_hooks",
  "got",
  "undici",
  "pino",
  "fastify",
  "prom-client",
  "@nats-io/*",
  "@kubernetes/*",
  "@podgate/shared/bus/**",
  "@podgate/shared/runtime/**",
];

const SPECIFIERS: Readonly<Record<string, readonly string[]>> = {
  [CONTRACT]: ["@podgate/shared/contract/**"],
  [BUS]: ["@podgate/shared/bus/**"],
  [RUNTIME]: ["@podgate/shared/runtime/**"],
};

/** How an import of `target` may be spelled from `from`. */
function spellings(target: string, from: string): string[] {
  const [, service = "", , ...inside] = target.split("/");
  if (target.startsWith("shared/")) {
    const name = target.slice("shared/src/".length);
    return [
      ...(SPECIFIERS[target] ?? []),
      ...(from.startsWith("shared/") ? [`../${name}/**`, `../../${name}/**`] : []),
    ];
  }
  if (from.split("/")[1] !== service) return [];
  const path = inside.join("/");
  const ends = path.endsWith(".ts") ? path : `${path}/**`;
  return [`../${ends}`, `../../${ends}`, `../../../${ends}`];
}

function overrideOf(room: Room) {
  const inside = (folder: string): boolean =>
    room.folder.startsWith(`${folder}/`) || folder.startsWith(`${room.folder}/`);
  const allowed = new Set(room.may.flatMap((folder) => spellings(folder, room.folder)));
  const forbidden = ROOMS.filter(
    (other) => other !== room && !room.may.includes(other.folder) && !inside(other.folder),
  )
    .flatMap((other) => spellings(other.folder, room.folder))
    .filter((pattern) => !allowed.has(pattern));
  // An allowed file inside a forbidden folder is taken out again, as in .gitignore.
  const exceptions = room.may
    .filter((may) => may.endsWith(".ts"))
    .flatMap((may) => spellings(may, room.folder))
    .map((pattern) => `!${pattern}`);
  const patterns = [
    {
      group: [...forbidden, ...exceptions],
      message: `${room.folder} may import only: ${room.may.join(", ") || "itself"} (scripts/borders.ts)`,
    },
    ...always(room.folder),
    ...(room.pure ? [{ group: IO, message: `${room.folder} is pure: I/O comes in as an argument` }] : []),
  ].filter(({ group }) => group.some((pattern) => !pattern.startsWith("!")));
  return {
    files: [`${room.folder}/**/*.ts`],
    rules: {
      "no-restricted-imports": ["error", { patterns }],
      ...(room.pure ? PURE_RULES : {}),
    },
  };
}

const PURE_RULES = {
  "no-restricted-globals": [
    "error",
    ...["fetch", "setTimeout", "setInterval", "setImmediate", "process", "performance", "console"].map(
      (name) => ({
        name,
        message: "pure: clock and I/O come in as arguments",
      }),
    ),
  ],
  "no-restricted-properties": [
    "error",
    { object: "Date", property: "now", message: "pure: the time comes in as an argument" },
    { object: "Math", property: "random", message: "pure: randomness comes in as an argument" },
    { object: "globalThis", message: "pure: nothing of the process is read" },
  ],
};

/** Of every source file: no stand-in, and a service imports nothing of another one. */
function always(folder: string): { group: string[]; message: string }[] {
  const others = ["watcher", "pusher"].filter((name) => !folder.startsWith(`services/${name}/`));
  return [
    { group: STAND_INS, message: "stand-ins are for tests" },
    {
      group: others.flatMap((name) => [`@podgate/${name}/**`, `**/${name}/src/**`]),
      message: "a service imports of shared only",
    },
  ];
}

export function overrides(): object[] {
  const sources = ["shared/src/", "services/watcher/src/", "services/pusher/src/"];
  return [
    ...sources.map((folder) => ({
      files: [`${folder}**/*.ts`],
      rules: { "no-restricted-imports": ["error", { patterns: always(folder) }] },
    })),
    ...ROOMS.map(overrideOf),
    {
      // The simulator shares no code with the product it judges.
      files: ["e2e/simulators/**/*.ts"],
      rules: {
        "no-restricted-imports": [
          "error",
          {
            patterns: [
              {
                group: ["@podgate/shared/**", "@podgate/watcher/**", "@podgate/pusher/**"],
                message: "the simulator shares no code with the product",
              },
            ],
          },
        ],
      },
    },
    { files: ["**/test/**/*.ts", "**/*.test.ts"], rules: { "typescript/no-floating-promises": "off" } },
  ];
}
