/** Objects per resource in a watcher's lists, as its state message tells. */
export type Listed = Readonly<Record<string, number>>;

/** So many objects may be missing from a list, whatever its size, … */
const FEW = 5;
/** … and so much of it. */
const SHARE = 0.2;

/** Lists that addresses come from. */
const RESOURCES = ["pods", "nodes"] as const;

/**
 * Why a list is not believed where it shows that something is gone; undefined = it is believed. A list is the only
 * evidence there is that something vanished, and a server or a permission that is not what it was makes lists short:
 * so it is the list that is weighed, not how many members it would take away.
 *
 * @param before the last list that was believed; undefined = none known
 */
export function shortList(before: Listed | undefined, now: Listed): string | undefined {
  for (const resource of RESOURCES) {
    const had = before?.[resource] ?? 0;
    const has = now[resource];
    // Watchers that need no nodes list none; without pods there would be no groups to speak of.
    if (has === undefined || (has === 0 && had === 0 && resource !== "pods")) continue;
    if (has === 0) return `the cluster lists no ${resource} at all`;
    if (had - has > Math.max(FEW, SHARE * had)) return `the cluster lists ${has} ${resource}, before ${had}`;
  }
  return undefined;
}
