import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { Program } from "../stack/program.ts";
import type { Condition } from "./compose-file.ts";
import { insideOf } from "./namespaces.ts";
import { mountRoot, unmountRoot, type RootOptions } from "./service-root.ts";

export interface ServiceProcessOptions extends RootOptions {
  readonly name: string;
  /** Where its root folder is put together. */
  readonly directory: string;
  /** Namespace of its network. */
  readonly network: string;
}

/** A service of a compose file as a process: with the root folder, the network and the environment that the file says. */
export class ServiceProcess {
  readonly #options: ServiceProcessOptions;
  readonly #root: string;
  readonly #environment: Readonly<Record<string, string>>;
  #program: Program | undefined;
  #healthy: Promise<void> | undefined;
  #stopping = new AbortController();

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    this.#root = join(options.directory, "root");
    this.#environment = { ...options.image.environment, ...options.definition.environment };
  }

  start(): void {
    const { name, definition, image } = this.#options;
    mountRoot(this.#root, this.#options);
    const entrypoint = definition.entrypoint ?? image.entrypoint;
    const command = definition.command ?? (definition.entrypoint === undefined ? image.command : []);
    const [file, ...args] = this.#inside(...entrypoint, ...command);
    this.#stopping = new AbortController();
    this.#healthy = undefined;
    this.#program = new Program({ name, command: file, args, env: this.#environment });
  }

  /** @throws Error it cannot any more: what it printed */
  async reaches(condition: Condition): Promise<void> {
    if (condition === "service_started") return;
    if (condition === "service_healthy") return (this.#healthy ??= this.#becomeHealthy());
    const reason = await this.#run.ended;
    if (reason !== 0) throw new Error(`${this.#options.name} ended (${reason}):\n${this.#run.tail()}`);
  }

  /** SIGTERM, then the grace period. What it wrote outside of its volumes is gone. */
  async stop(): Promise<void> {
    if (this.#program === undefined) return;
    this.#stopping.abort();
    await this.#program.stop(this.#options.definition.graceMs);
    unmountRoot(this.#root);
    this.#program = undefined;
  }

  /** It ended and was to last. */
  get isFallen(): boolean {
    const { isLasting } = this.#options.definition;
    return isLasting && !this.#stopping.signal.aborted && this.#program?.running === false;
  }

  get lines(): readonly string[] {
    return this.#program?.lines ?? [];
  }

  /** @returns what it printed. @throws Error it failed: what it said */
  async exec(command: readonly string[], timeoutMs = 60_000): Promise<string> {
    const [file, ...args] = this.#inside(...command);
    const { stdout } = await promisify(execFile)(file, args, {
      env: this.#environment,
      timeout: timeoutMs,
      signal: this.#stopping.signal,
      killSignal: "SIGKILL",
      maxBuffer: 64 * 1024 ** 2,
    });
    return stdout;
  }

  /** Where a file of it is, as this process sees it. */
  path(file: string): string {
    return join(this.#root, file);
  }

  async #becomeHealthy(): Promise<void> {
    const { name, definition } = this.#options;
    const { health } = definition;
    if (health === undefined) throw new Error(`${name} has no healthcheck`);
    for (let failures = 0; ;) {
      if (!this.#run.running) throw new Error(`${name} ended before it was healthy:\n${this.#run.tail()}`);
      try {
        await this.exec(health.command, health.timeoutMs);
        return;
      } catch (error) {
        if (this.#stopping.signal.aborted) throw error;
        failures += 1;
        if (failures >= health.retries)
          throw new Error(`${name} is not healthy: ${(error as Error).message}\n${this.#run.tail()}`, {
            cause: error,
          });
      }
      await pause(health.intervalMs);
    }
  }

  #inside(...command: readonly string[]): [command: string, ...args: string[]] {
    const { network, image } = this.#options;
    return insideOf({ network, root: this.#root, folder: image.workingDirectory }, ...command);
  }

  get #run(): Program {
    if (this.#program === undefined) throw new Error(`${this.#options.name} was not started`);
    return this.#program;
  }
}
