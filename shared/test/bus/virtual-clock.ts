import type { Clock } from "../../src/runtime/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that passes only when everything else has come to rest. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted) reject(signal.reason as Error);
    const abort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    // A signal may outlive a million sleeps.
    const cancel = this.timer(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
    return promise;
  }

  timer(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, order: (this.#order += 1), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets everything run, timers in their order, until `done` or until `ms` have passed. */
  async run(ms: number, done: () => boolean = () => false): Promise<boolean> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (done()) return true;
      const next = [...this.#timers].toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined || next.at > end) {
        this.#now = end;
        return done();
      }
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
  }
}
