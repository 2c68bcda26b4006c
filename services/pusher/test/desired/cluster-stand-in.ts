import { Digest } from "@podgate/shared/contract/digest";
import { buildEvent, type Message, type RemoveCause } from "@podgate/shared/contract/event";
import { buildState, type Phase } from "@podgate/shared/contract/state";
import { ClusterFold, type FoldInput, type FoldOptions } from "../../src/desired/fold.ts";

type Delivered = Extract<FoldInput, { kind: "message" }>;

/**
 * A cluster's watcher and its stream in one: keeps the members it published, the last message per subject, and hands
 * out what a reader of the bus would get.
 */
export class ClusterStandIn {
  readonly name: string;
  uid: string;
  created = "2026-01-01T00:00:00Z";
  /** Groups that are defined. */
  readonly groups = new Map<string, Set<string>>();
  /** Objects in its lists. */
  listed: Record<string, number> = { pods: 100, nodes: 3 };
  epoch = 1;
  sequence = 0;
  /** Milliseconds since 1970; rises with each event. */
  wall = 1_000_000;
  #digest = new Digest();
  readonly #stream = new Map<string, Delivered>();

  constructor(name: string, uid = `uid-of-${name}`) {
    this.name = name;
    this.uid = uid;
  }

  define(...groups: string[]): this {
    for (const group of groups) if (!this.groups.has(group)) this.groups.set(group, new Set());
    return this;
  }

  get members(): number {
    return [...this.groups.values()].reduce((sum, members) => sum + members.size, 0);
  }

  add(group: string, address: string): FoldInput {
    const members = this.groups.get(group) ?? new Set();
    this.groups.set(group, members);
    if (!members.has(address)) this.#digest.add(group, address);
    members.add(address);
    return this.store(buildEvent({ ...this.#event(group, address), op: "add" }));
  }

  remove(group: string, address: string, cause: RemoveCause = "ended"): FoldInput {
    if (this.groups.get(group)?.delete(address) === true) this.#digest.remove(group, address);
    return this.store(buildEvent({ ...this.#event(group, address), op: "remove", cause }));
  }

  /** The definition goes, and its members with it. */
  undefine(group: string): FoldInput[] {
    const inputs = [...(this.groups.get(group) ?? [])].map((address) =>
      this.remove(group, address, "undefined"),
    );
    this.groups.delete(group);
    return inputs;
  }

  /** Loses members from the stream without a word, as an expired tombstone or an older store does. */
  lose(group: string, address: string): void {
    if (this.groups.get(group)?.delete(address) === true) this.#digest.remove(group, address);
    const { subject } = buildEvent({ ...this.#event(group, address), op: "add" });
    this.#stream.delete(subject);
  }

  /** What a copy of the stream's volume holds; returns how it is put back. */
  copy(): () => void {
    const { sequence } = this;
    const stream = new Map(this.#stream);
    const groups = [...this.groups].map(([name, members]) => [name, [...members]] as const);
    return () => {
      this.sequence = sequence;
      this.#stream.clear();
      for (const [subject, message] of stream) this.#stream.set(subject, message);
      this.groups.clear();
      this.#digest = new Digest();
      for (const [name, members] of groups) {
        this.groups.set(name, new Set(members));
        for (const address of members) this.#digest.add(name, address);
      }
    };
  }

  state(phase: Phase = "synced", changes: { members?: number; digest?: string } = {}): FoldInput {
    return this.store(
      buildState({
        v: 1,
        cluster: this.name,
        clusterUid: this.uid,
        epoch: { created: this.created, sequence: this.epoch },
        phase,
        listed: this.listed,
        resourceVersion: "1",
        groups: [...this.groups.keys()],
        members: this.members,
        digest: this.#digest.toString(),
        watcherVersion: "test",
        observedAt: this.wall,
        ...changes,
      }),
    );
  }

  store({ subject, data }: Message): FoldInput {
    this.sequence += 1;
    const message = { kind: "message", subject, data, sequence: this.sequence, replayed: false } as const;
    this.#stream.set(subject, message);
    return message;
  }

  /** What a new reader gets first. */
  session(): FoldInput[] {
    return [
      { kind: "session", created: this.created, lastSequence: this.sequence },
      ...[...this.#stream.values()]
        .toSorted((a, b) => a.sequence - b.sequence)
        .map((message) => ({
          kind: message.kind,
          subject: message.subject,
          data: message.data,
          sequence: message.sequence,
          replayed: true,
        })),
      { kind: "caught-up" },
    ];
  }

  fold(options: Partial<FoldOptions> = {}): ClusterFold {
    return new ClusterFold({ cluster: this.name, silentMs: 10_000, ...options });
  }

  #event(group: string, address: string) {
    this.wall += 1;
    return {
      v: 1 as const,
      cluster: this.name,
      group,
      address,
      owners: [{ kind: "Pod" as const, namespace: "shop", name: `pod-${address}`, uid: address }],
      ownerCount: 1,
      epoch: { created: this.created, sequence: this.epoch },
      resourceVersion: "1",
      observedAt: this.wall,
    };
  }
}

export function feed(fold: ClusterFold, inputs: readonly FoldInput[], now = 0): void {
  for (const input of inputs) fold.take(input, now);
}

export const membersOf = (fold: ClusterFold, group: string): string[] =>
  [...(fold.groups.get(group)?.members.keys() ?? [])].toSorted();
