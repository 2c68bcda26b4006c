import { ended } from "./counting.ts";
import type { Holding } from "./holdings.ts";
import type { PodEntry } from "./pod-entry.ts";
import { each } from "./several.ts";

/** The other namespaces whose pods run on the nodes of a group. */
export function sharedNamespaces(held: Iterable<Holding>, pods: Iterable<PodEntry>, now: number): string[] {
  const nodes = new Set<string>();
  const own = new Set<string>();
  for (const { owners } of held) {
    for (const { fact } of each(owners)) {
      nodes.add(fact.nodeName);
      own.add(fact.namespace);
    }
  }
  const others = new Set<string>();
  for (const { fact, ending } of pods) {
    if (nodes.has(fact.nodeName) && !own.has(fact.namespace) && ended(fact, ending, now) === undefined)
      others.add(fact.namespace);
  }
  return [...others].toSorted();
}
