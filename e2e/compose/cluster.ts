import { join } from "node:path";
import { fakeNodes } from "../stack/fake-nodes.ts";
import { KubernetesClient, KubernetesError, type KubernetesObject } from "../stack/kubernetes-client.ts";
import { grantWatcherAccess } from "../stack/watcher-access.ts";
import { API_SERVER, CLUSTER, NODE_NETWORK, POD_CIDR } from "./files.ts";
import type { Keys } from "./keys.ts";

const TOKEN_SECONDS = 365 * 86_400;
const NAMESPACE = "shop";
const LEASE = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: "kube-node-lease" };

/** Nodes, what a watcher needs, and something to begin with. What is there stays as it is. */
export async function fillCluster(volumes: string, keys: Keys): Promise<void> {
  const { ca, admin } = keys.kubernetes;
  const client = new KubernetesClient({ server: API_SERVER, ca, cert: admin.certificate, key: admin.key });
  try {
    const nodes = fakeNodes({ count: 2, podCidrs: [POD_CIDR], network: NODE_NETWORK });
    for (const object of nodes) {
      await createOnce(client, object);
      // KWOK would wait until those of its former self are over, and meanwhile take no care of the node.
      const { name } = object.metadata;
      await client.delete({ ...LEASE, name });
    }
    const place = { name: CLUSTER, directory: join(volumes, "watcher"), server: API_SERVER, ca, client };
    await grantWatcherAccess(place, API_SERVER, TOKEN_SECONDS);
    for (const object of beginning()) await createOnce(client, object);
  } finally {
    await client.close();
  }
}

async function createOnce(client: KubernetesClient, object: KubernetesObject): Promise<void> {
  try {
    await client.create(object);
  } catch (error) {
    if (!(error instanceof KubernetesError && error.status === 409)) throw error;
  }
}

/** A Deployment with one pod, and the group that follows it. */
function beginning(): KubernetesObject[] {
  const labels = { app: "web" };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: NAMESPACE },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: "web", image: "registry.example/web" }] },
        },
      },
    },
    {
      apiVersion: "podgate.dev/v1alpha1",
      kind: "ClusterAddressGroup",
      metadata: { name: "web" },
      spec: { podSelector: { matchLabels: labels } },
    },
  ];
}
