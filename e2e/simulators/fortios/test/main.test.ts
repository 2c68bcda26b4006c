import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t from "tap";
import { parseOptions } from "../src/options.ts";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function program(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, out, err });
    });
  });
  return { child, ended };
}

t.test("--help", async (t) => {
  const { code, out, err } = await program(["--help"]).ended;
  t.strictSame([code, err], [0, ""]);
  for (const option of [
    "--profile",
    "--model",
    "--limit",
    "--vdom",
    "--token",
    "--ca-out",
    "--latency",
    "--serial",
  ])
    t.match(out, option);
});

t.test("every fault of the command line, one line each, no stack", async (t) => {
  const { code, out, err } = await program([
    "--profile",
    "9.9",
    "--model",
    "x",
    "--port",
    "x",
    "--switch",
    "a=b",
  ]).ended;
  t.equal(code, 2);
  t.equal(out, "");
  const lines = err.trim().split("\n");
  t.equal(lines.length, 4);
  for (const [index, part] of ["9.9", "--model x", "--switch a=b", "--port x"].entries())
    t.match(lines[index], part);
  const unknown = await program(["--nonsense"]).ended;
  t.match(unknown, { code: 2, err: /--nonsense.*--help/ });
});

t.test("options", async (t) => {
  const parsed = parseOptions([
    "--profile",
    "7.0",
    "--model",
    "entry",
    "--limit",
    "address=10",
    "--limit",
    "addrgrp.member=0",
    "--vdom",
    "root",
    "--vdom",
    "dmz",
    "--token",
    "one,name=pusher,profile=address,vdom=root+dmz",
    "--token",
    "two",
    "--switch",
    "missingReference=-651",
    "--switch",
    "failedDependency=true",
    "--switch",
    "emptyGroup=null",
    "--latency",
    "50",
    "--plain",
    "--serial",
    "S",
    "--hostname",
    "H",
  ]);
  t.match(parsed, {
    kind: "run",
    options: {
      simulator: {
        profile: "7.0",
        model: "entry",
        limits: { address: 10, "addrgrp.member": 0 },
        vdoms: ["root", "dmz"],
        users: [
          { name: "pusher", token: "one", vdoms: ["root", "dmz"], profile: { fwgrp: "custom" } },
          { name: "api2", token: "two", vdoms: "*" },
        ],
        switches: { missingReference: -651, failedDependency: true, emptyGroup: null },
        latency: { write: 50, read: 0 },
        plain: true,
        serial: "S",
        hostname: "H",
      },
    },
  });
  const faulty = parseOptions([
    "--token",
    "secret,profile=nonsense",
    "--limit",
    "x=1",
    "--limit",
    "address=many",
  ]);
  t.equal(faulty.kind, "faults");
  t.notOk(JSON.stringify(faulty).includes("secret"), "a token is never repeated");
});

t.test("one line when it is ready, and a clean end on SIGTERM", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fortios-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const caFile = join(folder, "ca.pem");
  const { child, ended } = program(["--profile", "6.4", "--ca-out", caFile]);
  const ready = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).once("line", resolve);
  });
  const facts = JSON.parse(ready) as Record<string, string>;
  t.match(facts, {
    url: /^https:/,
    controlUrl: /^http:/,
    token: "simulator-token",
    caFile,
    profile: "v6.4.14",
    pid: child.pid,
  });
  t.match(await readFile(caFile, "utf8"), /BEGIN CERTIFICATE/);
  t.equal((await fetch(`${facts["controlUrl"] ?? ""}/groups`)).status, 200);
  child.kill("SIGTERM");
  t.match(await ended, { code: 0, err: "" });
});

t.test("a port that is taken", async (t) => {
  const first = program(["--plain"]);
  const ready = await new Promise<string>((resolve) => {
    createInterface({ input: first.child.stdout }).once("line", resolve);
  });
  const { url } = JSON.parse(ready) as { url: string };
  const second = await program(["--plain", "--port", new URL(url).port]).ended;
  t.match(second, { code: 1, err: /could not start.*EADDRINUSE/ });
  first.child.kill("SIGTERM");
  await first.ended;
});

t.test("--verbose: each request as a line", async (t) => {
  const { child, ended } = program(["--plain", "--verbose"]);
  const ready = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).once("line", resolve);
  });
  const { url, token } = JSON.parse(ready) as { url: string; token: string };
  const init = { method: "DELETE", headers: { authorization: `Bearer ${token}` } };
  t.equal((await fetch(`${url}/api/v2/cmdb/firewall/address/nobody`, init)).status, 404);
  child.kill("SIGTERM");
  t.match(await ended, { code: 0, err: /^1 DELETE root cmdb\/firewall\/address\/nobody 404\n$/ });
});

t.test("a token may stand in a file, so that no list of processes shows it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fortios-token-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  await writeFile(file, "s3cret\n");
  const parsed = parseOptions(["--token", `@${file},profile=address`]);
  t.match(parsed, {
    kind: "run",
    options: { hushed: true, simulator: { users: [{ name: "api", token: "s3cret" }] } },
  });
  t.match(parseOptions(["--token", `@${file}.absent`]), { kind: "faults", faults: [/--token @.*absent/] });
});
