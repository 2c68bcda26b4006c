import type { NodeFact } from "../facts/node-fact.ts";
import type { PodFact } from "../facts/pod-fact.ts";
import { ByName } from "./by-name.ts";
import { ending, notCounting, ownAddresses } from "./counting.ts";
import { Namespaces } from "./namespaces.ts";
import { PodEntry } from "./pod-entry.ts";
import { each, minus, plus, type Several } from "./several.ts";

/**
 * The facts of one cluster. Only addresses are indexed: whoever needs the pods of a node or a namespace looks
 * through all of them, which 100,000 pods answer in milliseconds, and what needs it is rare.
 */
export class Inventory {
  readonly nodes = new ByName<NodeFact>(
    (a, b) => equal(a.internal, b.internal) && equal(a.external, b.external),
  );
  readonly namespaces = new Namespaces((name) => this.#podsIn(name));
  readonly #pods = new Map<string, PodEntry>();
  readonly #byAddress = new Map<string, PodEntry | Set<PodEntry>>();
  /** Those that have not been given up yet. */
  readonly #terminating = new Set<PodEntry>();
  /** None of them is given up before this. */
  #earliest = Number.POSITIVE_INFINITY;

  pod(uid: string): PodEntry | undefined {
    return this.#pods.get(uid);
  }

  pods(): Iterable<PodEntry> {
    return this.#pods.values();
  }

  /** Pods that run, for all that is known, with this as their own address. */
  holdersOf(address: string): PodEntry[] {
    return [...each(this.#byAddress.get(address))].filter(
      ({ fact, ending: end }) =>
        notCounting(fact, end, Number.NEGATIVE_INFINITY) === undefined &&
        ownAddresses(fact, end).includes(address),
    );
  }

  /** @returns the entry and every other one that has lost an address to it */
  putPod(fact: PodFact, now: number): Set<PodEntry> {
    const entry = this.#store(fact, now);
    const affected = new Set([entry]);
    for (const address of fact.addresses)
      for (const loser of this.#giveOn(this.#byAddress.get(address), address)) affected.add(loser);
    return affected;
  }

  dropPod(uid: string): PodEntry | undefined {
    const entry = this.#pods.get(uid);
    if (entry === undefined) return undefined;
    this.#unindex(entry);
    this.#pods.delete(uid);
    this.#terminating.delete(entry);
    this.namespaces.podWent(entry.fact.namespace);
    return entry;
  }

  /** @returns the entries that were not among the facts and are dropped */
  replacePods(facts: readonly PodFact[], now: number): PodEntry[] {
    const present = new Set(facts.map(({ uid }) => uid));
    const absent = [...this.#pods.values()].filter(({ fact }) => !present.has(fact.uid));
    for (const { fact } of absent) this.dropPod(fact.uid);
    for (const fact of facts) this.#store(fact, now);
    // Not one by one: what a pod was before the list says nothing about who runs now.
    for (const [address, entries] of this.#byAddress) this.#giveOn(entries, address);
    return absent;
  }

  /** Those whose time has come, each once. */
  overdue(now: number): PodEntry[] {
    if (now < this.#earliest) return [];
    const due: PodEntry[] = [];
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const entry of this.#terminating) {
      const { givenUpAt = now } = entry.ending ?? {};
      if (givenUpAt <= now) due.push(entry);
      else this.#earliest = Math.min(this.#earliest, givenUpAt);
    }
    for (const entry of due) this.#terminating.delete(entry);
    return due;
  }

  /** Not later than the moment at which `overdue` next has an answer; it may be earlier. */
  nextDeadline(): number | undefined {
    return this.#terminating.size === 0 ? undefined : this.#earliest;
  }

  #store(fact: PodFact, now: number): PodEntry {
    const known = this.#pods.get(fact.uid);
    const entry = known ?? new PodEntry(fact);
    if (known === undefined) {
      this.#pods.set(fact.uid, entry);
      this.namespaces.podCame(fact.namespace);
    } else this.#unindex(known);
    entry.fact = fact;
    if (!fact.hostNetwork)
      for (const address of fact.addresses)
        this.#byAddress.set(address, plus(this.#byAddress.get(address), entry));
    if (fact.terminating) {
      entry.ending = ending(fact, entry.ending, now);
      this.#terminating.add(entry);
      this.#earliest = Math.min(this.#earliest, entry.ending.givenUpAt);
    }
    return entry;
  }

  /** Once a running pod has the address, no terminating one has it any more, whatever comes. */
  #giveOn(sharing: Several<PodEntry>, address: string): PodEntry[] {
    if (!(sharing instanceof Set)) return NONE;
    const entries = [...sharing];
    if (!entries.some(({ fact }) => !fact.terminating && !fact.finished)) return NONE;
    const losers: PodEntry[] = [];
    for (const entry of entries) {
      const { ending: end, fact } = entry;
      if (!fact.terminating || end === undefined || end.lost.includes(address)) continue;
      end.lost = [...end.lost, address];
      losers.push(entry);
    }
    return losers;
  }

  #podsIn(namespace: string): number {
    let count = 0;
    for (const { fact } of this.#pods.values()) if (fact.namespace === namespace) count += 1;
    return count;
  }

  #unindex(entry: PodEntry): void {
    for (const address of entry.fact.addresses) {
      const rest = minus(this.#byAddress.get(address), entry);
      if (rest === undefined) this.#byAddress.delete(address);
      else this.#byAddress.set(address, rest);
    }
  }
}

const NONE: PodEntry[] = [];

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, at) => entry === b[at]);
}
