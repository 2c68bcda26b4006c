import { systemClock } from "@podgate/kubernetes-simulator/clock";
import type { ControlPlane } from "../stack/control-plane.ts";
import type { PodSource } from "./pods.ts";

const NAMESPACE = "default";
const WAIT_MS = 20_000;

/**
 * Pods of a real API server that nobody schedules: the bench gives them their address. The clock starts when the
 * request is sent, so it counts the API server's own time, too.
 */
export async function realPods({ client }: ControlPlane): Promise<PodSource> {
  const pod = (name: string) => ({ apiVersion: "v1", kind: "Pod", namespace: NAMESPACE, name });
  const account = { apiVersion: "v1", kind: "ServiceAccount", namespace: NAMESPACE, name: "default" };
  const deadline = performance.now() + WAIT_MS;
  // Until the controller has made it, no pod is admitted.
  while ((await client.get(account).catch(() => undefined)) === undefined) {
    if (performance.now() > deadline) throw new Error("the default service account was not made within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    name: "real kube-apiserver",
    from: "From the request to the API server",
    defineGroup: async (group, matchLabels) => {
      await client.apply({
        apiVersion: "podgate.dev/v1alpha1",
        kind: "ClusterAddressGroup",
        metadata: { name: group },
        spec: { podSelector: { matchLabels } },
      });
    },
    add: async (name, labels, address) => {
      await client.create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { namespace: NAMESPACE, name, labels },
        spec: { schedulerName: "nobody", containers: [{ name: "web", image: "web" }] },
      });
      const started = systemClock.now();
      const status = { phase: "Running", podIP: address, podIPs: [{ ip: address }] };
      await client.patch({ ...pod(name), subresource: "status" }, { status });
      return started;
    },
    remove: async (name) => {
      const started = systemClock.now();
      await client.delete(pod(name), 0);
      return started;
    },
  };
}
