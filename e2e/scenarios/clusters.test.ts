import t from "tap";
import { skip, stage, type Scene } from "./scene.ts";

const CLUSTERS = ["a", "b"];
const FIREWALLS = {
  "fw-62": { profile: "6.2", serial: "FGVM010000000062" },
  "fw-74": { profile: "7.4", serial: "FGVM010000000074" },
} as const;

// Equal ranges: both clusters give their pods the same addresses.
const on = stage(t, { clusters: { a: {}, b: { nodeNetwork: "192.168.2" } }, firewalls: FIREWALLS });

// Comes first: the first pod of each cluster gets the first address of the range.
t.test(
  "an address that pods of one name have in both clusters stays until the last of them is gone",
  { skip },
  on(async (t, scene) => {
    const namespace = "twins";
    for (const cluster of CLUSTERS) {
      await scene.namespace(namespace, { cluster });
      await scene.group("twins", { pods: { app: "twin" }, cluster });
      await scene.pod(namespace, "twin", { app: "twin" }, { cluster });
      await scene.until(`the pod of ${cluster} to run`, async () => {
        const [pod] = await scene.pods(namespace, { cluster });
        return (pod?.["status"] as { podIP?: string } | undefined)?.podIP;
      });
    }
    await everywhere(scene, "twins", 1);
    // On its way from each cluster's watcher: both must have told it before one takes it back.
    await scene.until("both clusters' children", async () => {
      const groups = await Promise.all(
        Object.keys(FIREWALLS).map((firewall) => scene.stack.firewall(firewall).groups()),
      );
      return groups.every((names) => CLUSTERS.every((name) => names.includes(`pg.e2e.twins.${name}.0`)))
        ? true
        : undefined;
    });
    await scene.cluster("a").plane.client.delete({ apiVersion: "v1", kind: "Pod", namespace, name: "twin" });
    for (const firewall of Object.keys(FIREWALLS))
      await scene.until("the child of a to be empty", async () => {
        const members = await scene.members("pg.e2e.twins.a.0", { firewall });
        return members?.length === 0 ? true : undefined;
      });
    await everywhere(scene, "twins", 1);
    await scene.cluster("b").plane.client.delete({ apiVersion: "v1", kind: "Pod", namespace, name: "twin" });
    await everywhere(scene, "twins", 0);
    for (const firewall of Object.keys(FIREWALLS))
      t.strictSame(scene.judge("twins", { firewall }).wrong, [], firewall);
  }),
);

t.test(
  "two clusters feed one shared group and one group each, on a FortiGate 6.2 and a 7.4 side by side",
  { skip },
  on(async (t, scene) => {
    for (const cluster of CLUSTERS) {
      await scene.namespace("shop", { cluster });
      await scene.group("shared", { pods: { app: "shared" }, cluster });
      await scene.group(`only-${cluster}`, { pods: { app: "own" }, cluster });
      await scene.deployment("shop", "shared", { replicas: 2, cluster });
      await scene.deployment("shop", "own", { replicas: cluster === "a" ? 1 : 3, cluster });
    }
    await everywhere(scene, "only-a", 1);
    await everywhere(scene, "only-b", 3);
    await everywhere(scene, "shared");

    await scene.scale("shop", "shared", 5, { cluster: "a" });
    await scene.scale("shop", "own", 0, { cluster: "a" });
    await everywhere(scene, "only-a", 0);
    await scene.scale("shop", "shared", 0, { cluster: "b" });
    await everywhere(scene, "shared", 5);
    await everywhere(scene, "only-b", 3);

    for (const firewall of Object.keys(FIREWALLS))
      for (const group of ["shared", "only-a", "only-b"])
        t.strictSame(scene.judge(group, { firewall }).wrong, [], `${group} on ${firewall}`);
  }),
);

async function everywhere(scene: Scene, group: string, count?: number): Promise<void> {
  for (const firewall of Object.keys(FIREWALLS))
    await scene.untilEqual(group, { firewall, ...(count !== undefined && { count }) });
}
