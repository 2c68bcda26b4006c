import { Digest } from "@podgate/shared/contract/digest";
import { OWNERS_SHOWN, type Owner } from "@podgate/shared/contract/event";

/** An address in one group with everybody because of whom it is there. */
export interface Holding {
  readonly group: string;
  readonly address: string;
  /** By uid. A node holds as many times as pods of the group run on it; it stands here once. */
  readonly owners: Map<string, Owner>;
  resourceVersion: string;
}

/** Group × address → owners: an address stays while any owner holds it. Count and digest are kept along. */
export class Holdings {
  readonly #groups = new Map<string, Map<string, Holding>>();
  readonly #digest = new Digest();
  #count = 0;

  get(group: string, address: string): Holding | undefined {
    return this.#groups.get(group)?.get(address);
  }

  of(group: string): Iterable<Holding> {
    return this.#groups.get(group)?.values() ?? [];
  }

  *all(): Generator<Holding> {
    for (const group of this.#groups.values()) yield* group.values();
  }

  /** @returns the holding if this owner is the first, so the address has joined the group */
  hold(group: string, address: string, owner: Owner, resourceVersion: string): Holding | undefined {
    let addresses = this.#groups.get(group);
    if (addresses === undefined) this.#groups.set(group, (addresses = new Map()));
    const before = addresses.get(address);
    if (before !== undefined) {
      before.owners.set(owner.uid, owner);
      before.resourceVersion = resourceVersion;
      return undefined;
    }
    const holding = { group, address, owners: new Map([[owner.uid, owner]]), resourceVersion };
    addresses.set(address, holding);
    this.#digest.add(group, address);
    this.#count += 1;
    return holding;
  }

  /** @returns the holding if this owner was the last, so the address has left the group */
  release(group: string, address: string, uid: string): Holding | undefined {
    const addresses = this.#groups.get(group);
    const holding = addresses?.get(address);
    if (addresses === undefined || holding === undefined || !holding.owners.has(uid)) return undefined;
    if (holding.owners.size > 1) {
      holding.owners.delete(uid);
      return undefined;
    }
    addresses.delete(address);
    if (addresses.size === 0) this.#groups.delete(group);
    this.#digest.remove(group, address);
    this.#count -= 1;
    return holding;
  }

  get count(): number {
    return this.#count;
  }

  get digest(): string {
    return this.#digest.toString();
  }
}

export function shown({ owners }: Holding): { owners: Owner[]; ownerCount: number } {
  return { owners: [...owners.values()].slice(0, OWNERS_SHOWN), ownerCount: owners.size };
}
