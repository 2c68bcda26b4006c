import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { isExecutable } from "../tools/go.ts";
import { onEnd } from "./leftovers.ts";

const KEPT_LINES = 20_000;
const SETPRIV = "/usr/bin/setpriv";

export interface ProgramOptions {
  /** In messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** All it gets of an environment besides PATH and HOME: what the tests were started with must not reach it. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One process and what it said (both its outputs, line by line). Signals go to its process id, never to a name. */
export class Program {
  readonly name: string;
  readonly lines: string[] = [];
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<(line: string) => void>();
  #stopped = false;
  #expected = false;

  constructor({ name, command, args, env = {} }: ProgramOptions) {
    this.name = name;
    // Linux ends the program even when this process is killed without a chance to clean up.
    const [file, all] = isExecutable(SETPRIV)
      ? [SETPRIV, ["--pdeathsig", "KILL", "--", command, ...args]]
      : [command, args];
    const { PATH = "", HOME = "" } = process.env;
    this.#child = spawn(file, all, { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const forget = onEnd(() => this.#child.kill("SIGKILL"));
    this.#read("stdout");
    this.#read("stderr");
    this.ended = once(this.#child, "exit").then((reason) => {
      forget();
      this.#stopped = true;
      const [code, signal] = reason as [number | null, NodeJS.Signals | null];
      // On stderr, where TAP is not disturbed: else a test only sees that nothing happens.
      if (!this.#expected && code !== 0)
        console.error(`${this.name} ended (${code ?? signal}):\n${this.tail()}`);
      return code ?? signal ?? 0;
    });
  }

  /** @throws when it could not be started */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} has no process`);
    return this.#child.pid;
  }

  get running(): boolean {
    return !this.#stopped;
  }

  onLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** SIGTERM, and SIGKILL when that takes longer than `graceMs`. */
  async stop(graceMs = 10_000): Promise<number | NodeJS.Signals> {
    this.#expected = true;
    if (this.running) this.#child.kill("SIGTERM");
    // A paused process hears SIGTERM only once it runs again.
    if (this.running) this.#child.kill("SIGCONT");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  async kill(): Promise<void> {
    this.#expected = true;
    if (this.running) this.#child.kill("SIGKILL");
    await this.ended;
  }

  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  /** SIGHUP: it reads its configuration again. */
  hangUp(): void {
    this.#child.kill("SIGHUP");
  }

  /** What it said last, for the message of an error. */
  tail(lines = 15): string {
    return this.lines.slice(-lines).join("\n");
  }

  /**
   * Waits until `look` gives something.
   *
   * @throws when the program ends first or the time is over, with its last lines
   */
  async until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, ms = 20_000): Promise<T> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (!this.running) throw new Error(`${this.name} ended before ${what}:\n${this.tail()}`);
      if (performance.now() > deadline)
        throw new Error(`${this.name}: no ${what} within ${ms} ms:\n${this.tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #read(stream: "stdout" | "stderr"): void {
    let rest = "";
    this.#child[stream]?.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.lines.push(line);
        for (const listener of this.#listeners) listener(line);
      }
      if (this.lines.length > KEPT_LINES) this.lines.splice(0, this.lines.length - KEPT_LINES);
    });
  }
}
