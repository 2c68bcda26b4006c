import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./leftovers.ts";
import { Program } from "./program.ts";

const READY_MS = 20_000;

export interface ServiceOptions {
  readonly service: "watcher" | "pusher";
  /** In messages; default the service's. */
  readonly name?: string;
  /** Whole, as in the YAML file. */
  readonly configuration: object;
  /** Options of Node, as `--max-old-space-size=64`. */
  readonly nodeOptions?: readonly string[];
  /** Of its environment, as the images set it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Stacks of errors name the sources; costs 50 MB. Default true. */
  readonly sourceMaps?: boolean;
}

/** A line of the service's log (pino's JSON). */
export interface LogLine {
  readonly level: number | string;
  readonly time: number | string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A built service (`npm run build`) as a process of its own, with its configuration in a file. */
export class Service {
  readonly name: string;
  readonly directory: string;
  readonly configFile: string;
  readonly #options: ServiceOptions;
  readonly #remove: () => void;
  #log: LogLine[] = [];
  #program: Program | undefined;
  #port = 0;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.name = options.name ?? `podgate-${options.service}`;
    [this.directory, this.#remove] = temporaryDirectory(options.service);
    this.configFile = join(this.directory, "config.json");
    this.configure(options.configuration);
  }

  /** From the next start on. */
  configure(configuration: object): void {
    writeFileSync(this.configFile, JSON.stringify(configuration, undefined, 2), { mode: 0o600 });
  }

  /** All lines of all runs; those that are no JSON are in `output`. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  /** What the present or last run printed. */
  get output(): readonly string[] {
    return this.#program?.lines ?? [];
  }

  get running(): boolean {
    return this.#program?.running === true;
  }

  get pid(): number {
    return this.#run.pid;
  }

  /** Of the ops server: `/livez`, `/readyz`, `/metrics`. */
  get opsUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** @throws when it ends before its ops server listens, with what it printed */
  async start(): Promise<void> {
    if (this.running) return;
    const { service, env = {}, nodeOptions = [], sourceMaps = true } = this.#options;
    const program = new Program({
      name: this.name,
      command: process.execPath,
      env,
      args: [
        ...nodeOptions,
        ...(sourceMaps ? ["--enable-source-maps"] : []),
        bundleOf(service),
        "run",
        "--config",
        this.configFile,
      ],
    });
    this.#program = program;
    let port: number | undefined;
    program.onLine((text) => {
      const line = parse(text);
      if (line === undefined) return;
      this.#log.push(line);
      if (port === undefined && typeof line["port"] === "number") port = line["port"];
    });
    this.#port = await program.until("its ops server", () => port, READY_MS);
  }

  /** SIGTERM, and it has time to finish. @returns its exit code, or the signal that ended it */
  async stop(): Promise<number | NodeJS.Signals> {
    return this.#run.stop(25_000);
  }

  /** As `kill -9`. */
  async kill(): Promise<void> {
    await this.#run.kill();
  }

  /** SIGSTOP: it stands still and knows nothing of it. */
  pause(): void {
    this.#run.pause();
  }

  resume(): void {
    this.#run.resume();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Waits until `look` gives something. @throws when the service ends before, or the time is over */
  async until<T>(
    what: string,
    look: () => Promise<T | undefined> | T | undefined,
    ms = READY_MS,
  ): Promise<T> {
    return this.#run.until(what, look, ms);
  }

  /** Waits for a line of the log; those of earlier runs count, unless `after` (a length of `log`) is given. */
  async logged(what: string, fits: (line: LogLine) => boolean, after = 0, ms = READY_MS): Promise<LogLine> {
    return this.#run.until(`"${what}" in its log`, () => this.#log.slice(after).find(fits), ms);
  }

  /** The samples of `/metrics`: `podgate_build_info{version="0.0.0"}` → 1. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`${this.opsUrl}/metrics`);
    const samples = (await response.text())
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      samples.map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
    );
  }

  async close(): Promise<void> {
    await this.#program?.stop();
    this.#remove();
  }

  get #run(): Program {
    if (this.#program === undefined) throw new Error(`${this.name} was not started`);
    return this.#program;
  }
}

/** @throws when it was not built */
export function bundleOf(service: "watcher" | "pusher"): string {
  const file = fileURLToPath(new URL(`../../services/${service}/dist/main.mjs`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
  return file;
}

function parse(text: string): LogLine | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
