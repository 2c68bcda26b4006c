import { sourceKey, type DesiredSource } from "../desired/desired.ts";
import type { ChildOrigin } from "../firewall/firewall.ts";
import { judge, type Evidence } from "./evidence.ts";
import type { Cause } from "./plan.ts";
import type { SourcePlans } from "./source-plans.ts";

/** What is on record about an address of a group, to tell how long it took and why. */
export interface Record {
  /** Whose child it is, where its comment does not tell. */
  readonly claimed: ChildOrigin | undefined;
  /** When the watcher saw it join; undefined = not on record. */
  joined(origin: ChildOrigin, address: string): number | undefined;
  left(origin: ChildOrigin, address: string): Evidence;
}

/**
 * @param claimed key of the source that claims the child a step writes
 * @param causeOfOrphan why a group goes that is no source any more
 */
export function recordOf(
  plans: SourcePlans,
  claimed: string | undefined,
  causeOfOrphan: (origin: ChildOrigin) => Cause,
  now: number,
): Record {
  const sourceOf = ({ cluster, group }: ChildOrigin): DesiredSource | undefined =>
    plans.source(sourceKey(cluster, group));
  return {
    claimed: claimed === undefined ? undefined : plans.source(claimed),
    joined: (origin, address) => sourceOf(origin)?.members.get(address)?.observedAt,
    left: (origin, address) => {
      const source = sourceOf(origin);
      if (source === undefined) return { cause: causeOfOrphan(origin), observedAt: undefined };
      const verdict = judge(source, address, now);
      // It joined again while the write was under way, or two shards held it.
      return verdict.kind === "leaves" ? verdict : { cause: "changed", observedAt: undefined };
    },
  };
}
