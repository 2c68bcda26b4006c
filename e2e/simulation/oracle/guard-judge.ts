import type { Owner } from "./belongings.ts";

/** Removals within so long are those of one decision: milliseconds. */
const MOMENT = 3000;
/** What docs/guards.md promises by default: so many, or this share of a group, may go without a person's word. */
const FEW = 5;
const SHARE = 0.2;
/** What joins in the same moment moves the size by which it is weighed. */
const SLACK = 2;

interface Departure {
  readonly at: number;
  readonly address: string;
  /** Members of its family and its cluster in the group before it. */
  readonly size: number;
}

/**
 * The cluster in which one of these pods still runs with the address; undefined = none does.
 * @param toldOf by those only whose own labels are what they were, and that the product has told of in this group
 */
type LivesIn = (address: string, owners: readonly Owner[], toldOf?: string) => string | undefined;

/** Pods because of which an address belonged to a group, and those because of which the product put it there. */
interface Owned {
  readonly owners: readonly Owner[];
  readonly entered: readonly Owner[];
}

/** How many addresses of its family a cluster had in a group when one left it, and has then or is to have. */
export interface Sizes {
  readonly before: number;
  readonly after: number;
}

/**
 * Judges the promise about mass removals on one target: of what still runs, no large part leaves a group at once because
 * of an edit, unless a person has approved just that.
 */
export class GuardJudge {
  readonly #now: () => number;
  readonly #livesIn: LivesIn;
  readonly #violation: (what: string) => void;
  readonly #approved = new Map<string, Set<string>>();
  readonly #departures = new Map<string, Departure[]>();
  /** False: edits are not guarded in this world. */
  isOn = false;
  /** What leaves this group opens the firewall: not one may without a person's word. */
  denied = "";

  constructor(now: () => number, livesIn: LivesIn, violation: (what: string) => void) {
    this.#now = now;
    this.#livesIn = livesIn;
    this.#violation = violation;
  }

  /** A person said that it may go. */
  approve(group: string, address: string): void {
    const approved = this.#approved.get(group) ?? new Set();
    this.#approved.set(group, approved.add(address));
  }

  /** Did a person say so, of an address that belongs there? Once. */
  isApproved(group: string, address: string): boolean {
    return this.#approved.get(group)?.delete(address) === true;
  }

  /** The product took an address out of a group to which it does not belong any more. */
  left(
    group: string,
    address: string,
    { owners, entered }: Owned,
    sizesOf: (cluster: string) => Sizes,
  ): void {
    // A pod that somebody relabeled is weighed by number in a group that is denied, too.
    const isDenied = group === this.denied && this.#livesIn(address, entered, group) !== undefined;
    const cluster = this.isOn && owners.length > 0 ? this.#livesIn(address, owners) : undefined;
    if (cluster === undefined) return;
    if (this.isApproved(group, address)) return;
    const at = this.#now();
    // A pod may have an address of each family, and counts once.
    const key = `${group} of ${cluster}${address.includes(":") ? " (IPv6)" : ""}`;
    const { before, after } = sizesOf(cluster);
    const recent = (this.#departures.get(key) ?? []).filter((each) => at - each.at <= MOMENT);
    recent.push({ at, address, size: before });
    this.#departures.set(key, recent);
    const most = Math.max(...recent.map((each) => each.size));
    // What only is not there any more, and nothing tells of, is weighed by how far the group shrinks.
    const gone = Math.min(recent.length, most - after);
    if (isDenied) {
      this.#violation(`${key} lost ${address}, which still runs and is blocked, and nobody approved it`);
      return;
    }
    if (gone <= FEW + SLACK || gone <= SHARE * most) return;
    const count = String(recent.length);
    this.#violation(`${key} lost ${count} of ${String(most)} at once that still run, and nobody approved it`);
    this.#departures.delete(key);
  }
}
