import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AddressPool } from "@podgate/kubernetes-simulator/addresses";
import { startSimulator } from "@podgate/kubernetes-simulator/simulator";
import type { PodObject, Sighting } from "../scenarios/judge.ts";
import { makeAuthority } from "../stack/certificates.ts";
import { startControlPlane } from "../stack/control-plane.ts";
import { PodHistory } from "../stack/history.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { grantWatcherAccess } from "../stack/watcher-access.ts";

export const NAMESPACE = "shop";

/** A cluster as the demo acts on it: real (KWOK runs the pods) or simulated. */
export interface DemoCluster {
  readonly name: string;
  /** Every pod as it was seen, from the beginning. */
  readonly sightings: readonly Sighting[];
  /** For the watcher. */
  readonly kubeconfig: string;
  /** For people; undefined where there is nothing that kubectl could talk to. */
  readonly adminKubeconfig: string | undefined;
  defineGroup(name: string, spec: object): Promise<void>;
  /** Brings a Deployment of the namespace `shop` to so many pods; `app: <name>` is their label. */
  scale(name: string, replicas: number): Promise<void>;
  /** Takes the label `app` off one of its pods; the Deployment makes another one. */
  unlabel(name: string): Promise<PodObject>;
  /** Internal addresses of the nodes that host such a pod now. */
  nodesOf(app: string): Promise<string[]>;
  close(): Promise<void>;
}

interface Addressing {
  /** First two numbers of the pods' addresses. */
  readonly pods: string;
  /** First three numbers of the nodes' own. */
  readonly nodes: string;
}

const NODES = 3;

/** Control plane of real parts. */
export async function realCluster(name: string, { pods, nodes }: Addressing): Promise<DemoCluster> {
  const plane = await startControlPlane({
    name,
    nodes: NODES,
    podCidr: `${pods}.0.0/16`,
    nodeNetwork: nodes,
  });
  const { client } = plane;
  const access = await grantWatcherAccess(plane);
  await plane.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  const history = await new PodHistory(client).ready();
  return {
    name,
    sightings: history.sightings,
    kubeconfig: access.kubeconfig,
    adminKubeconfig: plane.kubeconfig,
    defineGroup: async (group, spec) => {
      const apiVersion = "podgate.dev/v1alpha1";
      await plane.apply({ apiVersion, kind: "ClusterAddressGroup", metadata: { name: group }, spec });
    },
    scale: async (app, replicas) => {
      const labels = { app };
      await plane.apply({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: app, namespace: NAMESPACE },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { containers: [{ name: app, image: "registry.example/app" }] },
          },
        },
      });
    },
    unlabel: async (app) => {
      const pod = newest(history.sightings, app);
      const where = { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE, name: pod.metadata.name };
      await client.patch(where, { metadata: { labels: { app: null } } });
      return pod;
    },
    nodesOf: async (app) => {
      const used = new Set(present(history.sightings, app).map((pod) => nodeOf(pod)));
      const all = await client.list<NodeObject>({ apiVersion: "v1", kind: "Node" });
      return all
        .filter((node) => used.has(node.metadata.name))
        .flatMap((node) => node.status.addresses)
        .filter(({ type }) => type === "InternalIP")
        .map(({ address }) => address)
        .toSorted();
    },
    close: async () => {
      await history.stop();
      await plane.close();
    },
  };
}

/** The embedded stand-in, where no control plane is at hand. */
export async function simulatedCluster(name: string, { pods, nodes }: Addressing): Promise<DemoCluster> {
  const [directory, remove] = temporaryDirectory(`kubernetes-${name}`);
  const authority = await makeAuthority(`podgate-demo ${name}`);
  const pair = await authority.issue({ commonName: "kube-apiserver", hosts: ["127.0.0.1"] });
  const simulator = await startSimulator({
    tls: { ...pair, ca: authority.certificate },
    addresses: new AddressPool(`${pods}.0.1`, 60_000),
  });
  const { cluster, workloads, api } = simulator;
  const kubeconfig = join(directory, "kubeconfig");
  writeFileSync(kubeconfig, simulator.kubeconfig(), { mode: 0o600 });
  const nodeAddress = (node: string): string => `${nodes}.${node.replace("node-", "")}`;
  for (let n = 1; n <= NODES; n += 1) {
    cluster.createNode(`node-${String(n)}`, { internal: [nodeAddress(`node-${String(n)}`)] });
  }
  cluster.createNamespace(NAMESPACE);
  const sightings: Sighting[] = [];
  const made = new Map<string, number>();
  const scale = (app: string, replicas: number): void => {
    made.set(app, replicas);
    workloads.scale(NAMESPACE, app, { app }, replicas);
  };
  api.store.subscribe(({ at, type, resource, item }) => {
    if (resource !== "pods") return;
    sightings.push({ at, type, object: JSON.parse(item.json(true)) as PodObject });
  });
  return {
    name,
    sightings,
    kubeconfig,
    adminKubeconfig: undefined,
    defineGroup: async (group, spec) => cluster.applyGroup("", group, spec as Record<string, unknown>),
    scale: async (app, replicas) => scale(app, replicas),
    unlabel: async (app) => {
      const pod = newest(sightings, app);
      cluster.changePod(NAMESPACE, pod.metadata.name, { labels: {} });
      // Its Deployment does not count pods by their labels.
      scale(app, (made.get(app) ?? 0) + 1);
      return pod;
    },
    nodesOf: async (app) =>
      [...new Set(present(sightings, app).map((pod) => nodeAddress(nodeOf(pod))))].toSorted(),
    close: async () => {
      await simulator.close();
      remove();
    },
  };
}

/** Pods that run with the label now, oldest first. */
export function present(sightings: readonly Sighting[], app: string): PodObject[] {
  const pods = new Map<string, PodObject>();
  for (const { type, object } of sightings) {
    if (type === "DELETED") pods.delete(object.metadata.uid);
    else pods.set(object.metadata.uid, object);
  }
  return [...pods.values()].filter(
    ({ metadata, status }) =>
      metadata.labels?.["app"] === app &&
      metadata.deletionTimestamp === undefined &&
      (status?.podIPs ?? []).length > 0,
  );
}

function newest(sightings: readonly Sighting[], app: string): PodObject {
  const pod = present(sightings, app).at(-1);
  if (pod === undefined) throw new Error(`no pod of ${app} runs`);
  return pod;
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
}

/** The judge does not need it, so its type of a pod does not have it. */
const nodeOf = (pod: PodObject): string =>
  (pod.spec as { readonly nodeName?: string } | undefined)?.nodeName ?? "";
