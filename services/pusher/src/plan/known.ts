import type { Family } from "@podgate/shared/contract/address";
import { groupKey, type Actual, type ActualAddress, type ChildOrigin } from "../firewall/firewall.ts";

export interface KnownChild {
  readonly key: string;
  readonly name: string;
  readonly family: Family;
  readonly standing: "ours" | "collision";
  readonly manager?: string;
  readonly origin: ChildOrigin | undefined;
  members: Set<string>;
  strangers: readonly string[];
}

export interface KnownParent {
  readonly name: string;
  readonly family: Family;
  readonly ours: boolean;
  /** Another manager, whose group it is. */
  readonly manager?: string;
  /** Names, whoever put them there. */
  readonly members: Set<string>;
}

export type KnownAddress = Omit<ActualAddress, "address">;

/** What a target is known to hold: as it was last read, and every acknowledged step since. */
export class Known {
  /** By the address they stand for. */
  readonly #addresses = new Map<string, KnownAddress>();
  readonly #counts = { 4: 0, 6: 0 };
  readonly children = new Map<string, KnownChild>();
  readonly parents = new Map<string, KnownParent>();
  /** In how many children of ours an address is. */
  readonly #uses = new Map<string, number>();
  /** Key of a child → keys of the parents that hold it. */
  readonly #holders = new Map<string, Set<string>>();

  static from({ addresses, children, parents }: Pick<Actual, "addresses" | "children" | "parents">): Known {
    const known = new Known();
    for (const { address, ...object } of addresses.values()) known.setAddress(address, object);
    for (const child of children.values()) known.addChild(child);
    for (const parent of parents.values()) known.addParent(parent);
    return known;
  }

  clone(): Known {
    const { addresses, children, parents } = this;
    const copy = Known.from({ addresses: new Map(), children, parents });
    for (const [address, object] of addresses) copy.setAddress(address, object);
    return copy;
  }

  get addresses(): ReadonlyMap<string, KnownAddress> {
    return this.#addresses;
  }

  /** Address objects of a family. */
  count(family: Family): number {
    return this.#counts[family];
  }

  setAddress(address: string, object: KnownAddress): void {
    if (!this.#addresses.has(address)) this.#counts[object.family] += 1;
    this.#addresses.set(address, object);
  }

  deleteAddress(address: string): void {
    const object = this.#addresses.get(address);
    if (object !== undefined && this.#addresses.delete(address)) this.#counts[object.family] -= 1;
  }

  uses(address: string): number {
    return this.#uses.get(address) ?? 0;
  }

  /** How many addresses children of ours hold. */
  get used(): number {
    return this.#uses.size;
  }

  /** Keys of the parents that hold a child. */
  holders(child: string): ReadonlySet<string> {
    return this.#holders.get(child) ?? new Set();
  }

  /** Nothing carries our mark. */
  get isEmpty(): boolean {
    for (const { standing } of this.children.values()) if (standing === "ours") return false;
    for (const { standing } of this.addresses.values())
      if (standing === "ours" || standing === "drifted") return false;
    // One that we made and that holds members of others stays, whatever becomes of us.
    for (const { ours, members } of this.parents.values()) if (ours && members.size === 0) return false;
    return true;
  }

  /** Policies see the address in a child that was made for this. */
  isMember({ cluster, group }: ChildOrigin, address: string): boolean {
    for (const { key, origin, members } of this.children.values())
      if (origin?.cluster === cluster && origin.group === group && members.has(address))
        if (this.holders(key).size > 0) return true;
    return false;
  }

  /** Policies see the child's members through this parent. */
  isAttached({ name, family }: Pick<KnownChild, "name" | "family">, parent: string): boolean {
    return this.parents.get(groupKey(family, parent))?.members.has(name) === true;
  }

  addChild(child: Omit<KnownChild, "key" | "members"> & { readonly members: Iterable<string> }): void {
    const key = groupKey(child.family, child.name);
    this.deleteChild(key);
    const members = new Set(child.members);
    this.children.set(key, { ...child, key, members });
    for (const address of members) this.#use(address, 1);
  }

  putChild(key: string, members: Iterable<string>): void {
    const child = this.children.get(key);
    if (child === undefined) return;
    for (const address of child.members) this.#use(address, -1);
    child.members = new Set(members);
    child.strangers = [];
    for (const address of child.members) this.#use(address, 1);
  }

  deleteChild(key: string): void {
    for (const address of this.children.get(key)?.members ?? []) this.#use(address, -1);
    this.children.delete(key);
  }

  addParent(parent: Omit<KnownParent, "members"> & { readonly members: Iterable<string> }): void {
    const key = groupKey(parent.family, parent.name);
    this.parents.set(key, { ...parent, members: new Set(parent.members) });
    for (const name of parent.members) this.#hold(groupKey(parent.family, name), key);
  }

  attach(parent: string, child: string, family: Family): void {
    const key = groupKey(family, parent);
    this.parents.get(key)?.members.add(child);
    this.#hold(groupKey(family, child), key);
  }

  detach(parent: string, child: string, family: Family): void {
    const key = groupKey(family, parent);
    this.parents.get(key)?.members.delete(child);
    this.#holders.get(groupKey(family, child))?.delete(key);
  }

  #hold(child: string, parent: string): void {
    const holders = this.#holders.get(child);
    if (holders === undefined) this.#holders.set(child, new Set([parent]));
    else holders.add(parent);
  }

  #use(address: string, by: 1 | -1): void {
    const uses = (this.#uses.get(address) ?? 0) + by;
    if (uses > 0) this.#uses.set(address, uses);
    else this.#uses.delete(address);
  }
}
