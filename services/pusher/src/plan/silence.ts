import type { DesiredSource } from "../desired/desired.ts";

/** When clusters have been silent for as long as their routes allow. Times: monotonic milliseconds. */
export class Silence {
  /** Sources whose members go after some silence. */
  #mortal: readonly DesiredSource[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;

  watch(sources: readonly DesiredSource[]): void {
    this.#mortal = sources.filter(({ policy }) => policy.removeAfterMs !== undefined);
  }

  /** A cluster may have fallen silent, or speak again. */
  changed(): void {
    this.#wakeAt = Number.NEGATIVE_INFINITY;
  }

  /** Keys of the sources whose time is over; nothing before the next one's is. */
  over(now: number): string[] {
    if (this.#mortal.length === 0 || now < this.#wakeAt) return [];
    this.#wakeAt = Number.POSITIVE_INFINITY;
    const over: string[] = [];
    for (const { key, policy, unverifiedSince } of this.#mortal) {
      if (unverifiedSince === undefined || policy.removeAfterMs === undefined) continue;
      const at = unverifiedSince + policy.removeAfterMs;
      if (at > now) this.#wakeAt = Math.min(this.#wakeAt, at);
      else over.push(key);
    }
    return over;
  }

  /** When the next one's time is over; Infinity = never without news. */
  wakeAt(now: number): number {
    return this.#wakeAt > now ? this.#wakeAt : Number.POSITIVE_INFINITY;
  }
}
