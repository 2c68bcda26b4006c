/** Milliseconds since 1970 (with fractions), and timers. A test may bring its own. */
export interface Clock {
  now(): number;
  /** @returns cancels it */
  timer(ms: number, run: () => void): () => void;
}

/** Never jumps, and agrees with `Date.now()` of every process of this machine at the start. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  timer: (ms, run) => {
    // What is held back does not keep a process alive whose server is closed.
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
