import type { Actual, Identity, Limits, Outcome, Step } from "../firewall/firewall.ts";
import { acknowledge, departures } from "./acknowledged.ts";
import { findDrift, putInto } from "./drift.ts";
import { Known } from "./known.ts";
import type { ObjectNames } from "./object-names.ts";
import { Parking } from "./parking.ts";
import type { Applied, Drift } from "./plan.ts";
import type { Record } from "./record.ts";
import { blamed, park, unpark } from "./refusal.ts";
import { Undone } from "./undone.ts";

/** A write that the device can't find members of, so often in a row, is refused for good. */
const MOST_MISSING = 3;

/** What one target is known to hold, what it refuses, and of which writes nobody knows whether they were done. */
export class TargetState {
  identity: Identity | undefined;
  limits: Limits | undefined;
  /** Undefined before the first read. */
  known: Known | undefined;
  parking = new Parking();
  readonly #names: ObjectNames;
  /** `<child> <address>` that others put in since the last read. */
  #putIn = new Set<string>();
  /** Names of objects whose last write was not answered. */
  readonly #unsure = new Set<string>();
  /** Name of a child → how often in a row the device did not find members of it. */
  readonly #missing = new Map<string, number>();
  readonly #undone = new Undone();
  #isOfYesterday = false;

  constructor(names: ObjectNames) {
    this.#names = names;
  }

  /**
   * Another pusher may have written it since it was read. What differs at the next read is no drift: above all, what that
   * one put in is no stranger's, which guards would let go.
   */
  tookOver(): void {
    this.#isOfYesterday = true;
  }

  /** A full read replaces what was known. Returns what others changed since. */
  read(actual: Actual, record: Record): Drift[] {
    const known = Known.from(actual);
    const before = this.#isOfYesterday ? undefined : this.known;
    this.#isOfYesterday = false;
    const drift = findDrift(before, known, this.#unsure);
    this.#undone.read(before, known, this.#unsure, record);
    this.#putIn = putInto(before, known, this.#unsure);
    this.known = known;
    this.#unsure.clear();
    return drift;
  }

  /** Somebody else put the address into the child since the last read. */
  isPutIn(child: string, address: string): boolean {
    return this.#putIn.has(`${child} ${address}`);
  }

  /** @returns the memberships that changed as policies see them, and whether something parked is not any more */
  done(
    known: Known,
    step: Step,
    source: string | undefined,
    record: Record,
  ): { applied: Applied[]; released: boolean } {
    const applied = acknowledge(known, step, record, this.#undone);
    const released = unpark(this.parking, step, source);
    for (const name of namesOf(step)) {
      this.#unsure.delete(name);
      this.#missing.delete(name);
    }
    return { applied, released };
  }

  /** The memberships that a step would end, as policies see them. */
  departures(known: Known, step: Step, record: Record): Applied[] {
    return departures(known, step, record, this.#undone);
  }

  /** @param source key of the source that the step's child belongs to */
  refused(
    step: Step,
    outcome: Extract<Outcome, { result: "refused" }>,
    source: string | undefined,
    now: number,
  ): void {
    park(this.parking, this.#names, step, outcome, source, now);
  }

  /** @returns whether it tells something about the device */
  retry(
    known: Known,
    step: Step,
    { reason, message, reread, blame }: Extract<Outcome, { result: "retry" }>,
    source: string | undefined,
    now: number,
  ): boolean {
    if (reread) for (const name of namesOf(step)) this.#unsure.add(name);
    if (reason !== "missing-reference" || (step.kind !== "put-child" && step.kind !== "create-child"))
      return false;
    const misses = (this.#missing.get(step.child) ?? 0) + 1;
    this.#missing.set(step.child, misses);
    const absent = blamed(this.#names, step.members, blame);
    // Their objects are made again; after that they join again.
    for (const address of absent) known.deleteAddress(address);
    if (misses >= MOST_MISSING)
      this.refused(step, { result: "refused", reason: "other", message, blame: absent }, source, now);
    return true;
  }

  /** For a dry run. */
  clone(): TargetState {
    const copy = new TargetState(this.#names);
    copy.identity = this.identity;
    copy.limits = this.limits;
    copy.known = this.known?.clone();
    copy.parking = this.parking.clone();
    copy.#putIn = this.#putIn;
    return copy;
  }
}

/** The objects that a step writes. */
function namesOf(step: Step): string[] {
  if ("name" in step) return [step.name];
  return [...("child" in step ? [step.child] : []), ...("parent" in step ? [step.parent] : [])];
}
