export const PODS = "/api/v1/pods";
export const NODES = "/api/v1/nodes";
export const NAMESPACES = "/api/v1/namespaces";
const GROUP = "/apis/podgate.dev/v1alpha1";
export const CLUSTER_ADDRESS_GROUPS = `${GROUP}/clusteraddressgroups`;
export const ADDRESS_GROUPS = `${GROUP}/addressgroups`;

/** The status subresource of a group definition. */
export function statusPath(
  kind: "ClusterAddressGroup" | "AddressGroup",
  namespace: string | undefined,
  name: string,
): string {
  if (kind === "ClusterAddressGroup") return `${CLUSTER_ADDRESS_GROUPS}/${name}/status`;
  return `${GROUP}/namespaces/${namespace ?? ""}/addressgroups/${name}/status`;
}

export const leasePath = (namespace: string, name?: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases${name === undefined ? "" : `/${name}`}`;

/** CustomResourceDefinitions of the group definitions. */
export const CLUSTER_ADDRESS_GROUPS_CRD = "clusteraddressgroups.podgate.dev";
export const ADDRESS_GROUPS_CRD = "addressgroups.podgate.dev";

export const crdPath = (name: string): string =>
  `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
