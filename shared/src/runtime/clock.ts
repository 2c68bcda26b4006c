import { setTimeout as delay } from "node:timers/promises";

/** Time comes in through this port everywhere, so that whole services run on a virtual clock. */
export interface Clock {
  /** Wall clock: milliseconds since 1970. Only for messages and logs, never for durations. */
  now(): number;
  /** Milliseconds from some start; never goes back. */
  monotonic(): number;
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs once after `ms`. Returns the cancellation. */
  timer(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal && { signal }),
  timer: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
