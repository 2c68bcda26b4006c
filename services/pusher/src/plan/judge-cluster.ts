import type { GroupView } from "./guards/candidate.ts";
import type { Guards } from "./guards/guards.ts";
import { sizesOf, viewOf } from "./group-view.ts";
import type { SourcePlan } from "./shards.ts";

/**
 * Lets the guards decide about one cluster. Only groups that something leaves, or that the guards keep something of, are
 * shown to them: a cluster has thousands that nothing happens to.
 *
 * @param strays groups that no source is of
 * @returns keys of the groups of which other removals are kept than before
 */
export function judgeCluster(
  cluster: string,
  guards: Guards,
  plans: ReadonlyMap<string, SourcePlan>,
  strays: readonly GroupView[],
  now: number,
): Set<string> {
  const own = [...plans.values()].filter(({ source }) => source.cluster === cluster);
  const ownStrays = strays.filter((view) => view.cluster === cluster);
  const shown = own.filter(({ leaving, source: { key } }) => leaving.size > 0 || guards.concerns(key));
  const all = {
    has: (key: string) => plans.has(key) || ownStrays.some((view) => view.key === key),
    sizes: () => sizesOf(own, ownStrays),
  };
  return guards.judge(cluster, [...shown.map(viewOf), ...ownStrays], all, now);
}
