import type { Configuration } from "../configuration.ts";
import type { ClusterFold, FoldChange } from "./fold.ts";
import type { Member, Removal } from "./session.ts";
import type { HeldRemoval } from "./standing.ts";
import { Routing, type ParentNames } from "./routing.ts";

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
  /** Addresses that vanished from a list that is not believed: they stay. */
  readonly held: ReadonlyMap<string, HeldRemoval>;
  readonly verified: boolean;
  /**
   * Why an address that the firewall holds and nothing on record explains stays; undefined = absence from the
   * verified set is believed, and it goes with the cause `vanished`.
   */
  readonly absencesHeld: string | undefined;
  readonly defined: "yes" | "no" | "unknown";
}

/** A configured cluster: is a group that the firewall still holds defined there? */
export interface ClusterStanding {
  readonly verified: boolean;
  /** By the last verified state; undefined before the first. */
  readonly defined: ReadonlySet<string> | undefined;
}

export interface TargetDesired {
  readonly sources: readonly DesiredSource[];
  /** Every configured cluster. */
  readonly clusters: ReadonlyMap<string, ClusterStanding>;
}

export const sourceKey = (cluster: string, group: string): string => `${cluster} ${group}`;

/** What every target should hold, kept from the folds. */
export class Desired {
  /** @param folds one per configured cluster */
  constructor(
    _configuration: Pick<Configuration, "clusters" | "targets" | "routes">,
    _names: ParentNames,
    _folds: ReadonlyMap<string, ClusterFold>,
  ) {
    void Routing;
  }

  /**
   * A fold changed. Returns the keys of the sources to tell the targets' plans of
   * (`plan.desire(desired.target(name), keys, now)`); an empty set = nothing to tell.
   */
  changed(_cluster: string, _change: FoldChange): ReadonlySet<string> | "all" {
    throw new Error("not written yet");
  }

  /** @throws RangeError for a target that is not configured */
  target(_name: string): TargetDesired {
    throw new Error("not written yet");
  }

  /** Groups of a cluster that go nowhere, or not everywhere, and why: for its cluster status. */
  unrouted(_cluster: string): ReadonlyMap<string, string> {
    throw new Error("not written yet");
  }
}
