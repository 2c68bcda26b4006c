import type { NamespaceFact } from "../facts/namespace-fact.ts";
import type { NodeFact } from "../facts/node-fact.ts";
import type { PodFact } from "../facts/pod-fact.ts";
import { deadline, notCounting } from "./counting.ts";

export interface PodEntry {
  fact: PodFact;
  /** Addresses this pod holds by group. */
  readonly held: Map<string, readonly string[]>;
  /** Monotonic milliseconds. */
  seenTerminating: number | undefined;
  givenUpAt: number | undefined;
}

/** The facts of one cluster and the indexes over them. */
export class Inventory {
  readonly #pods = new Map<string, PodEntry>();
  readonly #byNode = new Map<string, Set<PodEntry>>();
  readonly #byNamespace = new Map<string, Set<PodEntry>>();
  readonly #byAddress = new Map<string, Set<PodEntry>>();
  readonly #terminating = new Set<PodEntry>();
  readonly #nodes = new Map<string, NodeFact>();
  readonly #namespaces = new Map<string, NamespaceFact>();

  pod(uid: string): PodEntry | undefined {
    return this.#pods.get(uid);
  }

  pods(): Iterable<PodEntry> {
    return this.#pods.values();
  }

  podsOn(node: string): Iterable<PodEntry> {
    return [...(this.#byNode.get(node) ?? [])];
  }

  podsIn(namespace: string): Iterable<PodEntry> {
    return [...(this.#byNamespace.get(namespace) ?? [])];
  }

  /** Pods that run with one of these as their own address now. */
  holdersOf(addresses: readonly string[]): PodEntry[] {
    const holders = new Set<PodEntry>();
    for (const address of addresses) {
      for (const entry of this.#byAddress.get(address) ?? []) {
        if (notCounting(entry.fact, undefined, 0) === undefined) holders.add(entry);
      }
    }
    return [...holders];
  }

  /** A terminating pod has lost its address to another one that runs with it. */
  yields(entry: PodEntry, address: string): boolean {
    if (!entry.fact.terminating) return false;
    return this.holdersOf([address]).some((other) => other !== entry && !other.fact.terminating);
  }

  /** @returns the entry and every other one whose standing may change with it */
  putPod(fact: PodFact, now: number): PodEntry[] {
    const before = this.#pods.get(fact.uid);
    const others = new Set(before === undefined ? [] : before.fact.addresses);
    for (const address of fact.addresses) others.add(address);
    const entry = before ?? { fact, held: new Map(), seenTerminating: undefined, givenUpAt: undefined };
    if (before !== undefined) this.#unindex(entry);
    entry.fact = fact;
    this.#pods.set(fact.uid, entry);
    this.#index(entry);
    if (fact.terminating) {
      entry.seenTerminating ??= now;
      entry.givenUpAt = deadline(fact, entry.seenTerminating, entry.givenUpAt);
      this.#terminating.add(entry);
    }
    const sharing = [...others].flatMap((address) => [...(this.#byAddress.get(address) ?? [])]);
    return [...new Set([entry, ...sharing])];
  }

  dropPod(uid: string): PodEntry | undefined {
    const entry = this.#pods.get(uid);
    if (entry === undefined) return undefined;
    this.#unindex(entry);
    this.#pods.delete(uid);
    this.#terminating.delete(entry);
    return entry;
  }

  overdue(now: number): PodEntry[] {
    const due = [...this.#terminating].filter(({ givenUpAt = Number.POSITIVE_INFINITY }) => givenUpAt <= now);
    for (const entry of due) this.#terminating.delete(entry);
    return due;
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { givenUpAt } of this.#terminating) {
      if (givenUpAt !== undefined && (next === undefined || givenUpAt < next)) next = givenUpAt;
    }
    return next;
  }

  node(name: string): NodeFact | undefined {
    return this.#nodes.get(name);
  }

  putNode(fact: NodeFact): void {
    this.#nodes.set(fact.name, fact);
  }

  dropNode(uid: string): NodeFact | undefined {
    for (const [name, fact] of this.#nodes) {
      if (fact.uid !== uid) continue;
      this.#nodes.delete(name);
      return fact;
    }
    return undefined;
  }

  /** @returns the names of the nodes that are gone */
  replaceNodes(facts: readonly NodeFact[]): Set<string> {
    const gone = new Set(this.#nodes.keys());
    this.#nodes.clear();
    for (const fact of facts) {
      this.#nodes.set(fact.name, fact);
      gone.delete(fact.name);
    }
    return gone;
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined {
    return this.#namespaces.get(name)?.labels;
  }

  putNamespace(fact: NamespaceFact): void {
    this.#namespaces.set(fact.name, fact);
  }

  /** One made anew under the same name has another uid and stays. */
  dropNamespace(uid: string): NamespaceFact | undefined {
    for (const [name, fact] of this.#namespaces) {
      if (fact.uid !== uid) continue;
      this.#namespaces.delete(name);
      return fact;
    }
    return undefined;
  }

  replaceNamespaces(facts: readonly NamespaceFact[]): void {
    this.#namespaces.clear();
    for (const fact of facts) this.#namespaces.set(fact.name, fact);
  }

  #index(entry: PodEntry): void {
    const { namespace, nodeName, addresses, hostNetwork } = entry.fact;
    into(this.#byNamespace, namespace, entry);
    if (nodeName !== "") into(this.#byNode, nodeName, entry);
    if (!hostNetwork) for (const address of addresses) into(this.#byAddress, address, entry);
  }

  #unindex(entry: PodEntry): void {
    const { namespace, nodeName, addresses } = entry.fact;
    outOf(this.#byNamespace, namespace, entry);
    outOf(this.#byNode, nodeName, entry);
    for (const address of addresses) outOf(this.#byAddress, address, entry);
  }
}

function into(index: Map<string, Set<PodEntry>>, key: string, entry: PodEntry): void {
  const entries = index.get(key);
  if (entries === undefined) index.set(key, new Set([entry]));
  else entries.add(entry);
}

function outOf(index: Map<string, Set<PodEntry>>, key: string, entry: PodEntry): void {
  const entries = index.get(key);
  if (entries?.delete(entry) === true && entries.size === 0) index.delete(key);
}
