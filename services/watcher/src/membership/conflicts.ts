import type { GroupDefinition } from "./group-definition.ts";

export interface Loser {
  readonly definition: GroupDefinition;
  readonly winner: GroupDefinition;
}

/** The firewall group a definition claims by default: `namespace/name` becomes `namespace.name` there. */
export const claimOf = (group: string): string => group.replace("/", ".");

/**
 * Two definitions in one cluster may not claim one firewall group: the older wins; of equal age the one whose
 * kind, namespace and name come first. The loser is told in its status and touches nothing.
 */
export function resolveConflicts(definitions: readonly GroupDefinition[]): {
  accepted: GroupDefinition[];
  losers: Loser[];
} {
  const winners = new Map<string, GroupDefinition>();
  const losers: Loser[] = [];
  for (const definition of [...definitions].toSorted(byAge)) {
    const claim = claimOf(definition.group);
    const winner = winners.get(claim);
    if (winner === undefined) winners.set(claim, definition);
    else losers.push({ definition, winner });
  }
  return { accepted: [...winners.values()], losers };
}

function byAge(a: GroupDefinition, b: GroupDefinition): number {
  return a.source.createdAt - b.source.createdAt || compare(identity(a), identity(b));
}

const identity = ({ source }: GroupDefinition): string =>
  `${source.kind}/${source.namespace ?? ""}/${source.name}`;
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
