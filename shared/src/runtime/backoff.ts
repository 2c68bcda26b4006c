import type { Random } from "./random.ts";

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/** Milliseconds before try number `attempt` (0 = the first retry): exponential, capped, the upper half jittered. */
export function backoff(attempt: number, { baseMs, capMs }: BackoffOptions, random: Random): number {
  const most = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  // Half is kept, so that a retry is never at once.
  return most / 2 + (most / 2) * random();
}
