import type { Family } from "@podgate/shared/contract/address";
import { GroupHolds, type News } from "./group-holds.ts";
import { RemovalWindow } from "./removal-window.ts";
import type { Spent } from "./spent.ts";

type Windows = Readonly<Record<Family, RemovalWindow>>;

/** What is held of every group of one target, and what was lately taken away from each cluster. */
export class AllHolds {
  readonly #groups = new Map<string, GroupHolds>();
  readonly #byCluster = new Map<string, Set<string>>();
  /** Of all groups of a cluster, also those that are gone. */
  readonly #windows = new Map<string, Windows>();

  get clusters(): Iterable<string> {
    return this.#byCluster.keys();
  }

  get(key: string): GroupHolds | undefined {
    return this.#groups.get(key);
  }

  /** Of this group, made if there is nothing of it yet. */
  of(cluster: string, group: string): GroupHolds {
    const key = `${cluster} ${group}`;
    let holds = this.#groups.get(key);
    if (holds === undefined) {
      holds = new GroupHolds(cluster, group);
      this.#add(key, holds);
    }
    return holds;
  }

  windowsOf(cluster: string): Windows {
    let windows = this.#windows.get(cluster);
    if (windows === undefined)
      this.#windows.set(cluster, (windows = { 4: new RemovalWindow(), 6: new RemovalWindow() }));
    return windows;
  }

  /** Weighed removals of a family that were held since then, of the groups that are weighed together. */
  heldSince(cluster: string, from: number, family: Family): number {
    let count = 0;
    for (const key of this.#byCluster.get(cluster) ?? []) {
      const holds = this.#groups.get(key);
      if (holds?.alone === false) count += holds.heldSince(from, family);
    }
    return count;
  }

  /** Of every window in which removals were weighed. */
  spent(now: number): Spent[] {
    const of = (windows: Windows, whose: Pick<Spent, "cluster" | "group">): Spent[] =>
      ([4, 6] as const).flatMap((family) => {
        const parts = windows[family].spent(now);
        return parts.length === 0 ? [] : [{ ...whose, family, parts }];
      });
    return [
      ...[...this.#groups.values()].flatMap(({ cluster, group, windows }) => of(windows, { cluster, group })),
      ...[...this.#windows].flatMap(([cluster, windows]) => of(windows, { cluster })),
    ];
  }

  restoreSpent(spent: readonly Spent[], now: number): void {
    for (const { cluster, group, family, parts } of spent) {
      const windows = group === undefined ? this.windowsOf(cluster) : this.of(cluster, group).windows;
      windows[family].restore(parts, now);
    }
  }

  /**
   * Drops the groups that the target holds no more.
   * @returns keys of those of which something was held, approved or waiting
   */
  dropAbsent(cluster: string, isThere: (key: string) => boolean, tell: (news: News) => void): string[] {
    const changed: string[] = [];
    for (const key of this.#byCluster.get(cluster) ?? []) {
      const holds = this.#groups.get(key);
      if (holds === undefined || isThere(key)) continue;
      const { version } = holds;
      holds.gone(tell);
      if (holds.version !== version) changed.push(key);
      this.#groups.delete(key);
      this.#byCluster.get(cluster)?.delete(key);
    }
    return changed;
  }

  collect<T>(of: (holds: GroupHolds) => ReadonlyMap<string, T>): T[] {
    const all: T[] = [];
    for (const holds of this.#groups.values()) for (const item of of(holds).values()) all.push(item);
    return all;
  }

  revoke(approval: string): number {
    let count = 0;
    for (const holds of this.#groups.values()) count += holds.revoke(approval);
    return count;
  }

  clone(): AllHolds {
    const copy = new AllHolds();
    for (const [key, holds] of this.#groups) copy.#add(key, holds.clone());
    for (const [cluster, windows] of this.#windows)
      copy.#windows.set(cluster, { 4: windows[4].clone(), 6: windows[6].clone() });
    return copy;
  }

  #add(key: string, holds: GroupHolds): void {
    this.#groups.set(key, holds);
    const keys = this.#byCluster.get(holds.cluster);
    if (keys === undefined) this.#byCluster.set(holds.cluster, new Set([key]));
    else keys.add(key);
  }
}
