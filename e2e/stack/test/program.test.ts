import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import t from "tap";
import { isExecutable } from "../../tools/go.ts";
import { Program } from "../program.ts";

/** A process that starts another one and a directory, says both, and waits. */
const PARENT = `
  import { Program } from ${JSON.stringify(new URL("../program.ts", import.meta.url).href)};
  import { temporaryDirectory } from ${JSON.stringify(new URL("../leftovers.ts", import.meta.url).href)};
  const [directory] = temporaryDirectory("test");
  const { pid } = new Program({ name: "sleeper", command: "/bin/sleep", args: ["600"] });
  console.log(JSON.stringify({ pid, directory }));
  setInterval(() => {}, 1000);
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 250; tries += 1) {
    if (!isAlive(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  const isKill = signal === "SIGKILL";
  const skip = isKill && !isExecutable("/usr/bin/setpriv") ? "needs setpriv (util-linux)" : false;
  t.test(`a process that ends by ${signal} takes its programs with it`, { skip }, async (t) => {
    const parent = spawn(process.execPath, ["--input-type=module", "-e", PARENT], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.teardown(() => parent.kill("SIGKILL"));
    const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
    const { pid, directory } = JSON.parse(line) as { pid: number; directory: string };
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    t.ok(isAlive(pid), "it runs");
    parent.kill(signal);
    await once(parent, "exit");
    t.ok(await gone(pid), "it is gone");
    if (!isKill) t.notOk(existsSync(directory), "the directory, too");
  });
}

t.test("a program that ends too early is reported with what it said", async (t) => {
  const program = new Program({
    name: "failing",
    command: "/bin/sh",
    args: ["-c", "echo no such disk >&2; exit 3"],
  });
  await t.rejects(
    program.until("its port", () => undefined),
    /failing ended before its port:\nno such disk/,
  );
  t.equal(await program.ended, 3);
});

t.test("a paused program stands still, and is stopped in order all the same", async (t) => {
  const script = 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.05; done';
  const program = new Program({ name: "looping", command: "/bin/sh", args: ["-c", script] });
  await program.until("ready", () => program.lines[0]);
  program.pause();
  t.equal(await program.stop(), 0);
  t.equal(program.lines.at(-1), "bye");
});

t.test("a program gets nothing of the environment but where to find things", async (t) => {
  process.env["PODGATE_SECRET"] = "s";
  t.teardown(() => delete process.env["PODGATE_SECRET"]);
  const program = new Program({ name: "env", command: "/usr/bin/env", args: [], env: { GIVEN: "1" } });
  await program.ended;
  const names = program.lines.map((line) => line.split("=")[0]);
  t.strictSame(new Set(names), new Set(["PATH", "HOME", "GIVEN"]));
});
