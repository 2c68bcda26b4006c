import t, { type Test } from "tap";
import { type Program, runProgram } from "../../src/runtime/command-line.ts";
import { UserError } from "../../src/runtime/errors.ts";

type Given = [command: string, options: Record<string, string | boolean | undefined>, operand: string];

const isNoName = (fault: string) => (value: string) => {
  if (value === "none") throw new UserError(`${value}: ${fault}; give another`);
};

function program(given: Given[]): Program {
  const command = (name: string) => async (options: Given[1], operand: string) => {
    given.push([name, { ...options }, operand]);
  };
  return {
    name: "podgate-test",
    version: "1.2.3",
    description: "does what a test wants",
    fallback: "run",
    commands: {
      run: {
        description: "run until told to stop",
        options: {
          config: { type: "string", description: "YAML file" },
          "check-config": { type: "boolean", description: "check only" },
        },
        run: command("run"),
      },
      explain: {
        description: "say why",
        operand: { name: "ADDRESS", check: isNoName("no address") },
        options: {
          output: {
            type: "string",
            description: "text or json",
            default: "text",
            check: isNoName("no form"),
          },
        },
        run: command("explain"),
      },
      approve: {
        description: "let go",
        operand: { name: "HASH", optional: true },
        run: command("approve"),
      },
      user: {
        description: "fail by the user's fault",
        run: async () => {
          throw new UserError("url: must be https");
        },
      },
      break: {
        description: "fail",
        run: async () => {
          throw Object.assign(new Error("GET https://u:hunter2@h/"), { token: "hunter2" });
        },
      },
      odd: { description: "end with a code", run: async () => 3 },
    },
  };
}

const text = (calls: { args: unknown[] }[]): string => calls.map((call) => String(call.args[0])).join("");

async function run(t: Test, ...args: string[]) {
  const given: Given[] = [];
  const out = t.capture(process.stdout, "write", () => true);
  const err = t.capture(process.stderr, "write", () => true);
  const code = await runProgram(program(given), args);
  const result = { code, given, out: text(out()), err: text(err()) };
  out.restore();
  err.restore();
  return result;
}

t.test("--version prints name and version, with a command, too", async (t) => {
  for (const args of [["--version"], ["run", "--version"], ["--config", "x", "--version"]]) {
    const { code, out, given } = await run(t, ...args);
    t.equal(out, "podgate-test 1.2.3\n");
    t.equal(code, 0);
    t.same(given, []);
  }
});

t.test("--help names every command and the options of the one that runs when none is named", async (t) => {
  for (const arg of ["--help", "-h", "help"]) {
    const { code, out } = await run(t, arg);
    t.equal(code, 0);
    t.match(out, /Usage: podgate-test \[command\] \[options\]/);
    t.match(out, /run +run until told to stop \(default\)/);
    t.match(out, /explain +say why/);
    t.match(out, /--check-config\n +check only/);
  }
});

t.test("a command's --help shows its options, operands and defaults, and runs nothing", async (t) => {
  const { code, out, given } = await run(t, "explain", "--help");
  t.equal(code, 0);
  t.match(out, "Usage: podgate-test explain [options] ADDRESS");
  t.match(out, /--output VALUE\n +text or json \(default text\)/);
  t.same(given, []);
});

t.test("options and the operand reach the command; without a name the default one runs", async (t) => {
  t.same((await run(t, "--config", "a.yaml", "--check-config")).given, [
    ["run", { config: "a.yaml", "check-config": true }, ""],
  ]);
  t.same((await run(t)).given, [["run", {}, ""]]);
  t.same((await run(t, "explain", "10.0.0.1", "--output=json")).given, [
    ["explain", { output: "json" }, "10.0.0.1"],
  ]);
  t.same((await run(t, "explain", "10.0.0.1")).given, [["explain", { output: "text" }, "10.0.0.1"]]);
});

t.test("a value may hold any letter, and what comes after -- is no option", async (t) => {
  t.same((await run(t, "--config", "-a=b\nc", "--config=d=e\nf")).given, [["run", { config: "d=e\nf" }, ""]]);
  t.same((await run(t, "explain", "--", "--output")).given, [["explain", { output: "text" }, "--output"]]);
});

t.test("an optional operand may be left out, and is shown so", async (t) => {
  t.same((await run(t, "approve")).given, [["approve", {}, ""]]);
  t.same((await run(t, "approve", "a1")).given, [["approve", {}, "a1"]]);
  t.match((await run(t, "approve", "--help")).out, "Usage: podgate-test approve [HASH]\n");
});

t.test("a mistake on the command line is one sentence with the way out, and 2", async (t) => {
  const table: [args: string[], told: string][] = [
    [["rum"], 'unknown command "rum": did you mean run? --help lists the commands'],
    [
      ["constructor"],
      'unknown command "constructor": use one of run, explain, approve, user, break, odd, or --help',
    ],
    [["--nonsense"], "--nonsense: no such option; podgate-test run --help lists them"],
    [["-c"], "-c: no such option; podgate-test run --help lists them"],
    [["--constructor=x"], "--constructor: no such option; podgate-test run --help lists them"],
    [["--confg", "x"], "--confg: no such option; did you mean --config?"],
    [["-config", "x"], "-config: no such option; did you mean --config?"],
    [["run", "extra"], "extra: one word too many; podgate-test run --help shows what is taken"],
    [["--config"], "--config: give it a value, as --config=VALUE"],
    [["--config", "--check-config"], "--config: give it a value, as --config=VALUE"],
    [["--check-config=no"], "--check-config=no: it takes no value"],
    [["explain"], "ADDRESS is missing; podgate-test explain --help shows where"],
    [["explain", ""], "ADDRESS is missing; podgate-test explain --help shows where"],
    [["explain", "none"], "none: no address; give another"],
    [["explain", "a", "--output", "none"], "none: no form; give another"],
    [["approve", "a", "b"], "b: one word too many; podgate-test approve --help shows what is taken"],
  ];
  for (const [args, told] of table) {
    const { code, err, given } = await run(t, ...args);
    t.equal(err, `podgate-test: ${told}\n`);
    t.equal(code, 2);
    t.same(given, []);
  }
});

t.test("all mistakes of a command line are told at once", async (t) => {
  const args = ["--nonsense", "none", "extra", "--outptu", "none", "--output=none", "-c", "--output"];
  const { code, err, given } = await run(t, "explain", ...args);
  t.same(err.split("\n"), [
    "podgate-test: the command line has 8 faults:",
    "  --nonsense: no such option; podgate-test explain --help lists them",
    "  --outptu: no such option; did you mean --output?",
    "  none: no form; give another",
    "  none: no form; give another",
    "  -c: no such option; podgate-test explain --help lists them",
    "  --output: give it a value, as --output=VALUE",
    "  extra: one word too many; podgate-test explain --help shows what is taken",
    "  none: no address; give another",
    "",
  ]);
  t.equal(code, 2);
  t.same(given, []);
});

t.test("the user's faults end with 2, others with 1, without stack or secret", async (t) => {
  t.match(await run(t, "user"), { code: 2, err: "podgate-test: url: must be https\n" });
  t.match(await run(t, "break"), { code: 1, err: "podgate-test: Error: GET https://***@h/\n" });
});

t.test("a command's own exit code is kept", async (t) => {
  t.equal((await run(t, "odd")).code, 3);
});
