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
 * @param few may be missing from a list of any size
 */
function shortList(before: Listed | undefined, now: Listed, few = FEW): string | undefined {
  for (const resource of RESOURCES) {
    const had = before?.[resource] ?? 0;
    const has = now[resource];
    // Watchers that need no nodes list none; without pods there would be no groups to speak of.
    if (has === undefined || (has === 0 && had === 0 && resource !== "pods")) continue;
    if (has === 0) return `the cluster lists no ${resource} at all`;
    if (had - has > Math.max(few, SHARE * had)) return `the cluster lists ${has} ${resource}, before ${had}`;
  }
  return undefined;
}

/** The lists of one cluster, as far as they are believed. */
export class Lists {
  #believed: Listed | undefined;
  /** Of the last state that verified it, believed or not. */
  #last: Listed | undefined;
  #held: string | undefined = "nothing was verified yet";
  #isFirst = true;
  /** The last one was short, and still is measured by a longer one. */
  #isShort = false;

  /** @param believed what `believed` was in an earlier run */
  constructor(believed: Listed | undefined) {
    this.#believed = believed;
  }

  /** The last ones that were believed: shorter ones prove no absence. */
  get believed(): Listed | undefined {
    return this.#believed;
  }

  /** Why an address that nothing ever told of may not go; undefined = it may. */
  get absencesHeld(): string | undefined {
    return this.#held;
  }

  /** A verified state tells of these. @returns why they are not believed */
  weigh(listed: Listed): string | undefined {
    // What came since is no list of the old size.
    const short = shortList(this.#believed, listed, this.#isShort ? 0 : FEW);
    this.#isShort = short !== undefined;
    this.#last = listed;
    if (this.#isFirst || this.#held !== undefined) this.#held = short;
    this.#isFirst = false;
    return short;
  }

  /** While something is held, the lists it is held against stay: the next state would release it otherwise. */
  keep(isHeld: boolean): void {
    if (!isHeld && this.#held === undefined) this.measureBy(this.#last);
  }

  /** Nothing depends on them any more: the present ones are the normal ones. */
  settle(): void {
    this.#held = undefined;
    this.measureBy(this.#last ?? this.#believed);
  }

  /**
   * Lists of a cluster that is not believed yet: later ones must not fall short of the longest.
   * @param isSame of the one whose lists these were so far
   */
  meet(listed: Listed, isSame: boolean): void {
    const before = (isSame && this.#believed) || {};
    const longest = Object.entries(listed).map(([name, count]) => [name, Math.max(count, before[name] ?? 0)]);
    this.#believed = { ...before, ...Object.fromEntries(longest) };
  }

  /** Lists of another cluster say nothing about this one's. @param believed lists of this one */
  measureBy(believed: Listed | undefined): void {
    this.#believed = believed;
    this.#isShort = false;
  }
}
