import { FIREWALL_NAME, groupName as busName } from "@podgate/shared/contract/names";
import { object, text, type Json } from "../facts/json.ts";
import { claimOf } from "../membership/conflicts.ts";
import type { GroupDefinition } from "../membership/group-definition.ts";
import { quoted, selectorFaults } from "../membership/selector.ts";

/** A group definition of the cluster as it was read: usable, or with everything that is wrong with it. */
export interface DefinitionFact {
  readonly uid: string;
  readonly kind: "ClusterAddressGroup" | "AddressGroup";
  readonly namespace: string | undefined;
  readonly name: string;
  readonly generation: number;
  readonly definition: GroupDefinition | undefined;
  readonly faults: readonly string[];
  /** Its status as it stands in the cluster, to write only what differs. */
  readonly status: Json;
}

export function definitionFact(kind: "ClusterAddressGroup" | "AddressGroup", value: unknown): DefinitionFact {
  const resource = object(value);
  const metadata = object(resource["metadata"]);
  const spec = object(resource["spec"]);
  const uid = text(metadata["uid"]);
  const name = text(metadata["name"]);
  const namespace = kind === "AddressGroup" ? text(metadata["namespace"]) : undefined;
  const generation = typeof metadata["generation"] === "number" ? metadata["generation"] : 0;
  const createdAt = Date.parse(text(metadata["creationTimestamp"])) || 0;
  const source = { kind, name, uid, createdAt, generation, ...(namespace !== undefined && { namespace }) };
  const { definition, faults } = fromSpec(spec, source);
  return { uid, kind, namespace, name, generation, definition, faults, status: object(resource["status"]) };
}

/** A definition from the watcher's own configuration; older than any custom resource. */
export function staticDefinition(spec: Json): {
  definition: GroupDefinition | undefined;
  faults: readonly string[];
} {
  const name = text(spec["name"]);
  return fromSpec(
    { ...spec, groupName: name },
    { kind: "Static", name, uid: `static-${name}`, createdAt: 0, generation: 1 },
  );
}

function fromSpec(
  spec: Json,
  source: GroupDefinition["source"],
): { definition: GroupDefinition | undefined; faults: readonly string[] } {
  const own = source.kind === "AddressGroup";
  const {
    podSelector,
    namespaceSelector,
    groupName,
    addresses = "Pod",
    nodeAddressType = "InternalIP",
  } = spec;
  const group = own ? `${source.namespace ?? ""}/${source.name}` : text(groupName) || source.name;
  const faults = [
    ...(podSelector === undefined ? ["spec.podSelector: is missing; name one, or {} for all pods"] : []),
    ...selectorFaults(podSelector, "spec.podSelector"),
    ...(own ? ownFaults(spec) : selectorFaults(namespaceSelector, "spec.namespaceSelector")),
    ...choiceFaults(addresses, "spec.addresses", ["Pod", "Node"]),
    ...choiceFaults(nodeAddressType, "spec.nodeAddressType", ["InternalIP", "ExternalIP"]),
    ...nameFaults(groupName, group, own),
  ];
  if (faults.length > 0) return { definition: undefined, faults };
  const definition: GroupDefinition = {
    group,
    source,
    addresses: addresses === "Node" ? "node" : "pod",
    nodeAddressType: nodeAddressType === "ExternalIP" ? "ExternalIP" : "InternalIP",
    podSelector: object(podSelector),
    ...(!own && namespaceSelector !== undefined && { namespaceSelector: object(namespaceSelector) }),
    ...(own && { onlyNamespace: source.namespace ?? "" }),
  };
  return { definition, faults };
}

/** The API server drops unknown fields; these two would widen the group if they were read. */
function ownFaults(spec: Json): string[] {
  return ["namespaceSelector", "groupName"]
    .filter((field) => spec[field] !== undefined)
    .map((field) => `spec.${field}: only a ClusterAddressGroup has it; take it out`);
}

function nameFaults(groupName: unknown, group: string, own: boolean): string[] {
  if (!own && groupName !== undefined && typeof groupName !== "string")
    return [`spec.groupName: ${quoted(groupName)} must be a text`];
  // A cluster-wide group with a slash in its name would pass for some namespace's.
  const claim = own ? claimOf(group) : group;
  // What the bus does not take would make the whole cluster's state message unreadable.
  if (FIREWALL_NAME.test(claim) && busName.safeParse(group).success) return [];
  const field = own ? "metadata.name" : "spec.groupName";
  return [
    `${field}: "${claim}" cannot be a FortiOS group name (at most 79 of A-Z, a-z, 0-9, . _ : + = @ - and space); choose another name`,
  ];
}

function choiceFaults(value: unknown, path: string, choices: readonly string[]): string[] {
  if (typeof value === "string" && choices.includes(value)) return [];
  return [`${path}: ${quoted(value)} must be one of ${choices.join(", ")}`];
}
