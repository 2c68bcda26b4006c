import type { Owner } from "@podgate/shared/contract/event";
import { TOMBSTONE_SECONDS } from "./events.ts";
import type { Holding } from "./holdings.ts";

/** As long as a removal stays on the bus: afterwards nobody remembers who vanished. */
const REMEMBERED_MS = TOMBSTONE_SECONDS * 1000;

/**
 * Owners of an address that a list lacked while it stayed for others: pods of a node. If the list was short they still
 * run there: they are told as owners all the same, and when the end of the last other one is seen, that of the address
 * is not.
 */
export class Missing {
  /** Holding → uid → who, and when in milliseconds of the monotonic clock. */
  readonly #owners = new Map<Holding, Map<string, { readonly owner: Owner; readonly since: number }>>();

  note(holding: Holding, owner: Owner, now: number): void {
    const owners = this.#owners.get(holding) ?? new Map<string, { owner: Owner; since: number }>();
    this.#owners.set(holding, owners.set(owner.uid, { owner, since: now }));
  }

  of(holding: Holding): Owner[] {
    return [...(this.#owners.get(holding)?.values() ?? [])].map(({ owner }) => owner);
  }

  /** Of these something was heard: they are owners again, or their own end was seen. */
  found(isHeardOf: (uid: string) => boolean): void {
    this.#drop((uid) => isHeardOf(uid));
  }

  tick(now: number): void {
    this.#drop((_, since) => now - since > REMEMBERED_MS);
  }

  /** The address has left its group. */
  forget(holding: Holding): void {
    this.#owners.delete(holding);
  }

  #drop(isOver: (uid: string, since: number) => boolean): void {
    for (const [holding, owners] of this.#owners) {
      for (const [uid, { since }] of owners) if (isOver(uid, since)) owners.delete(uid);
      if (owners.size === 0) this.#owners.delete(holding);
    }
  }
}
