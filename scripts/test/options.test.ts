import { spawnSync } from "node:child_process";
import t from "tap";
import { parseCommand } from "../options.ts";

t.test("a command line is read with its types, its operands and its whole numbers", async (t) => {
  const options = {
    seed: { type: "string" },
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
  } as const;
  const args = ["a", "--seed=7", "--only", "x", "--only", "-y", "b"];
  const parsed = parseCommand(
    args,
    options,
    (given) => ({ ...given.values, seed: given.whole("seed", 3, 0, 9), operands: given.operands }),
    true,
  );
  t.strictSame(parsed, {
    kind: "run",
    options: { seed: 7, only: ["x", "-y"], quick: false, operands: ["a", "b"] },
  });
});

t.test("of a whole number the preset is taken where none is given, and nothing else passes", async (t) => {
  t.strictSame(readN(), { kind: "run", options: 3 });
  for (const text of ["0", "10", "-1", "1.5", "1e0", "0x2", "", " 2"])
    t.strictSame(readN(`--n=${text}`), {
      kind: "faults",
      faults: [`--n ${text}: give a whole number from 1 to 9`],
    });
});

const readN = (...args: string[]) =>
  parseCommand(args, { n: { type: "string" } }, (given) => given.whole("n", 3, 1, 9));

t.test("help goes before faults", async (t) => {
  for (const help of ["--help", "-h"])
    t.strictSame(
      parseCommand(["--nonsense", help], {}, () => 0),
      { kind: "help" },
    );
});

/** Each with a command line, and how each line begins that it is told. */
const COMMANDS: Readonly<Record<string, readonly [args: readonly string[], faults: readonly string[]]>> = {
  "scripts/test.ts": [
    ["--jobs", "many", "none.test.ts", "--nonsense", "--unit=yes"],
    [
      "--nonsense: no such option; --help lists the options",
      "--unit=yes: it takes no value",
      "none.test.ts: no such file; --help lists the options",
      "--jobs many: give a whole number from 1 to 64",
    ],
  ],
  "scripts/build-images.ts": [
    ["watchr", "--platform", "linux/s390x", "--tag"],
    [
      "--tag: give it a value, as --tag=VALUE",
      "watchr: use one of watcher, pusher, stack",
      "--platform linux/s390x: use one of linux/amd64, linux/arm64",
    ],
  ],
  "scripts/generate.ts": [["--chekc"], ["--chekc: no such option; --help lists the options"]],
  "e2e/bench/bench.ts": [
    ["--only", "restarts", "--json", "--quick"],
    [
      "--json: give it a value, as --json=VALUE",
      "--only restarts: use one of latency-50, latency-250, churn-4, churn-0.9, restart, scale-10000, scale-50000, scale-100000",
    ],
  ],
  "e2e/chaos/main.ts": [
    ["--rounds", "0", "--faults", "none-such", "7"],
    [
      "7: no option; --help lists the options",
      "--faults none-such: no such class; --help lists them",
      "--rounds 0: give a whole number from 1 to 1000000",
    ],
  ],
  "e2e/demo/main.ts": [
    ["--real", "--embedded", "--keep=no"],
    ["--keep=no: it takes no value", "--real, --embedded: not both; remove one"],
  ],
  "e2e/mutants/main.ts": [
    ["foo", "--only", "none-such", "--part", "3/2"],
    [
      "foo: no option; --help lists the options",
      "--only none-such: no mutant is called so; --list names them all",
      "--part 3/2: give k/n with k from 1 to n, as 2/5, or auto",
    ],
  ],
  "e2e/simulation/main.ts": [
    ["--seed", "--steps", "x", "-v"],
    [
      "--seed: give it a value, as --seed=VALUE",
      "-v: no such option; --help lists the options",
      "--steps x: give a whole number from 1 to 10000000",
    ],
  ],
  "e2e/simulators/fortios/fidelity/main.ts": [
    ["terraform"],
    ["terraform: use one of fortigate-api, ansible"],
  ],
  "e2e/simulators/fortios/src/main.ts": [
    ["--port", "x", "--model", "pocket", "--nonsense"],
    [
      "--nonsense: no such option; --help lists the options",
      "--model pocket: use one of vm, ",
      "--port x: give a number from 0 to 65535",
    ],
  ],
  "e2e/stack/main.ts": [
    ["--cluster", "A", "--cluster", "b", "--cluster", "b", "--latency", "-5", "--release", "9"],
    [
      "--cluster A: give a-z, 0-9 and -, at most 63 characters",
      "--cluster b: it is there already",
      '--release: profile "9" is not known: use one of ',
      "--latency -5: give a whole number from 0 to 600000",
    ],
  ],
  "e2e/tools/main.ts": [["kubelet", "kube-let"], ["kube-let: use one of "]],
};

for (const [file, [args, faults]] of Object.entries(COMMANDS)) {
  t.test(`${file} tells everything that is wrong with its command line, and does nothing`, async (t) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
      encoding: "utf8",
      timeout: 120_000,
    });
    const lines = stderr.split("\n");
    t.equal(lines.length, faults.length + 1);
    for (const [at, fault] of faults.entries()) t.ok(lines[at]?.startsWith(fault), `${fault}: ${lines[at]}`);
    t.match({ status, stdout }, { status: 2, stdout: "" });
  });
}
