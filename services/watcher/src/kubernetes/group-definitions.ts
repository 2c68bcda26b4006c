import { FIREWALL_NAME } from "@podgate/shared/contract/names";
import { object, text, type Json } from "../facts/json.ts";
import type { GroupDefinition, LabelSelector } from "../membership/group-definition.ts";
import { selectorFaults } from "../membership/selector.ts";

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
  const group = own ? `${source.namespace ?? ""}/${source.name}` : text(spec["groupName"]) || source.name;
  const faults = [
    ...selectorFaults(spec["podSelector"], "spec.podSelector"),
    ...(own ? [] : selectorFaults(spec["namespaceSelector"], "spec.namespaceSelector")),
    ...choiceFaults(spec["addresses"], "spec.addresses", ["Pod", "Node"]),
    ...choiceFaults(spec["nodeAddressType"], "spec.nodeAddressType", ["InternalIP", "ExternalIP"]),
  ];
  const claim = group.replace("/", ".");
  if (!FIREWALL_NAME.test(claim)) {
    faults.push(
      `${own ? "metadata" : "spec.groupName"}: "${claim}" cannot be a FortiOS group name (at most 79 of A-Z, a-z, 0-9, . _ : + = @ - and space); choose another name`,
    );
  }
  if (faults.length > 0) return { definition: undefined, faults };
  const namespaceSelector = spec["namespaceSelector"] as LabelSelector | undefined;
  const definition: GroupDefinition = {
    group,
    source,
    addresses: spec["addresses"] === "Node" ? "node" : "pod",
    nodeAddressType: spec["nodeAddressType"] === "ExternalIP" ? "ExternalIP" : "InternalIP",
    podSelector: object(spec["podSelector"]) as LabelSelector,
    ...(!own && namespaceSelector !== undefined && { namespaceSelector }),
    ...(own && { onlyNamespace: source.namespace ?? "" }),
  };
  return { definition, faults };
}

function choiceFaults(value: unknown, path: string, choices: readonly string[]): string[] {
  if (value === undefined || choices.includes(String(value))) return [];
  return [`${path}: "${String(value)}" must be one of ${choices.join(", ")}`];
}
