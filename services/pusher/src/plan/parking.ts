const FIRST_MS = 60_000;
const MOST_MS = 3_600_000;
const MOST_KEPT = 1000;

export interface Parked {
  /** Monotonic milliseconds; then it is tried again. */
  readonly until: number;
  readonly attempts: number;
  /** For people. */
  readonly reason: string;
}

/**
 * What the device refused, so that it is not asked again and again: 60 s the first time, then twice as long each
 * time, up to an hour. Success forgets it.
 */
export class Parking {
  readonly #parked = new Map<string, Parked>();

  /** @param firstMs how long the first time */
  park(key: string, reason: string, now: number, firstMs = FIRST_MS): void {
    const attempts = (this.#parked.get(key)?.attempts ?? 0) + 1;
    const until = now + Math.min(MOST_MS, firstMs * 2 ** Math.min(attempts - 1, 10));
    this.#parked.set(key, { until, attempts, reason });
    if (this.#parked.size > MOST_KEPT) this.#purge(now);
  }

  /** Addresses that were refused long ago and never came again. */
  #purge(now: number): void {
    for (const [key, { until }] of this.#parked) if (until + MOST_MS < now) this.#parked.delete(key);
  }

  /** Why it is not tried; undefined = it may be. */
  reason(key: string, now: number): string | undefined {
    const parked = this.#parked.get(key);
    return parked !== undefined && now < parked.until ? parked.reason : undefined;
  }

  release(key: string): boolean {
    return this.#parked.delete(key);
  }

  /** Keys that are parked now. */
  count(now: number): number {
    let count = 0;
    for (const { until } of this.#parked.values()) if (now < until) count += 1;
    return count;
  }

  /** When the next one may be tried again; Infinity = nothing is parked. */
  wakeAt(now: number): number {
    let wake = Number.POSITIVE_INFINITY;
    for (const { until } of this.#parked.values()) if (until > now) wake = Math.min(wake, until);
    return wake;
  }

  clone(): Parking {
    const copy = new Parking();
    for (const [key, parked] of this.#parked) copy.#parked.set(key, parked);
    return copy;
  }
}

/** Keys of what can be parked. */
export const parkingKey = {
  /** One address, whatever it was refused for. */
  address: (address: string) => `address ${address}`,
  /** Mending an address object. */
  repair: (address: string) => `repair ${address}`,
  /** Collecting an address object: somebody else uses it. */
  keep: (address: string) => `keep ${address}`,
  /** Every addition of one source. */
  additions: (source: string) => `additions ${source}`,
  /** Writing a child at all. */
  child: (child: string) => `child ${child}`,
  /** Putting a child into a parent. */
  attach: (child: string) => `attach ${child}`,
  detach: (child: string, parent: string) => `detach ${child} ${parent}`,
  deleteChild: (child: string) => `delete ${child}`,
  deleteParent: (parent: string) => `delete parent ${parent}`,
  /** The device's table is full. */
  addressTable: (family: number) => `addresses ${family}`,
  groupTable: (family: number) => `groups ${family}`,
} as const;
