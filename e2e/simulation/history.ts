import { createHash } from "node:crypto";

/** Lines kept for the report of a violation. */
const KEPT = 2000;

/** What happened, in order. Two runs of one seed have the same hash, or the simulation is not deterministic. */
export class History {
  readonly #hash = createHash("sha256");
  readonly #now: () => number;
  readonly #show: ((line: string) => void) | undefined;
  #lines: string[] = [];
  #count = 0;

  /** @param show given each line as it comes */
  constructor(now: () => number, show?: (line: string) => void) {
    this.#now = now;
    this.#show = show;
  }

  note(who: string, what: string): void {
    const line = `${(this.#now() / 1000).toFixed(3).padStart(10)} ${who.padEnd(14)} ${what}`;
    this.#hash.update(line);
    this.#count += 1;
    this.#lines.push(line);
    if (this.#lines.length > 2 * KEPT) this.#lines = this.#lines.slice(-KEPT);
    this.#show?.(line);
  }

  get count(): number {
    return this.#count;
  }

  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  get hash(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
