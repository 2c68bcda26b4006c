import { familyOf, type Family } from "@podgate/shared/contract/address";
import type { GroupPolicy } from "../../desired/desired.ts";
import { AllHolds } from "./all-holds.ts";
import { isCounted, type GroupView } from "./candidate.ts";
import type { Cause } from "./cause.ts";
import { Gathering } from "./gathering.ts";
import type { News, Withheld } from "./group-holds.ts";
import type { HeldItem } from "./held-set.ts";
import type { Weighed } from "./mass-removal.ts";
import { OpenGroup } from "./open-group.ts";
import { spendOne, type Spent } from "./spent.ts";
import { ofFamily, weigh } from "./weigh.ts";

/** An address came into a group on the device, or went. */
export interface MembershipChange {
  readonly op: "add" | "remove";
  readonly cluster: string;
  readonly group: string;
  readonly address: string;
  readonly cause?: Cause;
}

/** All groups of a cluster that a target holds. */
export interface ClusterGroups {
  has(key: string): boolean;
  /** Of those that are not weighed alone, together. */
  sizes(): Readonly<Record<Family, number>>;
}

export const NOTHING_KEPT: KeptHolds = {
  held: [],
  approved: [],
  whole: [],
  heldForMs: Number.POSITIVE_INFINITY,
  spent: [],
};

/** What is known of held removals after a restart, and of those that were done. */
export interface KeptHolds {
  readonly held: readonly HeldItem[];
  readonly approved: readonly (HeldItem & { readonly approval: string })[];
  /** Groups of which too much was held to keep it by address: all that leaves them unseen is held. */
  readonly whole: readonly { readonly cluster: string; readonly group: string }[];
  /** Milliseconds for which nothing more was held. */
  readonly heldForMs: number;
  readonly spent: readonly Spent[];
}

/**
 * Which removals of one target go, and which wait for a person's word. Removals that were seen and all additions go in
 * any case. What is held stays so until it is approved, seen, joins again, or is off the device: neither time nor
 * growth of the group lets it go. Times: monotonic milliseconds.
 */
export class Guards {
  #holds = new AllHolds();
  readonly #gathering = new Map<string, Gathering>();
  readonly #patient: boolean;
  /** Rises with each change of what is held or approved. */
  version = 0;
  /** Rises with each removal that was done and is weighed. */
  spentVersion = 0;
  #news: News[] = [];

  /** @param patient false = an edit's removals are decided at once, for dry runs */
  constructor({ patient }: { readonly patient: boolean }) {
    this.#patient = patient;
  }

  /** Of the group of this key; undefined = nothing is kept from leaving. */
  withheld(key: string): Withheld | undefined {
    const holds = this.#holds.get(key);
    return holds?.withholds === true ? holds : undefined;
  }

  /** Something is held of the group of this key, was approved, or waits. */
  concerns(key: string): boolean {
    return this.#holds.get(key)?.isIdle === false;
  }

  isApproved(key: string, address: string): boolean {
    return this.#holds.get(key)?.approved.has(address) === true;
  }

  /**
   * Decides about one cluster.
   * @param views its groups on the target that something leaves, or that are concerned
   * @returns keys of the groups for which something changed
   */
  judge(cluster: string, views: readonly GroupView[], all: ClusterGroups, now: number): Set<string> {
    const tell = (news: News): void => void this.#news.push(news);
    const open = views.map((view) => new OpenGroup(view, this.#holds.of(cluster, view.group), now, tell));
    const changed = new Set(this.#holds.dropAbsent(cluster, (key) => all.has(key), tell));
    for (const each of open) each.judgeAlone();
    this.#gather(cluster, open, now);
    for (const each of open) each.weigh();
    this.#weighCluster(cluster, open, all, now);
    for (const each of open) if (each.isChanged) changed.add(each.view.key);
    if (changed.size > 0) this.version += 1;
    return changed;
  }

  /** When a cluster must be judged again without news; undefined = not before there are some. */
  wakeAt(cluster: string): number | undefined {
    return this.#gathering.get(cluster)?.until;
  }

  get clusters(): Iterable<string> {
    return this.#holds.clusters;
  }

  /** Memberships that changed on the device. */
  applied(
    changes: readonly MembershipChange[],
    policyOf: (change: MembershipChange) => GroupPolicy,
    now: number,
  ): void {
    for (const each of changes) {
      const { op, cluster, group, address } = each;
      const holds = this.#holds.of(cluster, group);
      const isWeighed = this.weighs(each);
      const { mass, alone } = policyOf(each);
      const change = [op === "add" ? 1 : -1, isWeighed ? 1 : 0, mass.windowMs, now] as const;
      if (isWeighed) this.spentVersion += 1;
      const family = familyOf(address);
      holds.windows[family].note(...change);
      if (!alone) this.#holds.windowsOf(cluster)[family].note(...change);
    }
  }

  /** It is a removal that counts in a window. */
  weighs({ op, cluster, group, address, cause }: MembershipChange): boolean {
    if (op !== "remove" || cause === undefined) return false;
    const holds = this.#holds.get(`${cluster} ${group}`);
    if (holds?.approved.has(address) === true) return false;
    return isCounted({ cause }) || (cause === "vanished" && holds?.isLost(address) === true);
  }

  /** What was taken within the windows. @param next removals that are weighed and about to be done */
  spent(
    next: readonly MembershipChange[],
    policyOf: (change: MembershipChange) => GroupPolicy,
    now: number,
  ): readonly Spent[] {
    let spent = this.#holds.spent(now);
    for (const change of next) {
      const { cluster, group, address } = change;
      const family = familyOf(address);
      spent = spendOne(spent, { cluster, group, family });
      if (!policyOf(change).alone) spent = spendOne(spent, { cluster, family });
    }
    return spent;
  }

  /** Waits for a person's word. */
  held(): HeldItem[] {
    return this.#holds.collect(({ held }) => held);
  }

  /** Approved, and not done yet. */
  approved(): KeptHolds["approved"] {
    return this.#holds.collect(({ approved }) => approved);
  }

  /** @returns how many of the items were held and go now */
  approve(items: Iterable<Pick<HeldItem, "cluster" | "group" | "address">>, approval: string): number {
    let count = 0;
    for (const { cluster, group, address } of items)
      if (this.#holds.get(`${cluster} ${group}`)?.approve(address, approval) === true) count += 1;
    if (count > 0) this.version += 1;
    return count;
  }

  /** The approval has expired: what it let go and is still there is held again. */
  revoke(approval: string): number {
    const count = this.#holds.revoke(approval);
    if (count > 0) this.version += 1;
    return count;
  }

  restore({ held, approved, whole, heldForMs, spent }: KeptHolds, now: number): void {
    for (const item of held) this.#holds.of(item.cluster, item.group).hold(item, now - heldForMs);
    this.#holds.restoreSpent(spent, now);
    for (const item of approved) this.#holds.of(item.cluster, item.group).keepApproved(item);
    for (const { cluster, group } of whole) this.#holds.of(cluster, group).whole = true;
    this.version += 1;
  }

  takeNews(): readonly News[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  /** For a dry run: decides at once, and what it decides is its own. */
  clone(): Guards {
    const copy = new Guards({ patient: false });
    copy.#holds = this.#holds.clone();
    return copy;
  }

  /** An edit's removals wait for each other. */
  #gather(cluster: string, open: readonly OpenGroup[], now: number): void {
    const gathering = this.#gathering.get(cluster) ?? new Gathering();
    if (this.#patient)
      for (const each of open)
        for (const address of each.gathered()) gathering.take(`${each.view.key} ${address}`, now);
    const { until } = gathering;
    const isWaiting = until !== undefined && now < until;
    if (isWaiting) this.#gathering.set(cluster, gathering);
    else this.#gathering.delete(cluster);
    for (const each of open) each.wait(isWaiting ? each.gathered() : []);
  }

  /** The same over all groups of the cluster: many small definitions that go are one mass removal. */
  #weighCluster(cluster: string, open: readonly OpenGroup[], all: ClusterGroups, now: number): void {
    const concerned = open.filter(({ view }) => !view.policy.alone);
    const due = concerned.flatMap((each) => each.due());
    const [first] = concerned;
    if (first === undefined || due.length === 0) return;
    const { mass } = first.view.policy;
    const sizes = all.sizes();
    const weighed = (family: Family): Weighed => {
      const { base, done } = this.#holds.windowsOf(cluster)[family].look(sizes[family], mass.windowMs, now);
      const held = this.#holds.heldSince(cluster, now - mass.windowMs, family);
      return { base, count: done + ofFamily(due, family) + held };
    };
    const reason = weigh(`cluster ${cluster} on this target`, mass, due, weighed);
    if (reason === undefined) return;
    for (const each of concerned) each.hold(each.due(), "mass-removal", reason);
  }
}
