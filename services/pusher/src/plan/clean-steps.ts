import type { Family } from "@podgate/shared/contract/address";
import { groupKey, type Actual, type ActualParent, type Step } from "../firewall/firewall.ts";

/** What of a target carries our mark. */
export interface Marked {
  /** By name, those of IPv6 with that word. Users' groups that hold children of ours: they lose them. */
  readonly holders: readonly string[];
  readonly children: readonly string[];
  readonly addresses: readonly string[];
  /** Users' groups that we made, and that hold nothing else. */
  readonly parents: readonly string[];
  /** Those that we made, and that hold members of others: they stay. */
  readonly keptParents: readonly string[];
}

const REASON = "everything that carries our mark is taken off this target";

export function markedOn(actual: Actual): Marked {
  const found = { holders: new Set<string>(), children: new Set<string>(), addresses: new Set<string>() };
  const parents = new Set<string>();
  for (const step of cleanSteps(actual)) {
    if (step.kind === "detach-child") found.holders.add(named(step.parent, step.family));
    else if (step.kind === "delete-child") found.children.add(named(step.child, step.family));
    else if (step.kind === "delete-address") found.addresses.add(step.name);
    else if (step.kind === "delete-parent") parents.add(named(step.parent, step.family));
  }
  const made = [...actual.parents.values()].filter(({ ours }) => ours);
  const kept = made.map(({ name, family }) => named(name, family)).filter((name) => !parents.has(name));
  return {
    holders: [...found.holders].toSorted(),
    children: [...found.children].toSorted(),
    addresses: [...found.addresses].toSorted(),
    parents: [...parents].toSorted(),
    keptParents: kept.toSorted(),
  };
}

/** What a clean target has none of. */
export const remainsOf = ({ children, addresses, parents }: Marked): string[] => [
  ...children,
  ...addresses,
  ...parents,
];

/** Groups of both families may have one name. */
const named = (name: string, family: Family): string => (family === 6 ? `${name} (IPv6)` : name);

/**
 * In an order in which nothing is deleted that is used: children out of the groups that hold them (from then on no
 * policy sees their addresses), children, addresses, and groups that we made. Whatever is not ours is left alone.
 */
export function cleanSteps(actual: Actual): Step[] {
  const children = [...actual.children.values()].filter(({ standing }) => standing === "ours");
  const ours = new Set(children.map(({ family, name }) => groupKey(family, name)));
  const parents = [...actual.parents.values()];
  const isOur = (parent: ActualParent, member: string): boolean => ours.has(groupKey(parent.family, member));
  return [
    ...parents.flatMap((parent): Step[] =>
      [...parent.members]
        .filter((member) => isOur(parent, member))
        .map((child) => ({
          kind: "detach-child",
          parent: parent.name,
          family: parent.family,
          child,
          reason: REASON,
        })),
    ),
    ...children.map(({ name, family }): Step => ({
      kind: "delete-child",
      child: name,
      family,
      reason: REASON,
    })),
    ...[...actual.addresses.values()]
      .filter(({ standing }) => standing === "ours" || standing === "drifted")
      .map(({ name, address }): Step => ({ kind: "delete-address", name, address, reason: REASON })),
    ...parents
      .filter((parent) => parent.ours && [...parent.members].every((member) => isOur(parent, member)))
      .map(({ name, family }): Step => ({ kind: "delete-parent", parent: name, family, reason: REASON })),
  ];
}
