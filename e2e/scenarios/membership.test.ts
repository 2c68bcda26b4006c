import t from "tap";
import { ENDS_AS } from "../stack/fake-nodes.ts";
import { skip, stage, type Scene } from "./scene.ts";

const on = stage(t, { clusters: { a: { podCidr6: "fd00:42::/64", nodes: 3 } } });

t.test(
  "a Deployment goes from 1 to 3 to 1, and the group with it",
  { skip },
  on(async (t, scene) => {
    await groupOfNamespace(scene, "scaling");
    await scene.deployment("scaling", "web");
    await scene.untilEqual("scaling", { count: 1 });
    await scene.scale("scaling", "web", 3);
    await scene.untilEqual("scaling", { count: 3 });
    await scene.scale("scaling", "web", 1);
    await scene.untilEqual("scaling", { count: 1 });
    t.strictSame(scene.judge("scaling").wrong, []);
  }),
);

t.test(
  "a rolling update leaves the new pods' addresses in the group and none of the old",
  { skip },
  on(async (t, scene) => {
    await groupOfNamespace(scene, "rolling");
    await scene.deployment("rolling", "web", { replicas: 4 });
    await scene.untilEqual("rolling", { count: 4 });
    const before = await uids(scene, "rolling");
    await scene.deployment("rolling", "web", { replicas: 4, annotations: { release: "2" } });
    await scene.until("every pod to be replaced", async () => {
      const now = await uids(scene, "rolling");
      return now.length === 4 && !now.some((uid) => before.includes(uid)) ? true : undefined;
    });
    await scene.untilEqual("rolling", { count: 4 });
    t.strictSame(scene.judge("rolling").wrong, []);
  }),
);

t.test(
  "a pod that loses its label leaves the group, and comes back with it",
  { skip },
  on(async (t, scene) => {
    await scene.namespace("labels");
    await scene.group("labels", { pods: { role: "client" } });
    await scene.pod("labels", "one", { role: "client" });
    await scene.pod("labels", "two", { role: "client" });
    const both = await scene.untilEqual("labels", { count: 2 });
    await label(scene, "labels", "one", { role: null });
    const [left] = await scene.untilEqual("labels", { count: 1 });
    t.ok(left !== undefined && both.includes(left));
    await label(scene, "labels", "one", { role: "client" });
    t.strictSame(await scene.untilEqual("labels", { count: 2 }), both);
    t.strictSame(scene.judge("labels").wrong, []);
  }),
);

t.test(
  "a namespace that is relabelled takes its pods out of the group, and brings them back",
  { skip },
  on(async (t, scene) => {
    await scene.namespace("relabelled", { labels: { team: "red" } });
    await scene.namespace("always", { labels: { team: "red" } });
    await scene.group("team-red", { pods: {}, namespaces: { team: "red" } });
    await scene.deployment("relabelled", "web", { replicas: 2 });
    await scene.deployment("always", "web");
    const all = await scene.untilEqual("team-red", { count: 3 });
    await scene.namespace("relabelled", { labels: { team: "blue" } });
    await scene.untilEqual("team-red", { count: 1 });
    await scene.namespace("relabelled", { labels: { team: "red" } });
    t.strictSame(await scene.untilEqual("team-red", { count: 3 }), all);
    t.strictSame(scene.judge("team-red").wrong, []);
  }),
);

t.test(
  "a pod that has ended is in no group, though it is still there and keeps its address",
  { skip },
  on(async (t, scene) => {
    await groupOfNamespace(scene, "ending");
    for (const name of ["works", "succeeds", "fails"]) await scene.pod("ending", name, {});
    await scene.untilEqual("ending", { count: 3 });
    await annotate(scene, "ending", "succeeds", { [ENDS_AS]: "Succeeded" });
    await annotate(scene, "ending", "fails", { [ENDS_AS]: "Failed" });
    await scene.untilEqual("ending", { count: 1 });
    const pods = await scene.pods("ending");
    t.equal(pods.filter(({ status }) => (status as { podIP?: string }).podIP).length, 3);
    t.strictSame(scene.judge("ending").wrong, []);
  }),
);

t.test(
  "a group of nodes holds the nodes that host its pods, each as long as one of them is there, and says who else is",
  { skip },
  on(async (t, scene) => {
    for (const name of ["edge", "core"]) {
      await scene.namespace(name);
      await scene.group(`nodes-of-${name}`, { pods: { from: name }, addresses: "Node" });
    }
    await scene.pod("edge", "one", { from: "edge" }, { node: "node-1" });
    await scene.pod("edge", "two", { from: "edge" }, { node: "node-1" });
    await scene.pod("core", "one", { from: "core" }, { node: "node-1" });
    await scene.pod("core", "two", { from: "core" }, { node: "node-2" });
    t.strictSame(await scene.untilEqual("nodes-of-edge", { count: 1 }), ["192.168.1.1"]);
    t.strictSame(await scene.untilEqual("nodes-of-core", { count: 2 }), ["192.168.1.1", "192.168.1.2"]);
    await untilShared(scene, "nodes-of-edge", "core");
    await untilShared(scene, "nodes-of-core", "edge");

    await removePod(scene, "edge", "one");
    await removePod(scene, "core", "two");
    // Both changes take the same way: when the second is seen on the firewall, the first was decided.
    t.strictSame(await scene.untilEqual("nodes-of-core", { count: 1 }), ["192.168.1.1"]);
    t.strictSame(await scene.untilEqual("nodes-of-edge", { count: 1 }), ["192.168.1.1"]);
    await removePod(scene, "edge", "two");
    await scene.untilEqual("nodes-of-edge", { count: 0 });
    t.strictSame(await scene.members("nodes-of-core"), ["192.168.1.1"], "the other group keeps the node");
    for (const group of ["nodes-of-edge", "nodes-of-core"]) t.strictSame(scene.judge(group).wrong, []);
  }),
);

t.test(
  "pods with two addresses are in the IPv4 and in the IPv6 group",
  { skip },
  on(async (t, scene) => {
    await groupOfNamespace(scene, "dual");
    await scene.deployment("dual", "web", { replicas: 3 });
    for (const family of ["ipv4", "ipv6"] as const) await scene.untilEqual("dual", { count: 3, family });
    await scene.scale("dual", "web", 1);
    for (const family of ["ipv4", "ipv6"] as const) {
      await scene.untilEqual("dual", { count: 1, family });
      t.strictSame(scene.judge("dual", { family }).wrong, []);
    }
  }),
);

/** A namespace, and a group of this name with all of its pods. */
async function groupOfNamespace(scene: Scene, name: string): Promise<void> {
  await scene.namespace(name);
  await scene.group(name, { pods: {}, namespaces: { "kubernetes.io/metadata.name": name } });
}

async function uids(scene: Scene, namespace: string): Promise<(string | undefined)[]> {
  return (await scene.pods(namespace)).map(({ metadata }) => metadata.uid);
}

const podAt = (namespace: string, name: string) => ({ apiVersion: "v1", kind: "Pod", namespace, name });

async function label(scene: Scene, namespace: string, name: string, labels: object): Promise<void> {
  await scene.cluster().plane.client.patch(podAt(namespace, name), { metadata: { labels } });
}

async function annotate(scene: Scene, namespace: string, name: string, annotations: object): Promise<void> {
  await scene.cluster().plane.client.patch(podAt(namespace, name), { metadata: { annotations } });
}

async function removePod(scene: Scene, namespace: string, name: string): Promise<void> {
  await scene.cluster().plane.client.delete(podAt(namespace, name));
}

/** Until a group's status says that pods of this namespace run on its nodes, and its own is not named. */
async function untilShared(scene: Scene, group: string, namespace: string): Promise<void> {
  const where = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup", name: group };
  let shared: readonly string[] | undefined;
  await scene.until(
    () => `${group} to name ${namespace} in its status; it names ${shared?.join(" ") ?? "none"}`,
    async () => {
      const { status } = await scene.cluster().plane.client.get(where);
      shared = (status as { sharedNamespaces?: string[] } | undefined)?.sharedNamespaces;
      return shared?.includes(namespace) === true ? true : undefined;
    },
  );
}
