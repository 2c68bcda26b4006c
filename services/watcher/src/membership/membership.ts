import type { Owner, RemoveCause } from "@podgate/shared/contract/event";
import type { NamespaceFact } from "../facts/namespace-fact.ts";
import type { NodeFact } from "../facts/node-fact.ts";
import type { PodFact } from "../facts/pod-fact.ts";
import type { Change } from "./change.ts";
import { ended, notCounting, type NotCounting } from "./counting.ts";
import type { GroupDefinition } from "./group-definition.ts";
import { Holdings, shown, type Holding } from "./holdings.ts";
import { Inventory, type PodEntry } from "./inventory.ts";
import { matches } from "./selector.ts";

/** What of one address was released in the mutation under way, and why. */
interface Release {
  readonly holding: Holding;
  readonly cause: RemoveCause;
}

/**
 * Which addresses are in which groups, kept along with every change of pods, nodes, namespaces and definitions.
 * Each mutation returns what it changed: removes first, so an address that moves leaves its old group before it
 * joins the new one. Owners are pods, also in node mode (the pods because of which a node's address is there),
 * told apart by uid: a pod made anew under the same name is another owner, and two pods of one address both hold
 * it. `now` is milliseconds of the monotonic clock.
 *
 * A terminating pod yields its address to another pod that runs with it (`reused`): the CNI has given it on.
 */
export class Membership {
  readonly #inventory = new Inventory();
  readonly #holdings = new Holdings();
  #groups = new Map<string, GroupDefinition>();
  #releases: Release[] = [];
  #joined = new Set<Holding>();

  replacePods(facts: readonly PodFact[], now: number): Change[] {
    const present = new Set(facts.map(({ uid }) => uid));
    for (const fact of facts) this.#inventory.putPod(fact, now);
    const absent = [...this.#inventory.pods()].filter(({ fact }) => !present.has(fact.uid));
    for (const entry of absent) this.#inventory.dropPod(entry.fact.uid);
    for (const fact of facts) this.#evaluate(this.#inventory.pod(fact.uid), now, "vanished");
    for (const entry of absent) this.#releaseAll(entry, "vanished");
    return this.#changes();
  }

  putPod(fact: PodFact, now: number): Change[] {
    const affected = this.#inventory.putPod(fact, now);
    for (const entry of affected) this.#evaluate(entry, now, "ended");
    return this.#changes();
  }

  removePod(uid: string, now: number): Change[] {
    const entry = this.#inventory.dropPod(uid);
    if (entry === undefined) return [];
    this.#releaseAll(entry, "ended");
    for (const other of this.#inventory.holdersOf(entry.fact.addresses)) this.#evaluate(other, now, "ended");
    return this.#changes();
  }

  replaceNodes(facts: readonly NodeFact[], now: number): Change[] {
    const gone = this.#inventory.replaceNodes(facts);
    for (const entry of this.#inventory.pods())
      this.#evaluate(entry, now, gone.has(entry.fact.nodeName) ? "vanished" : "changed");
    return this.#changes();
  }

  putNode(fact: NodeFact, now: number): Change[] {
    this.#inventory.putNode(fact);
    return this.#evaluateOn(fact.name, now, "changed");
  }

  removeNode(uid: string, now: number): Change[] {
    const fact = this.#inventory.dropNode(uid);
    return fact === undefined ? [] : this.#evaluateOn(fact.name, now, "ended");
  }

  replaceNamespaces(facts: readonly NamespaceFact[], now: number): Change[] {
    this.#inventory.replaceNamespaces(facts);
    for (const entry of this.#inventory.pods()) this.#evaluate(entry, now, "unselected");
    return this.#changes();
  }

  putNamespace(fact: NamespaceFact, now: number): Change[] {
    this.#inventory.putNamespace(fact);
    return this.#evaluateIn(fact.name, now);
  }

  removeNamespace(uid: string, now: number): Change[] {
    const fact = this.#inventory.dropNamespace(uid);
    return fact === undefined ? [] : this.#evaluateIn(fact.name, now);
  }

  /** The definitions in force; of each group name at most one (see conflicts.ts). */
  setGroups(definitions: readonly GroupDefinition[], now: number): Change[] {
    const before = this.#groups;
    this.#groups = new Map(definitions.map((definition) => [definition.group, definition]));
    const touched = new Set<string>();
    for (const name of new Set([...before.keys(), ...this.#groups.keys()])) {
      if (JSON.stringify(before.get(name)) !== JSON.stringify(this.#groups.get(name))) touched.add(name);
    }
    if (touched.size > 0)
      for (const entry of this.#inventory.pods()) this.#evaluate(entry, now, "unselected", touched);
    return this.#changes();
  }

  /** Gives up terminating pods whose grace is over. */
  tick(now: number): Change[] {
    for (const entry of this.#inventory.overdue(now)) this.#evaluate(entry, now, "ended");
    return this.#changes();
  }

  /** When `tick` next has something to do, on the monotonic clock. */
  nextDeadline(): number | undefined {
    return this.#inventory.nextDeadline();
  }

  get count(): number {
    return this.#holdings.count;
  }

  get digest(): string {
    return this.#holdings.digest;
  }

  groups(): string[] {
    return [...this.#groups.keys()];
  }

  *members(): Generator<{
    group: string;
    address: string;
    owners: Owner[];
    ownerCount: number;
    resourceVersion: string;
  }> {
    for (const holding of this.#holdings.all()) {
      yield {
        group: holding.group,
        address: holding.address,
        resourceVersion: holding.resourceVersion,
        ...shown(holding),
      };
    }
  }

  membersOf(group: string): number {
    return [...this.#holdings.of(group)].length;
  }

  /** An owner of this uid is listed, whether or not it counts. */
  lists(owner: Owner): boolean {
    return this.#inventory.pod(owner.uid) !== undefined;
  }

  /** uids of the pods that run with this address as their own now. */
  holders(address: string): string[] {
    return this.#inventory.holdersOf([address]).map(({ fact }) => fact.uid);
  }

  /** In node mode a whole node is in the group: the other namespaces whose pods run on the group's nodes. */
  sharedNamespaces(group: string, now: number): string[] {
    const definition = this.#groups.get(group);
    if (definition?.addresses !== "node") return [];
    const nodes = new Set<string>();
    const own = new Set<string>();
    for (const holding of this.#holdings.of(group)) {
      for (const uid of holding.owners.keys()) {
        const fact = this.#inventory.pod(uid)?.fact;
        if (fact === undefined) continue;
        nodes.add(fact.nodeName);
        own.add(fact.namespace);
      }
    }
    const others = new Set<string>();
    for (const node of nodes) {
      for (const entry of this.#inventory.podsOn(node)) {
        if (!own.has(entry.fact.namespace) && ended(entry.fact, entry.givenUpAt, now) === undefined)
          others.add(entry.fact.namespace);
      }
    }
    return [...others].toSorted();
  }

  /** Why a pod is, or is not, in each group; for people. */
  explain(
    namespace: string,
    name: string,
    now: number,
  ): { group: string; member: boolean; reason: string }[] | undefined {
    const entry = [...this.#inventory.podsIn(namespace)].find(({ fact }) => fact.name === name);
    if (entry === undefined) return undefined;
    return [...this.#groups.values()].map((definition) => {
      const reason = this.#reasonAgainst(entry, definition, now);
      const addresses = entry.held.get(definition.group) ?? [];
      return {
        group: definition.group,
        member: reason === undefined,
        reason: reason ?? `member with ${addresses.join(", ")}`,
      };
    });
  }

  /** Pods that do not count, by reason, for metrics. */
  notCounting(now: number): Map<NotCounting, number> {
    const counts = new Map<NotCounting, number>();
    for (const { fact, givenUpAt } of this.#inventory.pods()) {
      const reason = notCounting(fact, givenUpAt, now);
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }

  #evaluateOn(node: string, now: number, cause: RemoveCause): Change[] {
    for (const entry of this.#inventory.podsOn(node)) this.#evaluate(entry, now, cause);
    return this.#changes();
  }

  #evaluateIn(namespace: string, now: number): Change[] {
    for (const entry of this.#inventory.podsIn(namespace)) this.#evaluate(entry, now, "unselected");
    return this.#changes();
  }

  /** Brings what a pod holds in line with what it should; `cause` is the mutation's own, used where nothing says more. */
  #evaluate(entry: PodEntry | undefined, now: number, cause: RemoveCause, only?: ReadonlySet<string>): void {
    if (entry === undefined) return;
    const names = only ?? new Set([...this.#groups.keys(), ...entry.held.keys()]);
    for (const group of names) {
      const definition = this.#groups.get(group);
      const before = entry.held.get(group) ?? [];
      const after = definition === undefined ? [] : this.#wanted(entry, definition, now);
      if (before.length === 0 && after.length === 0) continue;
      for (const address of after) {
        const joined = this.#holdings.hold(group, address, ownerOf(entry.fact), entry.fact.resourceVersion);
        if (joined !== undefined) this.#joined.add(joined);
      }
      for (const address of before) {
        if (!after.includes(address))
          this.#release(entry, group, address, this.#causeFor(entry, definition, address, now, cause));
      }
      if (after.length > 0) entry.held.set(group, after);
      else entry.held.delete(group);
    }
  }

  #wanted(entry: PodEntry, definition: GroupDefinition, now: number): readonly string[] {
    if (this.#reasonAgainst(entry, definition, now) !== undefined) return [];
    if (definition.addresses === "node") return this.#nodeAddresses(entry, definition);
    return entry.fact.addresses.filter((address) => !this.#inventory.yields(entry, address));
  }

  #reasonAgainst(entry: PodEntry, definition: GroupDefinition, now: number): string | undefined {
    const { fact, givenUpAt } = entry;
    const { onlyNamespace, namespaceSelector, podSelector } = definition;
    if (onlyNamespace !== undefined && fact.namespace !== onlyNamespace)
      return `the group selects in namespace ${onlyNamespace} only`;
    if (namespaceSelector !== undefined) {
      const labels = this.#inventory.namespaceLabels(fact.namespace);
      if (labels === undefined) return `namespace ${fact.namespace} is not known yet`;
      if (!matches(namespaceSelector, labels))
        return `namespaceSelector does not match the labels of ${fact.namespace}`;
    }
    if (!matches(podSelector, fact.labels)) return "podSelector does not match the pod's labels";
    if (definition.addresses === "pod") return notCounting(fact, givenUpAt, now);
    const end = ended(fact, givenUpAt, now);
    if (end !== undefined) return end;
    if (fact.nodeName === "") return "not scheduled to a node";
    return this.#nodeAddresses(entry, definition).length === 0
      ? `node ${fact.nodeName} has no ${definition.nodeAddressType}`
      : undefined;
  }

  #nodeAddresses({ fact }: PodEntry, { nodeAddressType }: GroupDefinition): readonly string[] {
    const node = this.#inventory.node(fact.nodeName);
    return (nodeAddressType === "InternalIP" ? node?.internal : node?.external) ?? [];
  }

  #causeFor(
    entry: PodEntry,
    definition: GroupDefinition | undefined,
    address: string,
    now: number,
    cause: RemoveCause,
  ): RemoveCause {
    if (definition === undefined) return "undefined";
    if (ended(entry.fact, entry.givenUpAt, now) !== undefined) return "ended";
    if (definition.addresses === "pod" && this.#inventory.yields(entry, address)) return "reused";
    const own =
      definition.addresses === "node" ? this.#nodeAddresses(entry, definition) : entry.fact.addresses;
    if (own.includes(address)) return "unselected";
    const lost = definition.addresses === "node" && this.#inventory.node(entry.fact.nodeName) === undefined;
    return lost ? cause : "changed";
  }

  #releaseAll(entry: PodEntry, cause: RemoveCause): void {
    for (const [group, addresses] of entry.held) {
      for (const address of addresses) {
        const reused = cause === "vanished" && this.#inventory.holdersOf([address]).length > 0;
        this.#release(entry, group, address, reused ? "reused" : cause);
      }
    }
    entry.held.clear();
  }

  #release({ fact }: PodEntry, group: string, address: string, cause: RemoveCause): void {
    const holding = this.#holdings.release(group, address, fact.uid);
    if (holding === undefined) return;
    holding.resourceVersion = fact.resourceVersion;
    this.#releases.push({ holding, cause });
  }

  /** What the mutation under way came to: an address that left and joined the same group again did not change. */
  #changes(): Change[] {
    if (this.#releases.length === 0 && this.#joined.size === 0) return [];
    const removes: Change[] = [];
    for (const { holding, cause } of this.#releases) {
      const { group, address, resourceVersion } = holding;
      if (this.#joined.delete(holding) || this.#holdings.get(group, address) !== undefined) continue;
      removes.push({ op: "remove", group, address, resourceVersion, cause, ...shown(holding) });
    }
    const left = new Set(this.#releases.map(({ holding: { group, address } }) => `${group} ${address}`));
    const adds: Change[] = [];
    for (const holding of this.#joined) {
      const { group, address, resourceVersion } = holding;
      if (this.#holdings.get(group, address) !== holding || left.has(`${group} ${address}`)) continue;
      adds.push({ op: "add", group, address, resourceVersion, ...shown(holding) });
    }
    this.#releases = [];
    this.#joined = new Set();
    return [...removes, ...adds];
  }
}

function ownerOf({ namespace, name, uid }: PodFact): Owner {
  return { kind: "Pod", namespace, name, uid };
}
