import type { ClusterFold } from "./fold.ts";
import type { GroupPolicy } from "./policy.ts";
import type { Ranges, Sieved } from "./ranges.ts";
import type { Member, Removal } from "./session.ts";
import type { FoldedGroup, HeldRemoval } from "./standing.ts";

/** One address group of one cluster, as one target should hold it. A live view: it changes with its fold. */
export interface DesiredSource {
  /** `sourceKey(cluster, group)` */
  readonly key: string;
  readonly cluster: string;
  readonly group: string;
  /** The user's group on the firewall. */
  readonly parent: string;
  /** The members it may have there. */
  readonly members: ReadonlyMap<string, Member>;
  /** Members the configuration forbids (outside the cluster's ranges), and why. */
  readonly refused: ReadonlyMap<string, string>;
  /** Evidence that an address left: removals that were believed. */
  readonly removals: ReadonlyMap<string, Removal>;
  /** Addresses that vanished from a list that is not believed: they stay, and are members if they were. */
  readonly held: ReadonlyMap<string, HeldRemoval>;
  readonly verified: boolean;
  /** Monotonic milliseconds of the last moment at which it was verified, or of the start; undefined = it is. */
  readonly unverifiedSince: number | undefined;
  readonly policy: GroupPolicy;
  /**
   * Why an address that the firewall holds and nothing on record explains stays; undefined = absence from the
   * verified set is believed, and it goes with the cause `vanished`.
   */
  readonly absencesHeld: string | undefined;
  /** Why an address goes that the firewall holds and nothing on record explains. */
  readonly absenceCause: "vanished" | "adopted";
  readonly defined: "yes" | "no" | "unknown";
}

export const sourceKey = (cluster: string, group: string): string => `${cluster} ${group}`;

const NO_GROUP: FoldedGroup = {
  members: new Map(),
  removals: new Map(),
  held: new Map(),
  version: 0,
  toldAt: 0,
};

export class LiveSource implements DesiredSource {
  readonly key: string;
  readonly group: string;
  readonly parent: string;
  readonly #fold: ClusterFold;
  readonly policy: GroupPolicy;
  readonly #ranges: Ranges;
  #sieved: (Sieved & { readonly of: FoldedGroup; readonly version: number }) | undefined;

  constructor(fold: ClusterFold, group: string, parent: string, ranges: Ranges, policy: GroupPolicy) {
    this.key = sourceKey(fold.cluster, group);
    this.group = group;
    this.parent = parent;
    this.#fold = fold;
    this.#ranges = ranges;
    this.policy = policy;
  }

  get cluster(): string {
    return this.#fold.cluster;
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#sieve().members;
  }

  get refused(): ReadonlyMap<string, string> {
    return this.#sieve().refused;
  }

  get removals(): ReadonlyMap<string, Removal> {
    return this.#folded.removals;
  }

  get held(): ReadonlyMap<string, HeldRemoval> {
    return this.#folded.held;
  }

  get verified(): boolean {
    return this.#fold.verified;
  }

  get unverifiedSince(): number | undefined {
    return this.#fold.unverifiedSince;
  }

  get absencesHeld(): string | undefined {
    return this.#fold.absencesHeld;
  }

  get absenceCause(): "vanished" | "adopted" {
    return this.#fold.absenceCause;
  }

  get defined(): "yes" | "no" | "unknown" {
    return this.#fold.definition(this.group);
  }

  get #folded(): FoldedGroup {
    return this.#fold.groups.get(this.group) ?? NO_GROUP;
  }

  #sieve(): Sieved {
    const folded = this.#folded;
    const { version } = folded;
    if (this.#sieved?.of !== folded || this.#sieved.version !== version)
      this.#sieved = { ...this.#ranges.sieve(folded), of: folded, version };
    return this.#sieved;
  }
}
