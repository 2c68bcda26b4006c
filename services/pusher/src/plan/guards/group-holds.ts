import { familyOf, type Family } from "@podgate/shared/contract/address";
import { isSeen, type GroupView } from "./candidate.ts";
import type { HeldItem } from "./held-set.ts";
import { RemovalWindow } from "./removal-window.ts";

/** What may not leave a group now. */
export interface Withheld {
  /** Waits for a person's word. */
  readonly held: ReadonlyMap<string, HeldItem>;
  /** Not decided yet: more of the same edit may come. */
  readonly waiting: ReadonlySet<string>;
}

/** Something became held, or is not any more. */
export interface News {
  readonly kind: "held" | "released";
  readonly item: HeldItem;
  /** For people. */
  readonly why: string;
}

export type Approved = HeldItem & {
  /** Hash of the set that was approved. */
  readonly approval: string;
};

/** What is held of one group on one target, and what was lately taken away. */
export class GroupHolds implements Withheld {
  readonly cluster: string;
  readonly group: string;
  readonly held = new Map<string, HeldItem>();
  readonly approved = new Map<string, Approved>();
  #waiting: ReadonlySet<string> = new Set();
  #lost: ReadonlySet<string> = new Set();
  readonly #heldAt = new Map<string, number>();
  windows: Readonly<Record<Family, RemovalWindow>> = { 4: new RemovalWindow(), 6: new RemovalWindow() };
  /** More was held than could be kept on record: until the device holds nothing else, all of it is. */
  whole = false;
  /** It is weighed without the rest of its cluster. */
  alone = false;
  /** Rises with each change of what is held, approved or waiting. */
  version = 0;

  constructor(cluster: string, group: string) {
    this.cluster = cluster;
    this.group = group;
  }

  get waiting(): ReadonlySet<string> {
    return this.#waiting;
  }

  get isIdle(): boolean {
    return !this.withholds && !this.whole && this.approved.size === 0;
  }

  get withholds(): boolean {
    return this.held.size > 0 || this.#waiting.size > 0;
  }

  /** @param now since when it counts in the window */
  hold(item: HeldItem, now: number): void {
    this.held.set(item.address, item);
    this.#heldAt.set(item.address, now);
    this.version += 1;
  }

  keepApproved(item: Approved): void {
    this.approved.set(item.address, item);
    this.version += 1;
  }

  /** Weighed removals of a family that were held since then. */
  heldSince(from: number, family: Family): number {
    let count = 0;
    for (const { guard, address } of this.held.values())
      if (
        guard === "mass-removal" &&
        familyOf(address) === family &&
        (this.#heldAt.get(address) ?? from) > from
      )
        count += 1;
    return count;
  }

  /** @returns whether it was held */
  approve(address: string, approval: string): boolean {
    const item = this.held.get(address);
    if (item === undefined) return false;
    this.held.delete(address);
    this.#heldAt.delete(address);
    this.keepApproved({ ...item, approval });
    return true;
  }

  revoke(approval: string): number {
    let count = 0;
    for (const [address, { approval: by, ...item }] of this.approved) {
      if (by !== approval) continue;
      this.approved.delete(address);
      // It counts no more in any window.
      this.hold(item, Number.NEGATIVE_INFINITY);
      count += 1;
    }
    return count;
  }

  /** @returns whether others wait than before */
  wait(waiting: ReadonlySet<string>): boolean {
    const same =
      waiting.size === this.#waiting.size && [...waiting].every((address) => this.#waiting.has(address));
    if (same) return false;
    this.#waiting = waiting;
    this.version += 1;
    return true;
  }

  /** Nothing tells of these absences, and nobody came for them: they are weighed. */
  lose(addresses: Iterable<string>): void {
    // What is held by now may be under way.
    const held = [...this.#lost].filter((address) => this.held.has(address));
    this.#lost = new Set([...held, ...addresses]);
  }

  isLost(address: string): boolean {
    return this.#lost.has(address);
  }

  /** Lets go of what needs nobody's word any more. */
  settle(view: GroupView, tell: (news: News) => void): void {
    for (const [address, item] of this.held) {
      const why = this.#whyNot(view, item);
      if (why === undefined) continue;
      this.held.delete(address);
      this.#heldAt.delete(address);
      this.version += 1;
      tell({ kind: "released", item, why });
    }
    for (const [address, item] of this.approved) {
      if (this.#whyNot(view, item) === undefined) continue;
      this.approved.delete(address);
      this.version += 1;
    }
    if (this.whole && view.leaving.size === 0) this.whole = false;
  }

  /** The target holds nothing of the group any more. */
  gone(tell: (news: News) => void): void {
    for (const item of this.held.values()) tell({ kind: "released", item, why: OFF });
    if (this.held.size + this.approved.size + this.#waiting.size > 0) this.version += 1;
    this.held.clear();
    this.#heldAt.clear();
    this.approved.clear();
    this.#waiting = new Set();
    this.whole = false;
  }

  clone(): GroupHolds {
    const copy = new GroupHolds(this.cluster, this.group);
    for (const [address, item] of this.held)
      copy.hold(item, this.#heldAt.get(address) ?? Number.NEGATIVE_INFINITY);
    for (const [address, item] of this.approved) copy.approved.set(address, item);
    copy.windows = { 4: this.windows[4].clone(), 6: this.windows[6].clone() };
    copy.#lost = this.#lost;
    copy.whole = this.whole;
    copy.alone = this.alone;
    return copy;
  }

  #whyNot(view: GroupView, { address, guard }: HeldItem): string | undefined {
    const candidate = view.leaving.get(address);
    if (candidate === undefined) {
      const standing = view.standing(address);
      if (standing === "unknown") return undefined;
      return standing === "member" ? "it is a member again" : OFF;
    }
    if (isSeen(candidate)) return `it was seen to go (${candidate.cause})`;
    if (guard === "short-list" && candidate.shortList === undefined)
      return "the cluster's list is believed again";
    return undefined;
  }
}

const OFF = "the firewall holds it no more";
