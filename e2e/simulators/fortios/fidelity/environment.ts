import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out: string[] = [];
    const err: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code: code ?? 1, stdout: out.join(""), stderr: err.join("") });
    });
  });
}

/** Ansible of this generation needs Python 3.11 or newer. */
async function findPython(): Promise<string> {
  const check = "import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 11) else 1)";
  for (const name of ["python3", "python3.13", "python3.12", "python3.11"]) {
    try {
      if ((await run(name, ["-c", check])).code === 0) return name;
    } catch {
      // Not installed under this name.
    }
  }
  throw new Error("the fidelity test needs Python 3.11 or newer with venv: install python3 and python3-venv");
}

/** A virtual environment with the clients, in a cache outside the tree. Made once per set of requirements. */
export async function pythonEnvironment(say: (line: string) => void): Promise<string> {
  const requirements = join(import.meta.dirname, "requirements.txt");
  const hash = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "podgate");
  const folder = join(cache, `fidelity-${hash}`);
  const stamp = join(folder, "complete");
  const bin = join(folder, "bin");
  try {
    await access(stamp);
    return bin;
  } catch {
    // Not made yet, or not to its end.
  }
  const python = await findPython();
  say(`installing the clients into ${folder} (once; a minute or two)`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  const steps: readonly (readonly [string, readonly string[]])[] = [
    [python, ["-m", "venv", folder]],
    [join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", "--requirement", requirements]],
  ];
  for (const [command, args] of steps) {
    const { code, stderr } = await run(command, args);
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr.slice(-2000)}`);
  }
  await writeFile(stamp, "");
  return bin;
}
