import { OWNERS_SHOWN, type Owner } from "@podgate/shared/contract/event";
import type { PodEntry } from "./pod-entry.ts";
import { each, holds, minus, plus, sizeOf, type Several } from "./several.ts";

/** An address in one group with everybody because of whom it is there. */
export interface Holding {
  readonly group: string;
  readonly address: string;
  /** Never empty: one that has left its group keeps its last owner, for the event. */
  owners: PodEntry | Set<PodEntry>;
}

/** Group × address → owners: an address stays while any owner holds it. */
export class Holdings {
  readonly #groups = new Map<string, Map<string, Holding>>();
  #count = 0;

  get(group: string, address: string): Holding | undefined {
    return this.#groups.get(group)?.get(address);
  }

  of(group: string): Iterable<Holding> {
    return this.#groups.get(group)?.values() ?? [];
  }

  size(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  *all(): Generator<Holding> {
    for (const group of this.#groups.values()) yield* group.values();
  }

  /** Makes the owner one of the address's. @returns also whether it was none before */
  hold(group: string, address: string, owner: PodEntry): { holding: Holding; isNew: boolean } {
    let addresses = this.#groups.get(group);
    if (addresses === undefined) this.#groups.set(group, (addresses = new Map<string, Holding>()));
    const before = addresses.get(address);
    if (before !== undefined) {
      if (holds(before.owners, owner)) return { holding: before, isNew: false };
      before.owners = plus(before.owners, owner);
      return { holding: before, isNew: true };
    }
    const holding: Holding = { group, address, owners: owner };
    addresses.set(address, holding);
    this.#count += 1;
    return { holding, isNew: true };
  }

  /** @returns true if this owner was the last, so the address has left the group */
  release(holding: Holding, owner: PodEntry): boolean {
    const { group, address } = holding;
    const rest: Several<PodEntry> = holding.owners === owner ? undefined : minus(holding.owners, owner);
    if (rest !== undefined) {
      holding.owners = rest;
      return false;
    }
    const addresses = this.#groups.get(group);
    addresses?.delete(address);
    if (addresses?.size === 0) this.#groups.delete(group);
    this.#count -= 1;
    return true;
  }

  get count(): number {
    return this.#count;
  }
}

export interface Shown {
  readonly owners: Owner[];
  readonly ownerCount: number;
  /** Of the owner that came first. */
  readonly resourceVersion: string;
}

export const ownerOf = ({ fact: { namespace, name, uid } }: PodEntry): Owner => ({
  kind: "Pod",
  namespace,
  name,
  uid,
});

/** A holding as events tell it. @param more owners besides, each told once */
export function shown({ owners }: Holding, more: readonly Owner[] = []): Shown {
  const first: Owner[] = [];
  let resourceVersion = "";
  for (const entry of each(owners)) {
    if (first.length === 0) ({ resourceVersion } = entry.fact);
    if (first.length === OWNERS_SHOWN) break;
    first.push(ownerOf(entry));
  }
  const others = new Map(more.map((owner) => [owner.uid, owner]));
  if (others.size > 0) for (const { fact } of each(owners)) others.delete(fact.uid);
  first.push(...[...others.values()].slice(0, OWNERS_SHOWN - first.length));
  return { owners: first, ownerCount: sizeOf(owners) + others.size, resourceVersion };
}
