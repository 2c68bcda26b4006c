import type { Holding } from "./holdings.ts";

/** As long as a removal stays on the bus: afterwards nobody remembers who vanished. */
const REMEMBERED_MS = 3_600_000;

/**
 * Owners of an address that a list lacked while it stayed for others: pods of a node. If the list was short they still
 * run there, so when the end of the last other one is seen, that of the address is not.
 */
export class Missing {
  /** Holding → uid → when, in milliseconds of the monotonic clock. */
  readonly #owners = new Map<Holding, Map<string, number>>();

  note(holding: Holding, uid: string, now: number): void {
    const uids = this.#owners.get(holding) ?? new Map<string, number>();
    this.#owners.set(holding, uids.set(uid, now));
  }

  /** Of these something was heard: they are owners again, or their own end was seen. */
  found(isHeardOf: (uid: string) => boolean): void {
    this.#drop((uid) => isHeardOf(uid));
  }

  tick(now: number): void {
    this.#drop((_, since) => now - since > REMEMBERED_MS);
  }

  /** The address has left its group. @returns whether somebody was missing still */
  take(holding: Holding): boolean {
    return this.#owners.delete(holding);
  }

  #drop(isOver: (uid: string, since: number) => boolean): void {
    for (const [holding, uids] of this.#owners) {
      for (const [uid, since] of uids) if (isOver(uid, since)) uids.delete(uid);
      if (uids.size === 0) this.#owners.delete(holding);
    }
  }
}
