import { ended, notCounting, ownAddresses, type NotCounting } from "./counting.ts";
import type { GroupDefinition } from "./group-definition.ts";
import type { Inventory } from "./inventory.ts";
import type { PodEntry } from "./pod-entry.ts";
import { matches } from "./selector.ts";

/** What keeps a pod from giving a group an address. */
type Obstacle =
  | NotCounting
  | "other namespace"
  | "unknown namespace"
  | "namespace labels"
  | "pod labels"
  | "not scheduled"
  | "no node address";

/** Why a pod gives a group no address; undefined if it gives at least one. */
function obstacle(
  entry: PodEntry,
  definition: GroupDefinition,
  inventory: Inventory,
  now: number,
): Obstacle | undefined {
  const { fact, ending } = entry;
  const { onlyNamespace, namespaceSelector, podSelector } = definition;
  if (onlyNamespace !== undefined && fact.namespace !== onlyNamespace) return "other namespace";
  if (!matches(podSelector, fact.labels)) return "pod labels";
  if (namespaceSelector !== undefined) {
    const namespace = inventory.namespaces.get(fact.namespace);
    if (namespace === undefined) return "unknown namespace";
    if (!matches(namespaceSelector, namespace.labels)) return "namespace labels";
  }
  if (definition.addresses === "pod") return notCounting(fact, ending, now);
  const over = ended(fact, ending, now);
  if (over !== undefined) return over;
  if (fact.nodeName === "") return "not scheduled";
  return nodeAddresses(entry, definition, inventory).length === 0 ? "no node address" : undefined;
}

/** The addresses a pod gives a group now. */
export function wanted(
  entry: PodEntry,
  definition: GroupDefinition,
  inventory: Inventory,
  now: number,
): readonly string[] {
  if (obstacle(entry, definition, inventory, now) !== undefined) return NONE;
  return definition.addresses === "node"
    ? nodeAddresses(entry, definition, inventory)
    : ownAddresses(entry.fact, entry.ending);
}

/** Of the node a pod runs on, of the type the group asks for. */
export function nodeAddresses(
  { fact }: PodEntry,
  { nodeAddressType }: GroupDefinition,
  { nodes }: Inventory,
): readonly string[] {
  const node = nodes.get(fact.nodeName);
  return (nodeAddressType === "InternalIP" ? node?.internal : node?.external) ?? NONE;
}

export interface Explanation {
  readonly group: string;
  readonly member: boolean;
  readonly reason: string;
}

/** Why a pod is in a group, or is not, for people. */
export function explanation(
  entry: PodEntry,
  definition: GroupDefinition,
  inventory: Inventory,
  now: number,
): Explanation {
  const { group } = definition;
  const why = obstacle(entry, definition, inventory, now);
  if (why !== undefined) return { group, member: false, reason: WORDS[why](entry, definition) };
  return {
    group,
    member: true,
    reason: `member with ${wanted(entry, definition, inventory, now).join(", ")}`,
  };
}

const WORDS: Readonly<Record<Obstacle, (entry: PodEntry, definition: GroupDefinition) => string>> = {
  "other namespace": (_, { onlyNamespace = "" }) => `the group selects in namespace ${onlyNamespace} only`,
  "unknown namespace": ({ fact }) => `namespace ${fact.namespace} is not known yet`,
  "namespace labels": ({ fact }) =>
    `namespaceSelector does not match the labels of namespace ${fact.namespace}`,
  "pod labels": () => "podSelector does not match the pod's labels",
  "not scheduled": () => "the pod is not scheduled to a node yet",
  "no node address": ({ fact }, { nodeAddressType }) => `node ${fact.nodeName} has no ${nodeAddressType}`,
  finished: () => "the pod has finished (phase Succeeded or Failed)",
  terminated: () => "the pod is being deleted, and its containers have stopped",
  released: () => "the pod is being deleted, and its network plugin has freed the address",
  overdue: () => "the pod is being deleted, and its grace period and a margin are over",
  "host network": () => "the pod uses the host network: its address is its node's",
  "no address": () => "the pod has no address yet",
  reused: () => "the pod is being deleted, and another pod runs with its address",
};

const NONE: readonly string[] = [];
