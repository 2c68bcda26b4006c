import type { Owner, RemoveCause } from "@podgate/shared/contract/event";
import type { NamespaceFact } from "../facts/namespace-fact.ts";
import type { NodeFact } from "../facts/node-fact.ts";
import type { PodFact } from "../facts/pod-fact.ts";
import { causeOf, endOf } from "./causes.ts";
import type { Change } from "./change.ts";
import { ended, notCounting, ownAddresses, type NotCounting } from "./counting.ts";
import type { GroupDefinition } from "./group-definition.ts";
import { EditedOut, isEnd } from "./edited-out.ts";
import { Holdings, ownerOf, shown, type Holding, type Shown } from "./holdings.ts";
import { Inventory } from "./inventory.ts";
import { Missing } from "./missing.ts";
import { heldBy, setHeld, type PodEntry } from "./pod-entry.ts";
import { sharedNamespaces } from "./shared-namespaces.ts";
import { explanation, nodeAddresses, wanted, type Explanation } from "./standing.ts";

/** What a pod gives up in the mutation under way, and why. */
interface Release {
  readonly entry: PodEntry;
  readonly holding: Holding;
  readonly cause: RemoveCause;
  /** It was an owner until an edit: `holding` is that of edited-out.ts. */
  readonly again?: true;
}

/**
 * Which addresses are in which groups, kept along with every change of pods, nodes, namespaces and definitions.
 * Each mutation returns what it changed: removes first, so an address that moves leaves its old group before it
 * joins the new one. Owners are pods, also in node mode (the pods because of which a node's address is there),
 * told apart by uid: a pod made anew under the same name is another owner, and two pods of one address both hold
 * it. An `add` of an address that is there already tells that its owners have changed. `now` is milliseconds of
 * the monotonic clock.
 *
 * A terminating pod yields its address to another pod that runs with it (`reused`), for good: the CNI has given
 * it on.
 */
export class Membership {
  /** False: mutations answer with no changes, for whoever waits for the lists to be whole. */
  tells = true;
  readonly #inventory = new Inventory();
  readonly #holdings = new Holdings();
  readonly #editedOut = new EditedOut();
  readonly #missing = new Missing();
  #groups = new Map<string, GroupDefinition>();
  #releases: Release[] = [];
  /** Has joined its group, or has other owners than before. */
  #gained = new Set<Holding>();

  replacePods(facts: readonly PodFact[], now: number): Change[] {
    const absent = this.#inventory.replacePods(facts, now);
    this.#missing.found((uid) => this.#inventory.pod(uid) !== undefined);
    for (const entry of this.#inventory.pods()) this.#evaluate(entry, now, "relabeled");
    for (const entry of absent) {
      for (const { group, address } of heldBy(entry)) this.miss(group, address, ownerOf(entry), now);
      this.#releaseAll(entry, "vanished");
    }
    return this.#changes();
  }

  putPod(fact: PodFact, now: number): Change[] {
    this.#missing.found((owner) => owner === fact.uid);
    for (const entry of this.#inventory.putPod(fact, now)) this.#evaluate(entry, now, "relabeled");
    return this.#changes();
  }

  removePod(uid: string): Change[] {
    this.#missing.found((owner) => owner === uid);
    const entry = this.#inventory.dropPod(uid);
    if (entry === undefined) return [];
    this.#releaseAll(entry, "ended");
    return this.#changes();
  }

  replaceNodes(facts: readonly NodeFact[], now: number): Change[] {
    const changes = this.#inventory.nodes.replace(facts);
    return this.#evaluateWhere(({ nodeName }) => changes.get(nodeName), now);
  }

  putNode(fact: NodeFact, now: number): Change[] {
    if (!this.#inventory.nodes.put(fact)) return [];
    return this.#evaluateWhere(({ nodeName }) => (nodeName === fact.name ? "changed" : undefined), now);
  }

  removeNode(uid: string, now: number): Change[] {
    const name = this.#inventory.nodes.drop(uid)?.name;
    if (name === undefined) return [];
    return this.#evaluateWhere(({ nodeName }) => (nodeName === name ? "ended" : undefined), now);
  }

  replaceNamespaces(facts: readonly NamespaceFact[], now: number): Change[] {
    const changed = this.#inventory.namespaces.replace(facts);
    return this.#evaluateWhere(({ namespace }) => (changed.has(namespace) ? "changed" : undefined), now);
  }

  putNamespace(fact: NamespaceFact, now: number): Change[] {
    if (!this.#inventory.namespaces.put(fact)) return [];
    return this.#evaluateWhere(({ namespace }) => (namespace === fact.name ? "changed" : undefined), now);
  }

  removeNamespace(uid: string): void {
    this.#inventory.namespaces.drop(uid);
  }

  /** The definitions in force; of each group name at most one (see conflicts.ts). */
  setGroups(definitions: readonly GroupDefinition[], now: number): Change[] {
    const before = this.#groups;
    this.#groups = new Map(definitions.map((definition) => [definition.group, definition]));
    const touched = new Set<string>();
    for (const name of new Set([...before.keys(), ...this.#groups.keys()])) {
      if (JSON.stringify(before.get(name)) !== JSON.stringify(this.#groups.get(name))) touched.add(name);
    }
    if (touched.size === 0) return [];
    for (const entry of this.#inventory.pods()) this.#evaluate(entry, now, "unselected", touched);
    return this.#changes();
  }

  /** Gives up terminating pods whose grace is over. */
  tick(now: number): Change[] {
    this.#missing.tick(now);
    for (const entry of this.#inventory.overdue(now)) this.#evaluate(entry, now, "ended");
    return this.#changes();
  }

  /** When `tick` is next worth a call, on the monotonic clock. */
  nextDeadline(): number | undefined {
    return this.#inventory.nextDeadline();
  }

  get count(): number {
    return this.#holdings.count;
  }

  groups(): string[] {
    return [...this.#groups.keys()];
  }

  *members(): Generator<Shown & { readonly group: string; readonly address: string }> {
    for (const holding of this.#holdings.all()) yield this.#asMember(holding);
  }

  member(group: string, address: string): (Shown & { group: string; address: string }) | undefined {
    const holding = this.#holdings.get(group, address);
    return holding && this.#asMember(holding);
  }

  membersOf(group: string): number {
    return this.#holdings.size(group);
  }

  /**
   * Why a group may not have the address of this owner any more, whatever selects it; `vanished`: it is not listed, or, in
   * node mode, its node. Undefined: it runs, and the address is its own or its node's.
   */
  endOf(group: string, { uid }: Pick<Owner, "uid">, address: string, now: number): RemoveCause | undefined {
    const entry = this.#inventory.pod(uid);
    if (entry === undefined) return "vanished";
    const end = endOf(entry, address, this.#inventory, now, "vanished");
    return end === "vanished" && this.#groups.get(group)?.addresses === "pod" ? "changed" : end;
  }

  /**
   * An address is no member, and the stream says why. What an earlier watcher noted is taken up again, if it is a pod's
   * own: that of a node may have had more owners than the stream names.
   */
  recall(group: string, address: string, owners: readonly Owner[], cause: RemoveCause, now: number): void {
    if (this.#holdings.get(group, address) !== undefined) return;
    for (const { uid } of owners) {
      const entry = this.#inventory.pod(uid);
      if (entry === undefined || ended(entry.fact, entry.ending, now) !== undefined) continue;
      if (ownAddresses(entry.fact, entry.ending).includes(address))
        this.#editedOut.note(entry, group, address, cause);
    }
  }

  /** A node's address is a member, and this owner, if it is one, is not listed: it may still run there. */
  miss(group: string, address: string, owner: Owner, now: number): void {
    if (this.#groups.get(group)?.addresses !== "node" || this.#inventory.pod(owner.uid) !== undefined) return;
    const holding = this.#holdings.get(group, address);
    if (holding !== undefined) this.#missing.note(holding, owner, now);
  }

  /** One that is not known, of a pod that is; undefined = there is none. */
  unknownNamespace(): string | undefined {
    const { namespaces } = this.#inventory;
    for (const { fact } of this.#inventory.pods())
      if (namespaces.get(fact.namespace) === undefined) return fact.namespace;
    return undefined;
  }

  /** uids of the pods that run with this address as their own now. */
  holders(address: string): string[] {
    return this.#inventory.holdersOf(address).map(({ fact }) => fact.uid);
  }

  /** In node mode a whole node is in the group: the other namespaces whose pods run on the group's nodes. */
  sharedNamespaces(group: string, now: number): string[] {
    if (this.#groups.get(group)?.addresses !== "node") return [];
    return sharedNamespaces(this.#holdings.of(group), this.#inventory.pods(), now);
  }

  /** Why a pod is, or is not, in each group, for people; undefined if there is no such pod. */
  explain(namespace: string, name: string, now: number): Explanation[] | undefined {
    const entry = [...this.#inventory.pods()].find(
      ({ fact }) => fact.name === name && fact.namespace === namespace,
    );
    if (entry === undefined) return undefined;
    return [...this.#groups.values()].map((definition) =>
      explanation(entry, definition, this.#inventory, now),
    );
  }

  /** Pods that do not count, by reason, for metrics. */
  notCounting(now: number): Map<NotCounting, number> {
    const counts = new Map<NotCounting, number>();
    for (const { fact, ending } of this.#inventory.pods()) {
      const reason = notCounting(fact, ending, now);
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }

  #evaluateWhere(causeFor: (fact: PodFact) => RemoveCause | undefined, now: number): Change[] {
    for (const entry of this.#inventory.pods()) {
      const cause = causeFor(entry.fact);
      if (cause !== undefined) this.#evaluate(entry, now, cause);
    }
    return this.#changes();
  }

  /**
   * Lets a pod hold what it should, and notes what it is to let go: that is done at the end of the mutation, when
   * everybody who may still hold it does. `cause` as for `causeOf`.
   */
  #evaluate(entry: PodEntry, now: number, cause: RemoveCause, only?: ReadonlySet<string>): void {
    const before = heldBy(entry);
    const after: Holding[] = only === undefined ? [] : before.filter(({ group }) => !only.has(group));
    for (const definition of this.#groups.values()) {
      const { group } = definition;
      if (only !== undefined && !only.has(group)) continue;
      for (const address of wanted(entry, definition, this.#inventory, now)) {
        const { holding, isNew } = this.#holdings.hold(group, address, entry);
        if (isNew && this.tells) this.#gained.add(holding);
        after.push(holding);
      }
    }
    for (const holding of before) {
      if (!after.includes(holding))
        this.#releases.push({ entry, holding, cause: this.#causeFor(entry, holding, now, cause) });
    }
    setHeld(entry, after);
    for (const holding of entry.editedOut) {
      const end = endOf(entry, holding.address, this.#inventory, now, cause);
      const { group, address } = holding;
      if (end !== undefined) this.#releases.push({ entry, holding, cause: end, again: true });
      else if (after.some((held) => held.group === group && held.address === address))
        this.#editedOut.release(entry, holding);
    }
  }

  #causeFor(entry: PodEntry, { group, address }: Holding, now: number, cause: RemoveCause): RemoveCause {
    const definition = this.#groups.get(group);
    return definition === undefined
      ? "undefined"
      : causeOf(entry, address, definition, this.#inventory, now, cause);
  }

  /** The end of the last owner that is listed is not that of the others; that of its node is. */
  #lastCause(entry: PodEntry, holding: Holding, cause: RemoveCause): RemoveCause {
    const definition = this.#groups.get(holding.group);
    if (!isEnd(cause) || definition === undefined || this.#missing.of(holding).length === 0) return cause;
    const isOfNode = nodeAddresses(entry, definition, this.#inventory).includes(holding.address);
    return isOfNode ? "vanished" : cause;
  }

  #releaseAll(entry: PodEntry, cause: RemoveCause): void {
    const causeFor = ({ address }: Holding): RemoveCause =>
      cause === "vanished" && this.#inventory.holdersOf(address).length > 0 ? "reused" : cause;
    for (const holding of heldBy(entry)) this.#releases.push({ entry, holding, cause: causeFor(holding) });
    setHeld(entry, []);
    for (const holding of entry.editedOut)
      this.#releases.push({ entry, holding, cause: causeFor(holding), again: true });
  }

  #changes(): Change[] {
    if (this.#releases.length === 0 && this.#gained.size === 0) return [];
    const changes: Change[] = [];
    const left = new Map<Holding, Owner[]>();
    for (const { entry, holding, cause, again } of this.#releases) {
      const { group, address } = holding;
      if (again) {
        const isOver = this.#editedOut.release(entry, holding) && isEnd(cause);
        if (isOver && this.#holdings.get(group, address) === undefined)
          changes.push({ op: "remove", cause, again, ...this.#asMember(holding) });
        continue;
      }
      if (this.tells) this.#editedOut.note(entry, group, address, cause);
      if (this.#holdings.release(holding, entry)) {
        const last = this.#editedOut.of(group, address) ?? {
          holding,
          cause: this.#lastCause(entry, holding, cause),
        };
        changes.push({
          op: "remove",
          cause: last.cause,
          ...this.#asMember(last.holding, left.get(last.holding)),
        });
        this.#missing.forget(holding);
      } else {
        left.set(holding, [...(left.get(holding) ?? []), ownerOf(entry)]);
        this.#gained.add(holding);
      }
    }
    for (const holding of this.#gained) {
      if (this.#holdings.get(holding.group, holding.address) === holding)
        changes.push({ op: "add", ...this.#asMember(holding) });
    }
    this.#releases = [];
    this.#gained = new Set();
    return this.tells ? changes : [];
  }

  /** @param left who was an owner until the mutation under way */
  #asMember(
    holding: Holding,
    left: readonly Owner[] = [],
  ): Shown & { readonly group: string; readonly address: string } {
    const { group, address } = holding;
    return { group, address, ...shown(holding, [...left, ...this.#missing.of(holding)]) };
  }
}
