import type { Holding } from "./holdings.ts";

/** A change of owners alone is told this long after it, together with those that followed. */
export const OWNER_NEWS_MS = 1000;

/**
 * Addresses that stay and whose owners have changed. As each waits its second before it is told, none is told
 * more than once a second; there are never more of them than members.
 */
export class OwnerNews {
  /** In the order of their times, since all wait equally long. */
  readonly #dueAt = new Map<Holding, number>();

  note(holding: Holding, now: number): void {
    if (!this.#dueAt.has(holding)) this.#dueAt.set(holding, now + OWNER_NEWS_MS);
  }

  forget(holding: Holding): void {
    this.#dueAt.delete(holding);
  }

  /** Those whose time has come, each once. */
  due(now: number): Holding[] {
    const due: Holding[] = [];
    for (const [holding, at] of this.#dueAt) {
      if (at > now) break;
      due.push(holding);
      this.#dueAt.delete(holding);
    }
    return due;
  }

  nextAt(): number | undefined {
    const [first] = this.#dueAt.values();
    return first;
  }
}
