/** A missing file is looked for again after this long, */
const FILE_MS = 5000;
/** a step that can't be put on record is tried again after this long, */
const UNRECORDED_MS = 1000;
/** and a target whose read was refused is read again after this long, doubled each time. */
const REFUSED_MS = { first: 30_000, longest: 600_000 };
/** A device whose last writer ended without a word is read again after this long, then twice as long, and so on. */
const LATE_READ_MS = 3000;
/** Drift reads of many targets must not all come at once. */
const JITTER = 0.2;

export interface ReadTimesOptions {
  readonly driftMs: number;
  /** A call without an answer may still be done by then. */
  readonly lateMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * When one target is read, and until when nothing is sent to it: at once, for drift, again and again while a write may
 * come late, and later where it is refused. Times: milliseconds of the monotonic clock.
 */
export class ReadTimes {
  readonly #options: ReadTimesOptions;
  #at = Number.NEGATIVE_INFINITY;
  /** Since when somebody else's write may come late. */
  #lateFrom = Number.NEGATIVE_INFINITY;
  #lateUntil = Number.NEGATIVE_INFINITY;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #refusals = 0;

  constructor(options: ReadTimesOptions) {
    this.#options = options;
  }

  /** When the next read is due. */
  get at(): number {
    return this.#at;
  }

  /** Nothing is sent before. */
  get restsUntil(): number {
    return this.#restsUntil;
  }

  /** Something that was sent without an answer may still be done. */
  isLate(now: number): boolean {
    return now < this.#lateUntil;
  }

  /** What is known of it may be wrong. */
  readFrom(now: number): void {
    this.#at = now;
  }

  /** It is read before anything else. */
  readFirst(): void {
    this.#at = Number.NEGATIVE_INFINITY;
  }

  /** This process has it now: what it waited for before was another one's. */
  tookOver(): void {
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  }

  /** Somebody else's write may come from now on. */
  suspect(now: number): void {
    this.#lateFrom = now;
    this.#lateUntil = now + this.#options.lateMs;
  }

  /** Our own write got no answer. It may be done after the next read, too, and undo what is written meanwhile. */
  unanswered(now: number): void {
    this.#lateUntil = now + this.#options.lateMs;
  }

  /** It was read. */
  wasRead(now: number): void {
    const { driftMs, random } = this.#options;
    const drift = now + driftMs * (1 - JITTER + 2 * JITTER * random());
    this.#at = this.isLate(now) ? Math.min(drift, this.#nextLateRead(now)) : drift;
  }

  /** It took what it was asked. */
  answered(): void {
    this.#refusals = 0;
  }

  /** A step could not be put on record. */
  unrecorded(now: number): void {
    this.#restsUntil = now + UNRECORDED_MS;
  }

  /** It refuses to be read, or a file that it takes is missing. @returns milliseconds until it is tried again */
  refused(now: number, isFile: boolean): number {
    const ms = isFile ? FILE_MS : Math.min(REFUSED_MS.longest, REFUSED_MS.first * 2 ** this.#refusals);
    this.#refusals += 1;
    this.#restsUntil = now + ms;
    return ms;
  }

  /** After 3, 6, 12 and 24 s: what comes late is found no later than it came, counted from the takeover. */
  #nextLateRead(now: number): number {
    return Math.min(this.#lateUntil, now + Math.max(LATE_READ_MS, now - this.#lateFrom));
  }
}
