import type { Owner, RemoveCause } from "@podgate/shared/contract/event";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Random } from "@podgate/shared/runtime/random";
import { namespaceFact, type NamespaceFact } from "../facts/namespace-fact.ts";
import { nodeReading, type NodeFact } from "../facts/node-fact.ts";
import { podFact, type PodFact } from "../facts/pod-fact.ts";
import { requireEstablished } from "../kubernetes/established.ts";
import { definitionFact, type DefinitionFact } from "../kubernetes/group-definitions.ts";
import { Reflector, type Sink } from "../kubernetes/reflector.ts";
import { newest } from "../kubernetes/resource-version.ts";
import {
  ADDRESS_GROUPS,
  ADDRESS_GROUPS_CRD,
  CLUSTER_ADDRESS_GROUPS,
  CLUSTER_ADDRESS_GROUPS_CRD,
  NAMESPACES,
  NODES,
  PODS,
} from "../kubernetes/resources.ts";
import type { KubernetesErrorKind, KubernetesTransport } from "../kubernetes/transport.ts";
import type { Change } from "../membership/change.ts";
import { resolveConflicts, type Loser } from "../membership/conflicts.ts";
import type { GroupDefinition } from "../membership/group-definition.ts";
import { Membership } from "../membership/membership.ts";
import type { SessionSource } from "./session.ts";

export interface ClusterSourceOptions {
  readonly transport: KubernetesTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly staticGroups: readonly GroupDefinition[];
  /** Watch ClusterAddressGroup and AddressGroup. */
  readonly customResources: boolean;
  readonly onError: (resource: string, kind: KubernetesErrorKind, message: string) => void;
  readonly onRejectedAddress: () => void;
}

/**
 * One cluster, from its API server to changes of membership. Its members mean something only while `fresh` says
 * that every resource was listed: before that they are judged by half of what they depend on.
 */
export class ClusterSource implements SessionSource {
  readonly membership = new Membership();
  readonly #options: ClusterSourceOptions;
  readonly #reflectors: Readonly<Record<string, Reflector<never>>>;
  readonly #definitions = new Map<string, DefinitionFact>();
  #losers: readonly Loser[] = [];
  #tell: (changes: readonly Change[]) => void = () => undefined;
  readonly #listeners: (() => void)[] = [];
  /** Namespace that is waited for. */
  #unknown: string | undefined;

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
    const { clock } = options;
    const m = this.membership;
    m.tells = false;
    const pods: Sink<PodFact> = {
      replace: (facts) => this.#say(m.replacePods(facts, clock.monotonic())),
      put: (fact) => this.#say(m.putPod(fact, clock.monotonic())),
      remove: (uid) => this.#say(m.removePod(uid)),
    };
    const nodes: Sink<NodeFact> = {
      replace: (facts) => this.#say(m.replaceNodes(facts, clock.monotonic())),
      put: (fact) => this.#say(m.putNode(fact, clock.monotonic())),
      remove: (uid) => this.#say(m.removeNode(uid, clock.monotonic())),
    };
    const namespaces: Sink<NamespaceFact> = {
      replace: (facts) => this.#say(m.replaceNamespaces(facts, clock.monotonic())),
      put: (fact) => {
        this.#say(m.putNamespace(fact, clock.monotonic()));
        if (this.#unknown !== undefined) this.#changed();
      },
      remove: (uid) => m.removeNamespace(uid),
    };
    this.#reflectors = {
      namespaces: this.#reflector(NAMESPACES, namespaceFact, namespaces),
      nodes: this.#reflector(NODES, (object) => this.#node(object), nodes),
      pods: this.#reflector(PODS, (object) => this.#pod(object), pods),
      ...(options.customResources && {
        clusteraddressgroups: this.#reflector(
          CLUSTER_ADDRESS_GROUPS,
          (object) => definitionFact("ClusterAddressGroup", object),
          this.#definitionSink("ClusterAddressGroup"),
          CLUSTER_ADDRESS_GROUPS_CRD,
        ),
        addressgroups: this.#reflector(
          ADDRESS_GROUPS,
          (object) => definitionFact("AddressGroup", object),
          this.#definitionSink("AddressGroup"),
          ADDRESS_GROUPS_CRD,
        ),
      }),
    };
    this.#defineGroups();
  }

  async run(
    minimum: string,
    onChanges: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.#tell = onChanges;
    await Promise.all(Object.values(this.#reflectors).map((reflector) => reflector.run(minimum, signal)));
  }

  follow(): void {
    this.membership.tells = true;
  }

  get fresh(): boolean {
    return Object.values(this.#reflectors).every((reflector) => reflector.fresh);
  }

  /**
   * Pods are listed after their namespace was made, and before it goes: where one is not known, the list of namespaces is
   * older than that of pods, or not what it should be.
   */
  get whole(): boolean {
    if (!this.fresh) return false;
    const namespace = this.membership.unknownNamespace();
    if (namespace !== undefined && namespace !== this.#unknown)
      this.#options.logger.warn({ namespace }, "pods are listed whose namespace is not: waiting for it");
    this.#unknown = namespace;
    return namespace === undefined;
  }

  /** Resources that are not fresh, for people. */
  stale(): string[] {
    return Object.entries(this.#reflectors)
      .filter(([, reflector]) => !reflector.fresh)
      .map(([name]) => name);
  }

  /** How each resource is followed, for metrics: lists and watches since the start. */
  following(): { resource: string; fresh: boolean; listed: number; lists: number; watches: number }[] {
    return Object.entries(this.#reflectors).map(([resource, { fresh, listed, lists, watches }]) => ({
      resource,
      fresh,
      listed,
      lists,
      watches,
    }));
  }

  onChange(run: () => void): void {
    this.#listeners.push(run);
  }

  listed(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.#reflectors).map(([name, reflector]) => [name, reflector.listed]),
    );
  }

  resourceVersion(): string {
    return newest(Object.values(this.#reflectors).map((reflector) => reflector.resourceVersion));
  }

  tick(): readonly Change[] {
    return this.membership.tick(this.#options.clock.monotonic());
  }

  nextDeadline(): number | undefined {
    return this.membership.nextDeadline();
  }

  members() {
    return this.membership.members();
  }

  member(group: string, address: string) {
    return this.membership.member(group, address);
  }

  groups(): readonly string[] {
    return this.membership.groups();
  }

  endOf(group: string, owner: Owner, address: string): RemoveCause | undefined {
    return this.membership.endOf(group, owner, address, this.#options.clock.monotonic());
  }

  holders(address: string): readonly string[] {
    return this.membership.holders(address);
  }

  recall(group: string, address: string, owners: readonly Owner[], cause: RemoveCause): void {
    this.membership.recall(group, address, owners, cause, this.#options.clock.monotonic());
  }

  miss(group: string, address: string, owner: Owner): void {
    this.membership.miss(group, address, owner, this.#options.clock.monotonic());
  }

  /** Every custom resource as it was read, with what it lost against, for the status writer. */
  definitions(): { fact: DefinitionFact; loser: Loser | undefined }[] {
    const losers = new Map(this.#losers.map((loser) => [loser.definition.source.uid, loser]));
    return [...this.#definitions.values()].map((fact) => ({ fact, loser: losers.get(fact.uid) }));
  }

  /** A status we wrote ourselves comes back as a change of the resource: remembered, nothing to do. */
  #definitionSink(kind: DefinitionFact["kind"]): Sink<DefinitionFact> {
    return {
      replace: (facts) => {
        for (const [uid, fact] of this.#definitions) if (fact.kind === kind) this.#definitions.delete(uid);
        for (const fact of facts) this.#definitions.set(fact.uid, fact);
        this.#defineGroups();
      },
      put: (fact) => {
        const before = this.#definitions.get(fact.uid);
        this.#definitions.set(fact.uid, fact);
        if (before?.generation !== fact.generation) this.#defineGroups();
      },
      remove: (uid) => {
        this.#definitions.delete(uid);
        this.#defineGroups();
      },
    };
  }

  #defineGroups(): void {
    const usable = [...this.#definitions.values()].flatMap(({ definition }) => definition ?? []);
    const { accepted, losers } = resolveConflicts([...this.#options.staticGroups, ...usable]);
    this.#losers = losers;
    this.#say(this.membership.setGroups(accepted, this.#options.clock.monotonic()));
    this.#changed();
  }

  #pod(object: unknown): PodFact {
    const { fact, rejected } = podFact(object);
    this.#reject(rejected, { namespace: fact.namespace, pod: fact.name });
    return fact;
  }

  #node(object: unknown): NodeFact {
    const { fact, rejected } = nodeReading(object);
    this.#reject(rejected, { node: fact.name });
    return fact;
  }

  #reject(addresses: readonly string[], whose: object): void {
    for (const address of addresses) {
      this.#options.onRejectedAddress();
      this.#options.logger.warn({ ...whose, address }, "an address that no firewall could see is left out");
    }
  }

  #changed(): void {
    for (const run of this.#listeners) run();
  }

  #say(changes: readonly Change[]): void {
    if (changes.length > 0) this.#tell(changes);
  }

  #reflector<Fact extends { readonly uid: string }>(
    path: string,
    extract: (object: unknown) => Fact,
    sink: Sink<Fact>,
    crd?: string,
  ): Reflector<never> {
    const { transport, clock, random, logger, onError } = this.#options;
    const resource = path.split("/").at(-1) ?? path;
    const reflector = new Reflector<Fact>({
      transport,
      path,
      extract,
      uidOf: (fact) => fact.uid,
      sink,
      clock,
      random,
      onError: (kind, message) => {
        onError(resource, kind, message);
        logger.warn({ resource, kind }, message);
      },
      onChange: () => this.#changed(),
      ...(crd !== undefined && {
        confirm: (signal: AbortSignal) => requireEstablished(transport, crd, signal),
      }),
    });
    return reflector as unknown as Reflector<never>;
  }
}
