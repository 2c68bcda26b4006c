import type { DesiredSource } from "../desired/desired.ts";
import { isCreating } from "./steps.ts";
import type { Withheld } from "./guards/group-holds.ts";
import { diff, type DiffContext, type Half, type SourcePlan } from "./shards.ts";
import { withhold } from "./withhold.ts";

/**
 * The difference of every source, kept: only a source that changed, or whose part of the device did, is worked out
 * again, and a created address moves over without that.
 */
export class SourcePlans {
  readonly #plans = new Map<string, SourcePlan>();
  /** As if no guard kept anything. */
  readonly #whole = new Map<string, SourcePlan>();
  readonly #dirty = new Set<string>();
  #sources: readonly DesiredSource[] = [];
  #byKey = new Map<string, DesiredSource>();
  /** Addresses that are about to leave a child, and how many. */
  readonly #leaving = new Map<string, number>();
  /** `<source> <family>` → since when additions wait for creations. */
  readonly #waiting = new Map<string, number>();

  get sources(): readonly DesiredSource[] {
    return this.#sources;
  }

  source(key: string): DesiredSource | undefined {
    return this.#byKey.get(key);
  }

  /** Those that are worked out, as if no guard kept anything; call `survey` first. */
  get whole(): ReadonlyMap<string, SourcePlan> {
    return this.#whole;
  }

  /** Those that are worked out; call `survey` and `settle` first. */
  get all(): ReadonlyMap<string, SourcePlan> {
    return this.#plans;
  }

  /** Returns whether sources came or went. */
  replace(sources: readonly DesiredSource[]): boolean {
    if (sources === this.#sources) return false;
    const byKey = new Map(sources.map((source) => [source.key, source]));
    for (const source of this.#sources) {
      if (byKey.get(source.key) === source) continue;
      this.#drop(source.key);
      this.#dirty.delete(source.key);
    }
    for (const source of sources) if (this.#byKey.get(source.key) !== source) this.#dirty.add(source.key);
    this.#sources = sources;
    this.#byKey = byKey;
    return true;
  }

  /** Returns whether there is such a source. */
  touch(key: string): boolean {
    const isKnown = this.#byKey.has(key);
    if (isKnown) this.#dirty.add(key);
    return isKnown;
  }

  touchThoseWith(address: string): void {
    for (const { key, members } of this.#sources) if (members.has(address)) this.#dirty.add(key);
  }

  touchAll(): void {
    for (const key of this.#byKey.keys()) this.#dirty.add(key);
  }

  /** Works out what is dirty. Returns the keys, for `settle`. */
  survey(context: DiffContext): Set<string> {
    const surveyed = new Set<string>();
    for (const key of this.#dirty) {
      const source = this.#byKey.get(key);
      if (source === undefined) continue;
      this.#whole.set(key, diff(source, context));
      surveyed.add(key);
    }
    this.#dirty.clear();
    return surveyed;
  }

  /** Takes out of these what the guards keep. */
  settle(
    keys: Iterable<string>,
    withheldOf: (key: string) => Withheld | undefined,
    context: DiffContext,
  ): void {
    for (const key of keys) {
      const whole = this.#whole.get(key);
      if (whole === undefined) continue;
      this.#unleave(this.#plans.get(key));
      const plan = withhold(whole, withheldOf(key));
      this.#plans.set(key, plan);
      this.#leave(plan, 1);
      for (const half of plan.halves) this.#wait(key, half, context);
    }
  }

  /** The object of an address is there now. */
  created(address: string, context: DiffContext): void {
    for (const [key, { halves }] of this.#plans) {
      for (const half of halves) {
        if (!half.creates.delete(address)) continue;
        half.ready.add(address);
        this.#wait(key, half, context);
      }
    }
  }

  isLeaving(address: string): boolean {
    return this.#leaving.has(address);
  }

  waitingSince({ source }: SourcePlan, { family }: Half): number | undefined {
    return this.#waiting.get(`${source.key} ${family}`);
  }

  /** Additions of the source went out: those that remain begin to wait. */
  wrote(key: string): void {
    this.#waiting.delete(`${key} 4`);
    this.#waiting.delete(`${key} 6`);
  }

  /** When additions that wait for creations go out without them. */
  waits(): Iterable<number> {
    return this.#waiting.values();
  }

  #wait(key: string, half: Half, context: DiffContext): void {
    const name = `${key} ${half.family}`;
    if (half.ready.size === 0 || !isCreating(half, context)) this.#waiting.delete(name);
    else if (!this.#waiting.has(name)) this.#waiting.set(name, context.now);
  }

  #drop(key: string): void {
    this.#unleave(this.#plans.get(key));
    this.#plans.delete(key);
    this.#whole.delete(key);
    this.wrote(key);
  }

  #unleave(plan: SourcePlan | undefined): void {
    if (plan !== undefined) this.#leave(plan, -1);
  }

  /** A child that can't be written keeps what it has; nobody waits for that. */
  #leave({ halves, waiting }: SourcePlan, by: 1 | -1): void {
    // What is not decided yet most likely leaves: it joins nothing before that is known.
    for (const address of waiting) this.#count(address, by);
    for (const { shards } of halves) {
      for (const { removes, blocked } of shards) {
        if (blocked !== undefined) continue;
        for (const address of removes.keys()) this.#count(address, by);
      }
    }
  }

  #count(address: string, by: 1 | -1): void {
    const count = (this.#leaving.get(address) ?? 0) + by;
    if (count > 0) this.#leaving.set(address, count);
    else this.#leaving.delete(address);
  }
}
