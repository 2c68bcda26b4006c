import { z } from "zod";
import { natsSchema } from "@podgate/shared/bus/configuration";
import { clusterName, FIREWALL_NAME } from "@podgate/shared/contract/names";
import { logSection, opsSection } from "@podgate/shared/runtime/sections";

const selector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional().describe("labels with exactly these values"),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string().describe("a label's name"),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).describe("as in Kubernetes"),
        values: z.array(z.string()).optional().describe("for In and NotIn"),
      }),
    )
    .optional()
    .describe("conditions that must all hold, besides matchLabels"),
});

/** A group from the configuration: what a ClusterAddressGroup says, without the custom resource. */
const staticGroupSchema = z.strictObject({
  name: z
    .string()
    .regex(FIREWALL_NAME, "must be a name FortiOS accepts, at most 79 characters")
    .describe("the group's name"),
  addresses: z
    .enum(["Pod", "Node"])
    .default("Pod")
    .describe("pods' own addresses, or those of the nodes that host them"),
  nodeAddressType: z
    .enum(["InternalIP", "ExternalIP"])
    .default("InternalIP")
    .describe("which address of a node"),
  podSelector: selector.describe("labels of the pods; {} = all pods"),
  namespaceSelector: selector.optional().describe("labels of their namespaces; absent = all"),
});

/** Everything a watcher can be told. One watcher (or a pair of replicas) serves one cluster. */
export const configurationSchema = z.strictObject({
  cluster: clusterName.describe(
    "this cluster's unique name; the pusher's configuration knows it by the same",
  ),
  nats: natsSchema.describe("the bus"),
  kubernetes: z
    .strictObject({
      kubeconfigFile: z
        .string()
        .min(1)
        .optional()
        .describe("kubeconfig to use outside a cluster; absent = the pod's service account"),
      context: z.string().min(1).optional().describe("context of the kubeconfig; absent = its current one"),
      customResources: z
        .boolean()
        .default(true)
        .describe("watch ClusterAddressGroup and AddressGroup; false = only `groups`"),
    })
    .prefault({})
    .describe("the cluster's API server"),
  groups: z
    .array(staticGroupSchema)
    .default([])
    .describe("groups defined here instead of by custom resources"),
  lease: z
    .strictObject({
      namespace: z
        .string()
        .min(1)
        .default("podgate")
        .describe("namespace of the Lease by which replicas elect one"),
      name: z.string().min(1).default("podgate-watcher").describe("its name"),
      seconds: z
        .int()
        .min(3)
        .max(300)
        .default(10)
        .describe("after this long without renewal another replica takes over"),
    })
    .prefault({})
    .describe("election of the replica that publishes"),
  heartbeatSeconds: z.number().min(0.2).max(60).default(2).describe("how often a state message is published"),
  ops: opsSection,
  log: logSection,
});

export type Configuration = z.infer<typeof configurationSchema>;
