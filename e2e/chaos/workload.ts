import type { Scene } from "../scenarios/scene.ts";
import type { Random } from "./random.ts";
import { CLUSTERS, type ClusterName } from "./world.ts";

const NAMESPACE = "chaos";
const APPS = ["red", "green", "blue"];
const MOST_PODS = 6;
/** Pods of no group: a list that gets a few shorter must not look like one that lost a good part. */
const BALLAST = 60;
/** Pods that stay: what nobody saw leave, and what would leave nothing, waits for a person, and there is none here. */
const ANCHOR = "anchor-";
const PAUSE_MS = [100, 700] as const;

/** Groups of the firewall: one that both clusters feed, one of each alone, and one whose pods change their labels. */
export const GROUPS = ["everywhere", "only-a", "only-b", "labeled"];

type Change = (scene: Scene, cluster: ClusterName) => Promise<unknown>;

/** Deployments and groups as each run begins with them. */
export async function prepare(scene: Scene): Promise<void> {
  for (const cluster of CLUSTERS) {
    await scene.namespace(NAMESPACE, { cluster });
    await scene.group("everywhere", { pods: { app: "red" }, cluster });
    await scene.group(`only-${cluster}`, { pods: { app: "green" }, cluster });
    await scene.group("labeled", { pods: { app: "blue", tier: "front" }, cluster });
    for (const app of APPS) {
      await scene.deployment(NAMESPACE, app, { replicas: 3, labels: { tier: "front" }, cluster });
      await scene.pod(NAMESPACE, `${ANCHOR}${app}`, { app, tier: "front" }, { cluster });
    }
    await scene.deployment(NAMESPACE, "ballast", { replicas: BALLAST, cluster });
  }
}

/** Changes until the signal; one that an API server does not take is let go. @returns how many there were */
export async function work(scene: Scene, random: Random, signal: AbortSignal): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    const cluster = random.one(CLUSTERS);
    const change = draw(random);
    const wait = random.whole(...PAUSE_MS);
    await change(scene, cluster).then(
      () => (count += 1),
      () => undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  return count;
}

function draw(random: Random): Change {
  const app = random.one(APPS);
  const kind = random.whole(0, 9);
  const chance = random.next();
  if (kind < 5) {
    const replicas = random.whole(0, MOST_PODS);
    return (scene, cluster) => scene.scale(NAMESPACE, app, replicas, { cluster });
  }
  if (kind < 7) return (scene, cluster) => deletePod(scene, cluster, app, chance);
  if (kind < 9) return (scene, cluster) => relabel(scene, cluster, chance);
  const annotations = { rollout: String(chance) };
  return async (scene, cluster) => {
    const where = { apiVersion: "apps/v1", kind: "Deployment", namespace: NAMESPACE, name: app };
    const template = { spec: { template: { metadata: { annotations } } } };
    await scene.cluster(cluster).plane.client.patch(where, template);
  };
}

async function podsOf(scene: Scene, cluster: ClusterName, app: string): Promise<string[]> {
  const pods = await scene.pods(NAMESPACE, { cluster });
  return pods
    .filter(({ metadata }) => metadata.labels?.["app"] === app && !metadata.name.startsWith(ANCHOR))
    .map(({ metadata }) => metadata.name);
}

const at = <T>(list: readonly T[], chance: number): T | undefined => list[Math.floor(chance * list.length)];

async function deletePod(scene: Scene, cluster: ClusterName, app: string, chance: number): Promise<void> {
  const name = at(await podsOf(scene, cluster, app), chance);
  if (name === undefined) return;
  const where = { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE, name };
  await scene.cluster(cluster).plane.client.delete(where);
}

/** A pod leaves its group by its label, or joins it. */
async function relabel(scene: Scene, cluster: ClusterName, chance: number): Promise<void> {
  const name = at(await podsOf(scene, cluster, "blue"), chance);
  if (name === undefined) return;
  const where = { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE, name };
  const tier = Math.floor(chance * 1000) % 2 === 0 ? "front" : "back";
  await scene.cluster(cluster).plane.client.patch(where, { metadata: { labels: { tier } } });
}
