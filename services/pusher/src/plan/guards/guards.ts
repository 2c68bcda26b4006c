import { familyOf, type Family } from "@podgate/shared/contract/address";
import type { GroupPolicy } from "../../desired/desired.ts";
import { absenceGuard } from "./absence.ts";
import { isCounted, isSeen, type Candidate, type GroupView } from "./candidate.ts";
import type { Cause } from "./cause.ts";
import { denyGuard } from "./deny.ts";
import { Gathering } from "./gathering.ts";
import { GroupHolds, type News, type Withheld } from "./group-holds.ts";
import type { Guard, HeldItem } from "./held-set.ts";
import { isEdit, lastMemberGuard } from "./last-member.ts";
import type { Weighed } from "./mass-removal.ts";
import { RemovalWindow } from "./removal-window.ts";
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

/** What is known of held removals after a restart. */
export interface KeptHolds {
  readonly held: readonly HeldItem[];
  readonly approved: readonly (HeldItem & { readonly approval: string })[];
  /** Groups of which too much was held to keep it by address: all that leaves them unseen is held. */
  readonly whole: readonly { readonly cluster: string; readonly group: string }[];
}

/** One group while its cluster is judged: what is still to be decided. */
interface Open {
  readonly view: GroupView;
  readonly holds: GroupHolds;
  readonly undecided: Map<string, Candidate>;
}

type Entries = Iterable<readonly [address: string, candidate: Candidate]>;

/**
 * Which removals of one target go, and which wait for a person's word. Removals that were seen and all additions go in
 * any case. What is held stays so until it is approved, seen, joins again, or is off the device: neither time nor
 * growth of the group lets it go. Times: monotonic milliseconds.
 */
export class Guards {
  readonly #groups = new Map<string, GroupHolds>();
  readonly #byCluster = new Map<string, Set<string>>();
  readonly #gathering = new Map<string, Gathering>();
  /** Of all groups of a cluster, also those that are gone. */
  readonly #windows = new Map<string, Readonly<Record<Family, RemovalWindow>>>();
  readonly #patient: boolean;
  /** Rises with each change of what is held or approved. */
  version = 0;
  #news: News[] = [];

  /** @param patient false = an edit's removals are decided at once, for dry runs */
  constructor({ patient }: { readonly patient: boolean }) {
    this.#patient = patient;
  }

  /** Of the group of this key; undefined = nothing is kept from leaving. */
  withheld(key: string): Withheld | undefined {
    const holds = this.#groups.get(key);
    return holds?.withholds === true ? holds : undefined;
  }

  /** Something is held of the group of this key, was approved, or waits. */
  concerns(key: string): boolean {
    return this.#groups.get(key)?.isIdle === false;
  }

  isApproved(key: string, address: string): boolean {
    return this.#groups.get(key)?.approved.has(address) === true;
  }

  /**
   * Decides about one cluster.
   * @param views its groups on the target that something leaves, or that are concerned
   * @returns keys of the groups for which something changed
   */
  judge(cluster: string, views: readonly GroupView[], all: ClusterGroups, now: number): Set<string> {
    const changed = new Set<string>();
    const open: Open[] = [];
    for (const view of views) {
      const holds = this.#holdsOf(view.key, cluster, view.group);
      const { version } = holds;
      holds.alone = view.policy.alone;
      holds.settle(view, (news) => this.#news.push(news));
      const undecided = new Map(
        [...view.leaving].filter(
          ([address, candidate]) =>
            !holds.held.has(address) && !holds.approved.has(address) && !isSeen(candidate),
        ),
      );
      if (holds.version !== version) changed.add(view.key);
      open.push({ view, holds, undecided });
    }
    this.#dropAbsent(cluster, all, changed);
    for (const each of open) this.#judgeAlone(each, now, changed);
    this.#gather(cluster, open, now, changed);
    for (const each of open) this.#weighGroup(each, now, changed);
    this.#weighCluster(cluster, open, all, now, changed);
    if (changed.size > 0) this.version += 1;
    return changed;
  }

  /** When a cluster must be judged again without news; undefined = not before there are some. */
  wakeAt(cluster: string): number | undefined {
    return this.#gathering.get(cluster)?.until;
  }

  get clusters(): Iterable<string> {
    return this.#byCluster.keys();
  }

  /** Memberships that changed on the device. @param policyOf by group key */
  applied(changes: readonly MembershipChange[], policyOf: (key: string) => GroupPolicy, now: number): void {
    for (const { op, cluster, group, address, cause } of changes) {
      const key = `${cluster} ${group}`;
      const holds = this.#holdsOf(key, cluster, group);
      const isWeighed =
        op === "remove" && cause !== undefined && isCounted({ cause }) && !holds.approved.has(address);
      const { mass, alone } = policyOf(key);
      const change = [op === "add" ? 1 : -1, isWeighed ? 1 : 0, mass.windowMs, now] as const;
      const family = familyOf(address);
      holds.windows[family].note(...change);
      if (!alone) this.#windowsOf(cluster)[family].note(...change);
    }
  }

  /** Waits for a person's word. */
  held(): HeldItem[] {
    return this.#collect(({ held }) => held);
  }

  /** Approved, and not done yet. */
  approved(): KeptHolds["approved"] {
    return this.#collect(({ approved }) => approved);
  }

  /** @returns how many of the items were held and go now */
  approve(items: Iterable<Pick<HeldItem, "cluster" | "group" | "address">>, approval: string): number {
    let count = 0;
    for (const { cluster, group, address } of items)
      if (this.#groups.get(`${cluster} ${group}`)?.approve(address, approval) === true) count += 1;
    if (count > 0) this.version += 1;
    return count;
  }

  /** The approval has expired: what it let go and is still there is held again. */
  revoke(approval: string): number {
    let count = 0;
    for (const holds of this.#groups.values()) count += holds.revoke(approval);
    if (count > 0) this.version += 1;
    return count;
  }

  restore({ held, approved, whole }: KeptHolds): void {
    for (const item of held)
      this.#holdsOf(`${item.cluster} ${item.group}`, item.cluster, item.group).keep(item);
    for (const item of approved)
      this.#holdsOf(`${item.cluster} ${item.group}`, item.cluster, item.group).keepApproved(item);
    for (const { cluster, group } of whole) this.#holdsOf(`${cluster} ${group}`, cluster, group).whole = true;
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
    for (const [key, holds] of this.#groups) {
      copy.#groups.set(key, holds.clone());
      copy.#know(holds.cluster, key);
    }
    for (const [cluster, windows] of this.#windows)
      copy.#windows.set(cluster, { 4: windows[4].clone(), 6: windows[6].clone() });
    return copy;
  }

  /** What needs no numbers, or only the group's own. */
  #judgeAlone({ view, holds, undecided }: Open, now: number, changed: Set<string>): void {
    const hold = (entries: Entries, guard: Guard, reason: string): void =>
      this.#holdAll({ view, holds, undecided }, entries, guard, reason, now, changed);
    const all = [...undecided];
    if (holds.whole) hold(all, "mass-removal", "more of the group was held than could be kept on record");
    for (const entry of all) {
      const [address, candidate] = entry;
      if (!undecided.has(address)) continue;
      if (candidate.shortList !== undefined)
        hold([entry], "short-list", `vanished, but ${candidate.shortList}`);
      else {
        const reason = denyGuard(view, candidate);
        if (reason !== undefined) hold([entry], "deny", reason);
        // The list that lacks it is believed.
        else if (candidate.cause === "vanished" && candidate.absent !== true) undecided.delete(address);
      }
    }
    const absent = [...undecided].filter(([, { absent: isAbsent }]) => isAbsent === true);
    const reason = absenceGuard(view, new Set(absent.map(([address]) => address)));
    if (reason !== undefined) hold(absent, "absence", reason);
    else for (const [address] of absent) undecided.delete(address);
  }

  /** An edit's removals wait for each other. */
  #gather(cluster: string, open: readonly Open[], now: number, changed: Set<string>): void {
    const gathering = this.#gathering.get(cluster) ?? new Gathering();
    for (const { view, undecided } of open)
      for (const [address, candidate] of undecided)
        if (this.#patient && Gathering.concerns(candidate)) gathering.take(`${view.key} ${address}`, now);
    const { until } = gathering;
    const isWaiting = until !== undefined && now < until;
    if (isWaiting) this.#gathering.set(cluster, gathering);
    else this.#gathering.delete(cluster);
    for (const { view, holds, undecided } of open) {
      const waiting = new Set<string>();
      for (const [address, candidate] of undecided)
        if (isWaiting && Gathering.concerns(candidate)) waiting.add(address);
      for (const address of waiting) undecided.delete(address);
      if (holds.wait(waiting)) changed.add(view.key);
    }
  }

  #weighGroup({ view, holds, undecided }: Open, now: number, changed: Set<string>): void {
    const hold = (entries: Entries, guard: Guard, reason: string): void =>
      this.#holdAll({ view, holds, undecided }, entries, guard, reason, now, changed);
    const edits = [...undecided].filter(([, candidate]) => isEdit(candidate));
    const last = lastMemberGuard(
      view,
      edits.map(([, candidate]) => candidate),
    );
    if (last !== undefined) hold(edits, "last-member", last);
    const due = [...undecided].filter(([, candidate]) => isCounted(candidate));
    if (due.length === 0) return;
    const { windowMs } = view.policy.mass;
    const weighed = (family: Family): Weighed => {
      const { base, done } = holds.windows[family].look(view.sizes[family], windowMs, now);
      const count = done + ofFamily(due, family) + holds.heldSince(now - windowMs, family);
      return { base, count };
    };
    const reason = weigh(`${view.group} of cluster ${view.cluster}`, view.policy.mass, due, weighed);
    if (reason !== undefined) hold(due, "mass-removal", reason);
  }

  /** The same over all groups of the cluster: many small definitions that go are one mass removal. */
  #weighCluster(
    cluster: string,
    open: readonly Open[],
    all: ClusterGroups,
    now: number,
    changed: Set<string>,
  ): void {
    const concerned = open.filter(({ view }) => !view.policy.alone);
    const due = concerned.flatMap(({ undecided }) =>
      [...undecided].filter(([, candidate]) => isCounted(candidate)),
    );
    const [first] = concerned;
    if (first === undefined || due.length === 0) return;
    const { mass } = first.view.policy;
    const sizes = all.sizes();
    const weighed = (family: Family): Weighed => {
      const { base, done } = this.#windowsOf(cluster)[family].look(sizes[family], mass.windowMs, now);
      let held = 0;
      for (const key of this.#byCluster.get(cluster) ?? []) {
        const holds = this.#groups.get(key);
        if (holds?.alone === false) held += holds.heldSince(now - mass.windowMs, family);
      }
      return { base, count: done + ofFamily(due, family) + held };
    };
    const reason = weigh(`cluster ${cluster} on this target`, mass, due, weighed);
    if (reason === undefined) return;
    for (const each of concerned) {
      const own = [...each.undecided].filter(([, candidate]) => isCounted(candidate));
      this.#holdAll(each, own, "mass-removal", reason, now, changed);
    }
  }

  #holdAll(
    { view: { key, cluster, group }, holds, undecided }: Open,
    entries: Entries,
    guard: Guard,
    reason: string,
    now: number,
    changed: Set<string>,
  ): void {
    for (const [address, { cause }] of entries) {
      const item = { cluster, group, address, cause, guard, reason };
      holds.hold(item, now);
      undecided.delete(address);
      changed.add(key);
      this.#news.push({ kind: "held", item, why: reason });
    }
  }

  /** Groups that the target holds no more. */
  #dropAbsent(cluster: string, all: ClusterGroups, changed: Set<string>): void {
    for (const key of this.#byCluster.get(cluster) ?? []) {
      const holds = this.#groups.get(key);
      if (holds === undefined || all.has(key)) continue;
      const { version } = holds;
      holds.gone((news) => this.#news.push(news));
      if (holds.version !== version) changed.add(key);
      this.#groups.delete(key);
      this.#byCluster.get(cluster)?.delete(key);
    }
  }

  #collect<T>(of: (holds: GroupHolds) => ReadonlyMap<string, T>): T[] {
    const all: T[] = [];
    for (const holds of this.#groups.values()) for (const item of of(holds).values()) all.push(item);
    return all;
  }

  #windowsOf(cluster: string): Readonly<Record<Family, RemovalWindow>> {
    let windows = this.#windows.get(cluster);
    if (windows === undefined)
      this.#windows.set(cluster, (windows = { 4: new RemovalWindow(), 6: new RemovalWindow() }));
    return windows;
  }

  #holdsOf(key: string, cluster: string, group: string): GroupHolds {
    let holds = this.#groups.get(key);
    if (holds === undefined) {
      this.#groups.set(key, (holds = new GroupHolds(cluster, group)));
      this.#know(cluster, key);
    }
    return holds;
  }

  #know(cluster: string, key: string): void {
    const keys = this.#byCluster.get(cluster);
    if (keys === undefined) this.#byCluster.set(cluster, new Set([key]));
    else keys.add(key);
  }
}
