import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Chart, Helm } from "../packaging/helm.ts";
import { tool } from "../tools/tool.ts";

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const BLOCK = /^ {5,}\S.*\n?(?: {5,}.*\n?)*/gm;

/** What the notes of a release tell to type, block by block, with the indentation that somebody copies along. */
export function commandsOf(helm: Helm, release: Chart, namespace: string): string[] {
  return helm.ok("get", "notes", release, "--namespace", namespace).match(BLOCK) ?? [];
}

/** Somebody's shell, with `kubectl` and access to one cluster. */
export class Shell {
  readonly #env: NodeJS.ProcessEnv;

  private constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** @param directory to keep its home in */
  static async open(directory: string, kubeconfig: string): Promise<Shell> {
    const home = join(directory, "shell");
    mkdirSync(home);
    symlinkSync(await tool("kubectl"), join(home, "kubectl"));
    return new Shell({ PATH: `${home}:${process.env["PATH"] ?? ""}`, HOME: home, KUBECONFIG: kubeconfig });
  }

  run(commands: string): Promise<Said> {
    return this.#start("sh", ["-c", commands]);
  }

  /** In a terminal, where a program asks and somebody types the answer. What it says is all in `stdout`. */
  answer(commands: string, question: RegExp, answer: string): Promise<Said> {
    const args = ["--quiet", "--return", "--command", commands, "/dev/null"];
    return this.#start("script", args, { question, answer });
  }

  async #start(
    program: string,
    args: readonly string[],
    dialog?: { readonly question: RegExp; readonly answer: string },
  ): Promise<Said> {
    const child = spawn(program, args, { env: this.#env, stdio: ["pipe", "pipe", "pipe"] });
    let waits = dialog;
    let [stdout, stderr] = ["", ""];
    if (dialog === undefined) child.stdin.end();
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (waits?.question.test(stdout) !== true) return;
      child.stdin.write(`${waits.answer}\n`);
      waits = undefined;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout, stderr };
  }
}
