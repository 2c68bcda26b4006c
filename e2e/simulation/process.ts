import type { Clock } from "@podgate/shared/runtime/clock";
import type { Timeline } from "./timeline.ts";

/** 2026-01-01 */
export const EPOCH = 1_767_225_600_000;

/** What becomes of a call: exactly one of the two, once. */
export interface Answer<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** Looks at each call of a process into the world; what it answers happens to the process. */
export type CallProbe = (call: string) => "pass" | "die-before" | "die-after";

/**
 * One operating system process: everything that comes to it (answers, messages, timers) comes through here. Stopped, it
 * gets nothing until it goes on; dead, it gets nothing any more and what it does has no effect.
 */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  /** What its wall clock is ahead. */
  skewMs = 0;
  probe: CallProbe = () => "pass";
  readonly #timeline: Timeline;
  readonly #onDeath: (() => void)[] = [];
  #waiting: (() => void)[] = [];
  #state: "running" | "stopped" | "dead" = "running";

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
    const begin = timeline.now;
    const timer = (ms: number, run: () => void): (() => void) => this.#timer(ms, run);
    this.clock = {
      now: () => Math.floor(EPOCH + timeline.now + this.skewMs),
      monotonic: () => timeline.now - begin,
      timer,
      sleep: (ms, signal) => sleep(timer, ms, signal),
    };
  }

  get state(): "running" | "stopped" | "dead" {
    return this.#state;
  }

  /** Something reaches the process. */
  deliver(run: () => void): void {
    if (this.#state === "running") run();
    else if (this.#state === "stopped") this.#waiting.push(run);
  }

  /** A call into the world. That of a dead process is never answered. */
  call<T>(call: string, begin: (answer: Answer<T>) => void): Promise<T> {
    if (this.#state === "dead") return new Promise(() => undefined);
    const fate = this.probe(call);
    if (fate === "die-before") {
      this.kill();
      return new Promise(() => undefined);
    }
    return new Promise<T>((resolve, reject) => {
      const back = (run: () => void): void => {
        if (fate === "die-after") this.kill();
        else this.deliver(run);
      };
      begin({
        resolve: (value) => back(() => resolve(value)),
        reject: (error) => back(() => reject(error)),
      });
    });
  }

  /** As SIGSTOP. Its clocks go on. */
  stop(): void {
    if (this.#state === "running") this.#state = "stopped";
  }

  /** As SIGCONT. */
  resume(): void {
    if (this.#state !== "stopped") return;
    this.#state = "running";
    for (const run of this.#waiting.splice(0)) run();
  }

  /** As SIGKILL: what was sent may still arrive. */
  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#waiting = [];
    for (const run of this.#onDeath.splice(0)) run();
  }

  onDeath(run: () => void): void {
    this.#onDeath.push(run);
  }

  #timer(ms: number, run: () => void): () => void {
    if (this.#state === "dead") return () => undefined;
    let isCanceled = false;
    // As in Node: whole milliseconds, and at least one.
    const cancel = this.#timeline.after(Math.max(1, Math.trunc(ms)), () => {
      this.deliver(() => {
        if (!isCanceled) run();
      });
    });
    return () => {
      isCanceled = true;
      cancel();
    };
  }
}

function sleep(
  timer: (ms: number, run: () => void) => () => void,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      cancel();
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- whatever the signal's owner gave
      reject(signal?.reason);
    };
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const cancel = timer(ms, () => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    });
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
