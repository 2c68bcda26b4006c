/** Milliseconds. Failures are counted within the window. */
export interface LockoutRule {
  readonly threshold: number;
  readonly window: number;
  readonly duration: number;
}

/** `admin-lockout-threshold` 3 within 60 s, `admin-lockout-duration` 60 s (KB 362817). */
export const LOCKOUT: LockoutRule = { threshold: 3, window: 60_000, duration: 60_000 };

interface Record_ {
  failures: number[];
  lockedUntil: number;
  lockouts: number;
}

/** Wrong keys per source address. Each further lockout lasts twice as long; one success forgets all. */
export class Lockout {
  readonly #rule: LockoutRule;
  readonly #sources = new Map<string, Record_>();

  constructor(rule: LockoutRule = LOCKOUT) {
    this.#rule = rule;
  }

  /** While locked, nobody looks at the token. */
  locked(source: string, now: number): boolean {
    return (this.#sources.get(source)?.lockedUntil ?? 0) > now;
  }

  failed(source: string, now: number): void {
    const record = this.#sources.get(source) ?? { failures: [], lockedUntil: 0, lockouts: 0 };
    this.#sources.set(source, record);
    record.failures = [...record.failures.filter((at) => at > now - this.#rule.window), now];
    if (record.failures.length < this.#rule.threshold) return;
    record.failures = [];
    record.lockedUntil = now + this.#rule.duration * 2 ** record.lockouts;
    record.lockouts += 1;
  }

  succeeded(source: string): void {
    this.#sources.delete(source);
  }

  clear(): void {
    this.#sources.clear();
  }

  /** Source addresses that are locked, and until when (ms since 1970). */
  state(now: number): Record<string, number> {
    const locked = [...this.#sources].filter(([, record]) => record.lockedUntil > now);
    return Object.fromEntries(locked.map(([source, record]) => [source, record.lockedUntil]));
  }
}
