import { readFileSync } from "node:fs";
import t from "tap";
import type { Access } from "../simulators/kubernetes/test/client.ts";
import { kubernetesContract } from "../simulators/kubernetes/test/contract.ts";
import { startControlPlane } from "../stack/control-plane.ts";
import { until } from "../stack/until.ts";
import { customResources } from "../stack/watcher-access.ts";
import { skipWithout } from "../tools/tool.ts";

t.setTimeout(180_000);

const NEEDS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"] as const;
const WAIT_MS = 20_000;

/** What the simulator promises, asked of a real kube-apiserver. */
kubernetesContract(
  "kube-apiserver",
  async () => {
    const plane = await startControlPlane({ name: "contract", nodes: 0 });
    const { client, server, kubeconfig } = plane;
    await plane.apply(...customResources());
    return {
      access: { url: server, ...credentials(kubeconfig) },
      createNamespace: async (name) => {
        await plane.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
        // Until the controller has made it, no pod is admitted.
        const account = { apiVersion: "v1", kind: "ServiceAccount", namespace: name, name: "default" };
        await until("the account", () => client.get(account).catch(() => undefined), WAIT_MS);
      },
      createPod: async (namespace, name, round) => {
        await client.create({
          apiVersion: "v1",
          kind: "Pod",
          metadata: { namespace, name, labels: { round } },
          spec: { schedulerName: "nobody", containers: [{ name: "web", image: "web" }] },
        });
      },
      relabelPod: async (namespace, name, round) => {
        await client.patch({ ...pods(namespace), name }, { metadata: { labels: { round } } });
      },
      deletePod: async (namespace, name) => {
        await client.delete({ ...pods(namespace), name }, 0);
      },
      compact: () => plane.compact(),
      close: () => plane.close(),
    };
  },
  skipWithout(...NEEDS),
);

const pods = (namespace: string) => ({ apiVersion: "v1", kind: "Pod", namespace });
const pem = (data: string): string => Buffer.from(data, "base64").toString();

/** What the administrator's kubeconfig holds, as PEM. */
function credentials(kubeconfig: string): Omit<Access, "url"> {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
  const [entry] = clusters;
  const [admin] = users;
  if (entry === undefined || admin === undefined)
    throw new Error(`${kubeconfig} names no cluster or no user`);
  return {
    ca: pem(entry.cluster["certificate-authority-data"]),
    cert: pem(admin.user["client-certificate-data"]),
    key: pem(admin.user["client-key-data"]),
  };
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly "certificate-authority-data": string } }[];
  readonly users: readonly {
    readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string };
  }[];
}
