export interface Budget {
  /** Milliseconds until a call may go out; 0 = now, and then it is counted. @param now monotonic milliseconds */
  take(now: number): number;
}

/**
 * So many calls at once, then so many a second: protects a device's flash and CPU, and costs an idle one nothing.
 */
export class TokenBucket implements Budget {
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly burst: number; readonly perSecond: number }) {
    this.#burst = options.burst;
    this.#perMs = options.perSecond / 1000;
    this.#left = options.burst;
  }

  take(now: number): number {
    if (now > this.#at) {
      const earned = (now - this.#at) * this.#perMs;
      this.#left = Math.min(this.#burst, this.#left + earned);
      this.#at = now;
    }
    // The sum of many fractions is a little short of the whole.
    if (this.#left < 1 - 1e-6) return Math.ceil((1 - this.#left) / this.#perMs);
    this.#left -= 1;
    return 0;
  }
}
