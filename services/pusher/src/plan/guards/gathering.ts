import type { Candidate } from "./candidate.ts";

/** An edit's removals come one by one, and are weighed when no more have come for so long, … */
const QUIET_MS = 250;
/** … or after so long at most. */
const LONGEST_MS = 1000;

/**
 * What one edit takes away is decided together: the first of its removals must not be gone before the last one is
 * known. Their members are alive, so a moment more costs nothing. Times: monotonic milliseconds.
 */
export class Gathering {
  readonly #addresses = new Set<string>();
  #first = 0;
  #last = 0;

  static concerns({ cause, absent }: Candidate): boolean {
    return absent !== true && (cause === "unselected" || cause === "undefined");
  }

  take(key: string, now: number): void {
    if (this.#addresses.has(key)) return;
    if (this.#addresses.size === 0) this.#first = now;
    this.#addresses.add(key);
    this.#last = now;
  }

  /** When what was gathered is decided; undefined = nothing waits. */
  get until(): number | undefined {
    if (this.#addresses.size === 0) return undefined;
    return Math.min(this.#last + QUIET_MS, this.#first + LONGEST_MS);
  }

  clear(): void {
    this.#addresses.clear();
  }
}
