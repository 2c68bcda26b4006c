import { record, type Item } from "./item.ts";
import { CRDS, type Resource } from "./resource.ts";
import type { Store } from "./store.ts";

/** The resources that the CustomResourceDefinitions in the store define: one for each served version. */
export function customResources(store: Store): Resource[] {
  return store.list(CRDS).flatMap(definedBy);
}

export function definedBy(item: Item): Resource[] {
  const spec = record(record(JSON.parse(item.json(true)))["spec"]);
  const names = record(spec["names"]);
  const versions = Array.isArray(spec["versions"]) ? spec["versions"].map(record) : [];
  return versions
    .filter((version) => version["served"] === true)
    .map((version) => ({
      group: String(spec["group"]),
      version: String(version["name"]),
      plural: String(names["plural"]),
      kind: String(names["kind"]),
      namespaced: spec["scope"] === "Namespaced",
      statusSubresource: record(version["subresources"])["status"] !== undefined,
      conditionalUpdate: true,
      custom: true,
    }));
}

/** A definition without a schema, as far as the simulator reads one. */
export function definition(
  group: string,
  plural: string,
  kind: string,
  scope: "Cluster" | "Namespaced",
  version = "v1alpha1",
): Readonly<Record<string, unknown>> {
  return {
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, subresources: { status: {} } }],
    },
  };
}
