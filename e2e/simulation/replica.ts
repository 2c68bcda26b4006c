import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { History } from "./history.ts";
import { Process, type CallProbe } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/** What runs in one process; its promise ends when it ends by itself. */
export type Program = (process: Process, signal: AbortSignal, logger: Logger) => Promise<void>;

export interface ReplicaOptions {
  readonly name: string;
  readonly timeline: Timeline;
  readonly history: History;
  readonly program: Program;
  /** It ended without being asked to. */
  readonly onFailure: (what: string) => void;
}

/** One replica of a service, as Kubernetes keeps it: one process after another. */
export class Replica {
  readonly name: string;
  probe: CallProbe = () => "pass";
  readonly #options: ReplicaOptions;
  #process: Process | undefined;
  #stopping: AbortController | undefined;
  #starts = 0;
  #skewMs = 0;
  #isRetired = false;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.name = options.name;
  }

  get process(): Process | undefined {
    return this.#process?.state === "dead" ? undefined : this.#process;
  }

  start(): void {
    if (this.process !== undefined || this.#isRetired) return;
    const { timeline, history, program } = this.#options;
    this.#starts += 1;
    const process = new Process(`${this.name}-${String(this.#starts)}`, timeline);
    process.skewMs = this.#skewMs;
    process.probe = (call) => this.probe(call);
    const stopping = new AbortController();
    this.#process = process;
    this.#stopping = stopping;
    history.note(process.name, "starts");
    void this.#live(process, stopping.signal, program(process, stopping.signal, loggerFor(process, history)));
  }

  async #live(process: Process, stopping: AbortSignal, life: Promise<void>): Promise<void> {
    const { history, onFailure } = this.#options;
    try {
      await life;
      if (process.state === "dead") return;
      if (!stopping.aborted) onFailure(`${process.name} ended by itself`);
      history.note(process.name, "ended");
    } catch (error) {
      if (process.state === "dead") return;
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      onFailure(`${process.name} failed: ${words}`);
    }
    process.kill();
  }

  /** As SIGKILL. */
  kill(): void {
    if (this.process === undefined) return;
    this.#options.history.note(this.process.name, "is killed");
    this.process.kill();
  }

  /** Killed, and not started by anything until it comes back. */
  retire(): void {
    this.#isRetired = true;
    this.kill();
  }

  comeBack(): void {
    this.#isRetired = false;
    this.start();
  }

  /** As SIGTERM. */
  stop(): void {
    if (this.process === undefined) return;
    this.#options.history.note(this.process.name, "is told to stop");
    this.#stopping?.abort();
  }

  /** As SIGSTOP. */
  pause(): void {
    if (this.process !== undefined) this.#options.history.note(this.process.name, "is paused");
    this.process?.stop();
  }

  /** As SIGCONT. */
  resume(): void {
    if (this.process?.state === "stopped") this.#options.history.note(this.process.name, "goes on");
    this.process?.resume();
  }

  /** Sets its host's wall clock. */
  skew(ms: number): void {
    this.#skewMs = ms;
    if (this.#process !== undefined) this.#process.skewMs = ms;
  }

  get clock(): Clock | undefined {
    return this.#process?.clock;
  }
}

function loggerFor(process: Process, history: History): Logger {
  const at =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      if (process.state === "dead") return;
      history.note(process.name, `${level}: ${message} ${wordsOf(fields)}`);
    };
  return { debug: () => undefined, info: at("info"), warn: at("warn"), error: at("error") };
}

function wordsOf(fields: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(fields, (_key, value: unknown) =>
    value instanceof Error ? value.message : value,
  );
  return text.slice(0, 400);
}
