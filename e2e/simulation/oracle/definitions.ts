import type { ApiServer } from "@podgate/kubernetes-simulator/api-server";
import { customResources } from "@podgate/kubernetes-simulator/custom-resources";

export type Labels = Readonly<Record<string, string>>;

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Selector {
  readonly matchLabels?: Labels | null;
  readonly matchExpressions?: readonly Requirement[] | null;
}

/** A group as a user defined it in the cluster. */
export interface Definition {
  /** Its name on a firewall unless a route says otherwise. */
  readonly group: string;
  /** Empty = of the whole cluster. */
  readonly namespace: string;
  readonly source: "Pod" | "Node";
  readonly nodeAddressType: "InternalIP" | "ExternalIP";
  readonly podSelector: Selector;
  readonly namespaceSelector: Selector | undefined;
}

interface Resource {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly creationTimestamp: string;
  };
  readonly spec: {
    readonly groupName?: string;
    readonly addresses?: "Pod" | "Node";
    readonly nodeAddressType?: "InternalIP" | "ExternalIP";
    readonly podSelector?: Selector;
    readonly namespaceSelector?: Selector;
  };
}

/** Every definition that counts: of two that name one group the older one, then the one that comes first. */
export function definitionsOf(api: ApiServer): Definition[] {
  const winners = new Map<string, { readonly rank: string; readonly definition: Definition }>();
  for (const resource of customResources(api.store)) {
    for (const item of api.store.list(resource)) {
      const { metadata, spec } = JSON.parse(item.json(true)) as Resource;
      const { name, namespace = "", creationTimestamp } = metadata;
      if (spec.podSelector === undefined) continue;
      const isOwn = resource.kind === "AddressGroup";
      const group = isOwn ? `${namespace}.${name}` : (spec.groupName ?? name);
      const rank = `${creationTimestamp} ${resource.kind}/${namespace}/${name}`;
      const before = winners.get(group);
      if (before !== undefined && before.rank <= rank) continue;
      const definition: Definition = {
        group,
        namespace,
        source: spec.addresses ?? "Pod",
        nodeAddressType: spec.nodeAddressType ?? "InternalIP",
        podSelector: spec.podSelector,
        namespaceSelector: isOwn ? undefined : spec.namespaceSelector,
      };
      winners.set(group, { rank, definition });
    }
  }
  return [...winners.values()].map(({ definition }) => definition);
}

/** @param namespaceLabels undefined = the namespace is not there */
export function selects(
  { namespace, podSelector, namespaceSelector }: Definition,
  pod: { readonly namespace: string; readonly labels: Labels },
  namespaceLabels: Labels | undefined,
): boolean {
  if (namespace !== "" && pod.namespace !== namespace) return false;
  if (!fits(podSelector, pod.labels)) return false;
  return (
    namespaceSelector === undefined ||
    (namespaceLabels !== undefined && fits(namespaceSelector, namespaceLabels))
  );
}

function fits({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      const isThere = value !== undefined;
      if (operator === "Exists") return isThere;
      if (operator === "DoesNotExist") return !isThere;
      const isAmong = isThere && values.includes(value);
      return operator === "In" ? isAmong : !isAmong;
    })
  );
}
