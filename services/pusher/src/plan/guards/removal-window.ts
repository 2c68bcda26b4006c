import type { SpentPart } from "./spent.ts";

interface Bucket {
  readonly from: number;
  /** Members more or fewer. */
  delta: number;
  /** Removals that are weighed by number. */
  counted: number;
}

/** The window is remembered in so many parts, … */
const PARTS = 60;
/** … and what was just now in finer ones. */
const LATELY_MS = 10_000;
const LATELY_PART_MS = 250;

/** How a group's members on the device changed within the last while. Times: monotonic milliseconds. */
export class RemovalWindow {
  #parts: Bucket[] = [];
  #lately: Bucket[] = [];
  /** As it was given last. */
  #windowMs = 0;

  note(delta: number, counted: number, windowMs: number, now: number): void {
    this.#windowMs = windowMs;
    put(this.#parts, { from: now, delta, counted }, windowMs / PARTS);
    put(this.#lately, { from: now, delta, counted }, LATELY_PART_MS);
    // A part goes when all of it is out: rather a moment too long than too short.
    prune(this.#parts, now - windowMs * (1 + 1 / PARTS));
    prune(this.#lately, now - LATELY_MS);
  }

  /**
   * The members that shares are taken of: those when the window began, or those of some seconds ago, whichever are
   * more. What an edit brings in a moment before it takes others away makes these no smaller a share.
   *
   * @param size members now. @returns also the weighed removals in the window
   */
  look(size: number, windowMs: number, now: number): { base: number; done: number } {
    this.#windowMs = windowMs;
    prune(this.#parts, now - windowMs * (1 + 1 / PARTS));
    prune(this.#lately, now - LATELY_MS);
    const before = (buckets: readonly Bucket[]): number =>
      buckets.reduce((count, { delta }) => count - delta, size);
    const base = Math.max(0, before(this.#parts), before(this.#lately));
    return { base, done: this.#parts.reduce((count, { counted }) => count + counted, 0) };
  }

  /** What is in the window, if removals that are weighed are. */
  spent(now: number): SpentPart[] {
    prune(this.#parts, now - this.#windowMs * (1 + 1 / PARTS));
    if (!this.#parts.some(({ counted }) => counted > 0)) return [];
    return this.#parts.map(({ from, delta, counted }) => ({ ageMs: now - from, delta, counted }));
  }

  /** What was in it before, here or in another process. */
  restore(parts: readonly SpentPart[], now: number): void {
    this.#parts = parts.map(({ ageMs, delta, counted }) => ({ from: now - ageMs, delta, counted }));
    this.#windowMs = Number.POSITIVE_INFINITY;
  }

  clone(): RemovalWindow {
    const copy = new RemovalWindow();
    copy.#windowMs = this.#windowMs;
    copy.#parts = this.#parts.map((bucket) => Object.assign({}, bucket));
    copy.#lately = this.#lately.map((bucket) => Object.assign({}, bucket));
    return copy;
  }
}

function put(buckets: Bucket[], { from, delta, counted }: Bucket, partMs: number): void {
  const last = buckets.at(-1);
  if (last === undefined || from - last.from >= partMs) {
    buckets.push({ from, delta, counted });
    return;
  }
  last.delta += delta;
  last.counted += counted;
}

function prune(buckets: Bucket[], before: number): void {
  while (buckets[0] !== undefined && buckets[0].from < before) buckets.shift();
}
