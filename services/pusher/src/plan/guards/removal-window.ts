interface Bucket {
  readonly from: number;
  /** Members more or fewer. */
  delta: number;
  /** Removals that are weighed by number. */
  counted: number;
}

/** The window is remembered in so many parts. */
const PARTS = 60;

/** How a group's members on the device changed within the last while. Times: monotonic milliseconds. */
export class RemovalWindow {
  readonly #buckets: Bucket[] = [];

  note(delta: number, counted: number, windowMs: number, now: number): void {
    const last = this.#buckets.at(-1);
    if (last !== undefined && now - last.from < windowMs / PARTS) {
      last.delta += delta;
      last.counted += counted;
    } else this.#buckets.push({ from: now, delta, counted });
  }

  /** @param size members now. @returns members when the window began, and weighed removals since */
  look(size: number, windowMs: number, now: number): { base: number; done: number } {
    // A part goes when all of it is out: rather a moment too long than too short.
    while (this.#buckets[0] !== undefined && now - this.#buckets[0].from > windowMs * (1 + 1 / PARTS))
      this.#buckets.shift();
    let base = size;
    let done = 0;
    for (const { delta, counted } of this.#buckets) {
      base -= delta;
      done += counted;
    }
    return { base: Math.max(0, base), done };
  }

  clone(): RemovalWindow {
    const copy = new RemovalWindow();
    for (const bucket of this.#buckets) copy.#buckets.push({ ...bucket });
    return copy;
  }
}
