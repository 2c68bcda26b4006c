import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;

function podgate(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env: {} }, (error, out, err) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, out, err });
    });
  });
}

const CONFIGURATION = `
install: a1
nats: { servers: ["nats://127.0.0.1:1"] }
clusters: [{ name: east }]
targets: [{ name: fw1, url: "https://127.0.0.1:1", tokenFile: /nowhere/token }]
routes: [{ targets: [fw1], clusters: [east], groups: ["*"] }]
`;

t.test("the program lists its commands, and each its options", async (t) => {
  const { code, out } = await podgate("--help");
  t.equal(code, 0);
  for (const command of ["run", "plan", "check", "explain", "bus"])
    t.match(out, new RegExp(`^  ${command} `, "m"));
  t.match((await podgate("plan", "--help")).out, /--exit-code[^]*--wait VALUE|--wait VALUE[^]*--exit-code/);
  t.match((await podgate("--version")).out, /^podgate-pusher \d/);
});

t.test("a configuration is checked and shown with its defaults; a wrong one ends with 2", async (t) => {
  const folder = t.testdir();
  const file = join(folder, "pusher.yaml");
  writeFileSync(file, CONFIGURATION);
  const right = await podgate("--check-config", "--config", file);
  t.equal(right.code, 0);
  t.match(right.out, /perSecond: 4/);
  writeFileSync(file, CONFIGURATION.replace("fw1, url", "FW1, url"));
  const wrong = await podgate("run", "--check-config", "--config", file);
  t.equal(wrong.code, 2);
  t.match(wrong.err, /targets\[0\]\.name: "FW1"/);
  t.notMatch(wrong.err, /at .*\.ts/, "no stack");
});

t.test("what is wrong on the command line is one sentence", async (t) => {
  const folder = t.testdir({ "pusher.yaml": CONFIGURATION });
  const config = ["--config", join(folder, "pusher.yaml")];
  const table: [args: string[], told: RegExp][] = [
    [["bus", "start"], /bus start: give init or users/],
    [["bus"], /init\|users is missing/],
    [["explain"], /ADDRESS is missing/],
    [["explain", "10.0.0"], /"10\.0\.0" is no address/],
    [["plan", "--output", "xml"], /--output xml: use text or json/],
    [["check", "--wait", "0"], /--wait 0: give seconds/],
  ];
  for (const [args, told] of table) {
    const { code, err } = await podgate(...args, ...config);
    t.equal(code, 2);
    t.match(err, told);
    t.equal(err.split("\n").length, 2);
  }
});

t.test("everything that is wrong on the command line is told at once", async (t) => {
  const args = ["clean", "fw1", "fw2", "--aprove", "a1", "--wait=never", "--output", "xml"];
  const { code, err } = await podgate(...args, "--config", "/nowhere");
  t.equal(code, 2);
  t.match(err, /has 4 faults:\n/);
  t.match(err, "--aprove: no such option; did you mean --approve?");
  t.match(err, "--wait never: give seconds, more than 0 and at most 3600");
  t.match(err, "--output xml: use text or json");
  t.match(err, "fw2: one word too many; podgate-pusher clean --help shows what is taken");
});

t.test("a command that waits for NATS says so beside its answer", async (t) => {
  const folder = t.testdir({ "pusher.yaml": CONFIGURATION });
  const args = ["check", "--wait", "1.5", "--output", "json", "--config", join(folder, "pusher.yaml")];
  const { out, err } = await podgate(...args);
  t.match(err, /^podgate-pusher: waiting for NATS at nats:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/);
  t.ok(JSON.parse(out));
});

t.test("check without NATS and without a token file says both, as data, and fails", async (t) => {
  const folder = t.testdir({ "pusher.yaml": CONFIGURATION });
  const { code, out } = await podgate(
    "check",
    "--wait",
    "0.5",
    "--output",
    "json",
    "--config",
    join(folder, "pusher.yaml"),
  );
  t.equal(code, 1);
  const { checks: rows } = JSON.parse(out) as { checks: { check: string; result: string; fix?: string }[] };
  t.strictSame(
    rows.filter(({ result }) => result === "failed").map(({ check }) => check),
    ["NATS", "files"],
  );
  t.ok(rows.every(({ result, fix }) => result !== "failed" || fix !== undefined));
});
