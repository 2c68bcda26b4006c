import type { Configuration } from "./configuration.ts";
import { ADDRESS_GROUPS_CRD, CLUSTER_ADDRESS_GROUPS_CRD } from "./kubernetes/resources.ts";

/** One thing the watcher does to the API server, as RBAC names it. */
export interface Right {
  readonly group: string;
  /** With its subresource: `addressgroups/status`. */
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly name?: string;
  readonly namespace?: string;
}

const CUSTOM = "podgate.dev";

/** Every right the watcher uses with this configuration; the chart's role files grant exactly these. */
export function rightsOf({ kubernetes, lease }: Configuration): Right[] {
  const { namespace, name } = lease;
  // Listed where the server cannot stream what is there.
  const read = ["list", "watch"];
  const leases = { group: "coordination.k8s.io", resource: "leases", namespace };
  return [
    ...["pods", "nodes"].map((resource): Right => ({ group: "", resource, verbs: read })),
    // One of them is the cluster's identity: the uid of kube-system.
    { group: "", resource: "namespaces", verbs: ["get", ...read] },
    ...(kubernetes.customResources ? customResourceRights(read) : []),
    { ...leases, verbs: ["create"] },
    { ...leases, verbs: ["get", "update"], name },
  ];
}

function customResourceRights(read: readonly string[]): Right[] {
  const kinds = ["clusteraddressgroups", "addressgroups"];
  return [
    ...kinds.map((resource) => ({ group: CUSTOM, resource, verbs: read })),
    ...kinds.map((resource) => ({ group: CUSTOM, resource: `${resource}/status`, verbs: ["patch"] })),
    ...[CLUSTER_ADDRESS_GROUPS_CRD, ADDRESS_GROUPS_CRD].map((name) => ({
      group: "apiextensions.k8s.io",
      resource: "customresourcedefinitions",
      verbs: ["get"],
      name,
    })),
    { group: "", resource: "events", verbs: ["create"] },
  ];
}
