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

/** The longest time setTimeout takes; it runs a longer one at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const aborted = (): void => {
        cancel();
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- whatever the signal's owner gave
        reject(signal?.reason);
      };
      if (signal?.aborted === true) return reject(signal.reason);
      const cancel = timer(ms, () => {
        signal?.removeEventListener("abort", aborted);
        resolve();
      });
      signal?.addEventListener("abort", aborted, { once: true });
    }),
  timer,
};

function timer(ms: number, run: () => void): () => void {
  let handle: NodeJS.Timeout;
  const arm = (left: number): void => {
    handle = left > LONGEST_MS ? setTimeout(() => arm(left - LONGEST_MS), LONGEST_MS) : setTimeout(run, left);
  };
  arm(ms);
  return () => clearTimeout(handle);
}
