import type { Owner, RemoveCause } from "@podgate/shared/contract/event";
import type { Change } from "../../src/membership/change.ts";
import type { Member } from "../../src/publish/difference.ts";
import type { SessionSource } from "../../src/publish/session.ts";

/** The truth of one cluster: what every watcher's source lists and then is told. */
export class Cluster {
  readonly uid: string;
  groups = ["web", "batch"];
  readonly members = new Map<string, Member>();
  /** Of pods that are listed. */
  lacksNamespaces = false;
  /** uids of pods that run with their address, in no group. */
  readonly unselected = new Set<string>();
  readonly sources = new Set<Source>();
  version = 100;
  /** Sources that start while it is true stay without a list. */
  silent = false;

  constructor(uid = "uid-1") {
    this.uid = uid;
  }

  join(group: string, address: string, ...names: string[]): void {
    const owners = (names.length === 0 ? [`pod-${address}`] : names).map(pod);
    this.version += 1;
    const member = {
      group,
      address,
      owners,
      ownerCount: owners.length,
      resourceVersion: String(this.version),
    };
    this.members.set(`${group} ${address}`, member);
    this.#tell({ ...member, op: "add" });
  }

  leave(group: string, address: string, cause: RemoveCause = "ended"): void {
    const member = this.members.get(`${group} ${address}`);
    if (member === undefined) throw new Error(`${address} is not in ${group}`);
    this.members.delete(`${group} ${address}`);
    this.version += 1;
    this.#tell({ ...member, op: "remove", cause, resourceVersion: String(this.version) });
  }

  define(groups: string[]): void {
    this.groups = groups;
    for (const source of this.sources) source.changed();
  }

  /** Every watch breaks, or lives again. */
  blind(blind: boolean): void {
    this.silent = blind;
    for (const source of this.sources) source.see(!blind);
  }

  keys(): string[] {
    return [...this.members.keys()].toSorted();
  }

  #tell(change: Change): void {
    for (const source of this.sources) source.tell([change]);
  }
}

const pod = (name: string): Owner => ({ kind: "Pod", namespace: "shop", name, uid: `uid-${name}` });

/** One watcher's view of it. */
export class Source implements SessionSource {
  readonly #cluster: Cluster;
  #onChanges: (changes: readonly Change[]) => void = () => undefined;
  #onChange: () => void = () => undefined;
  #fresh = false;
  #followed = false;
  minimum: string | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async run(
    minimum: string,
    onChanges: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.minimum = minimum;
    this.#onChanges = onChanges;
    this.#cluster.sources.add(this);
    this.see(!this.#cluster.silent);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    this.#cluster.sources.delete(this);
  }

  see(fresh: boolean): void {
    this.#fresh = fresh;
    this.#onChange();
  }

  follow(): void {
    this.#followed = true;
  }

  tell(changes: readonly Change[]): void {
    if (this.#followed) this.#onChanges(changes);
  }

  changed(): void {
    this.#onChange();
  }

  onChange(run: () => void): void {
    this.#onChange = run;
  }

  tick = (): readonly Change[] => [];
  nextDeadline = (): undefined => undefined;
  get fresh(): boolean {
    return this.#fresh;
  }
  listed = (): Record<string, number> => ({
    pods: this.#cluster.members.size + this.#cluster.unselected.size,
  });
  get whole(): boolean {
    return this.#fresh && !this.#cluster.lacksNamespaces;
  }
  resourceVersion = (): string => (this.#fresh ? String(this.#cluster.version) : "");
  members = (): Iterable<Member> => this.#cluster.members.values();
  member = (group: string, address: string): Member | undefined =>
    this.#cluster.members.get(`${group} ${address}`);
  groups = (): readonly string[] => this.#cluster.groups;
  endOf = (_group: string, { uid }: Owner): RemoveCause | undefined =>
    this.#lists(uid) || this.#cluster.unselected.has(uid) ? undefined : "vanished";
  holders = (): readonly string[] => [];
  recall = (): void => undefined;
  miss = (): void => undefined;

  #lists(uid: string): boolean {
    return [...this.#cluster.members.values()].some(({ owners }) =>
      owners.some((owner) => owner.uid === uid),
    );
  }
}
