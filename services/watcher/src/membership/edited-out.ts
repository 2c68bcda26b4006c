import type { RemoveCause } from "@podgate/shared/contract/event";
import { ownAddresses } from "./counting.ts";
import { Holdings, type Holding } from "./holdings.ts";
import type { PodEntry } from "./pod-entry.ts";
import { each } from "./several.ts";

/** So many of one pod are remembered, the newest: groups may be made and deleted without end while it runs. */
const PER_POD = 16;

/** From the one that says least: whoever relabels a pod means this pod. */
const EDITS: readonly RemoveCause[] = ["relabeled", "unselected", "undefined"];

/** Was the end seen? What a list only lacks was not. */
export const isEnd = (cause: RemoveCause): boolean =>
  cause === "ended" || cause === "changed" || cause === "reused";

/**
 * Addresses that an edit took out of a group while the pods they were there for go on. Firewalls may hold on to them
 * until a person has looked, so the end of the last of these pods is told as well: then there is nothing to look at.
 */
export class EditedOut {
  readonly #holdings = new Holdings();
  /** The strongest edit that took an owner out. */
  readonly #edits = new WeakMap<Holding, RemoveCause>();

  /** The owner has let the address go, or would have. */
  note(owner: PodEntry, group: string, address: string, cause: RemoveCause): void {
    if (!EDITS.includes(cause)) return;
    const { holding, isNew } = this.#holdings.hold(group, address, owner);
    const before = this.#edits.get(holding) ?? cause;
    this.#edits.set(holding, EDITS.indexOf(cause) > EDITS.indexOf(before) ? cause : before);
    if (!isNew) return;
    owner.editedOut = [...owner.editedOut, holding];
    const [oldest] = owner.editedOut;
    if (oldest !== undefined && owner.editedOut.length > PER_POD) this.#forget(oldest);
  }

  /**
   * Of an address that is left by the last who was an owner: the edit that took out others, if it is still one of
   * theirs. A node's never is: pods of an earlier selector go on running there.
   */
  of(group: string, address: string): { readonly holding: Holding; readonly cause: RemoveCause } | undefined {
    const holding = this.#holdings.get(group, address);
    const cause = holding && this.#edits.get(holding);
    if (holding === undefined || cause === undefined) return undefined;
    const isOwn = [...each(holding.owners)].some(({ fact, ending }) =>
      ownAddresses(fact, ending).includes(address),
    );
    return isOwn ? { holding, cause } : undefined;
  }

  /** The owner is not to be waited for any more. @returns whether it was the last */
  release(owner: PodEntry, holding: Holding): boolean {
    if (!owner.editedOut.includes(holding)) return false;
    owner.editedOut = owner.editedOut.filter((other) => other !== holding);
    return this.#holdings.release(holding, owner);
  }

  /** By all its owners: the end of the others alone would say nothing. */
  #forget(holding: Holding): void {
    for (const owner of each(holding.owners)) this.release(owner, holding);
  }
}
