import t, { type Test } from "tap";
import { type Program, runProgram } from "../../src/runtime/command-line.ts";
import { UserError } from "../../src/runtime/errors.ts";

type Given = [string, Record<string, string | boolean | undefined>, readonly string[]];

function program(given: Given[]): Program {
  const command = (name: string) => async (options: Given[1], operands: readonly string[]) => {
    given.push([name, { ...options }, operands]);
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
        operands: "ADDRESS",
        options: { output: { type: "string", description: "text or json", default: "text" } },
        run: command("explain"),
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

t.test("options and operands reach the command; without a name the default one runs", async (t) => {
  t.same((await run(t, "--config", "a.yaml", "--check-config")).given, [
    ["run", { config: "a.yaml", "check-config": true }, []],
  ]);
  t.same((await run(t)).given, [["run", {}, []]]);
  t.same((await run(t, "explain", "10.0.0.1", "--output=json")).given, [
    ["explain", { output: "json" }, ["10.0.0.1"]],
  ]);
  t.same((await run(t, "explain", "10.0.0.1")).given, [["explain", { output: "text" }, ["10.0.0.1"]]]);
});

t.test("a mistake on the command line is one sentence with the way out, and 2", async (t) => {
  const table: [string[], RegExp][] = [
    [
      ["rum"],
      /^podgate-test: unknown command "rum": use one of run, explain, user, break, odd, or --help\n$/,
    ],
    [["constructor"], /^podgate-test: unknown command "constructor": use one of [^\n]*\n$/],
    [["--confg", "x"], /^podgate-test: Unknown option '--confg'.*see podgate-test run --help\n$/],
    [["run", "extra"], /^podgate-test: Unexpected argument 'extra'.*see podgate-test run --help\n$/],
    [
      ["--config"],
      /^podgate-test: Option '--config <value>' argument missing.*see podgate-test run --help\n$/,
    ],
    [["--config", "--check-config"], /^podgate-test: Option '--config' argument is ambiguous: see [^\n]*\n$/],
  ];
  for (const [args, wanted] of table) {
    const { code, err, given } = await run(t, ...args);
    t.equal(code, 2);
    t.match(err, wanted);
    t.same(given, []);
  }
});

t.test("the user's faults end with 2, others with 1, without stack or secret", async (t) => {
  t.match(await run(t, "user"), { code: 2, err: "podgate-test: url: must be https\n" });
  t.match(await run(t, "break"), { code: 1, err: "podgate-test: Error: GET https://***@h/\n" });
});

t.test("a command's own exit code is kept", async (t) => {
  t.equal((await run(t, "odd")).code, 3);
});
