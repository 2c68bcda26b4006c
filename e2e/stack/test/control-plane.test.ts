import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { skipWithout } from "../../tools/tool.ts";
import type { PodObject, Sighting } from "../../scenarios/judge.ts";
import { startControlPlane, type ControlPlane } from "../control-plane.ts";
import { PodHistory } from "../history.ts";
import { KubernetesError, type KubernetesClient, type KubernetesObject } from "../kubernetes-client.ts";
import { grantWatcherAccess } from "../watcher-access.ts";

const skip = skipWithout("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok");
const PODS = { apiVersion: "v1", kind: "Pod", namespace: "shop" };

t.setTimeout(120_000);

function deployment(replicas: number, annotations: Record<string, string> = {}): KubernetesObject[] {
  const labels = { app: "web" };
  const template = {
    metadata: { labels, annotations },
    spec: { containers: [{ name: "web", image: "web" }] },
  };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "shop" },
      spec: { replicas, selector: { matchLabels: labels }, template },
    },
  ];
}

/** The addresses of running pods, once there are so many. */
async function addresses(client: KubernetesClient, count: number): Promise<string[]> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const pods = await client.list<PodObject>(PODS);
    const running = pods.filter(({ status }) => status?.phase === "Running");
    if (running.length === count && pods.length === count)
      return running.flatMap(({ status }) => status?.podIPs?.map(({ ip }) => ip) ?? []).toSorted();
    if (performance.now() > deadline) throw new Error(`no ${count} pods: ${JSON.stringify(pods)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function plane(t: Test, options: Parameters<typeof startControlPlane>[0]): Promise<ControlPlane> {
  const made = await startControlPlane(options);
  t.teardown(() => made.close());
  return made;
}

t.test("pods of a Deployment get addresses, and what was seen of them is recorded", { skip }, async (t) => {
  const a = await plane(t, { name: "a", podCidr6: "fd00:42::/64" });
  const history = await new PodHistory(a.client).ready();
  await a.apply(...deployment(3));
  const six = await addresses(a.client, 3);
  t.strictSame(
    six.map((ip) => ip.slice(0, ip.includes(":") ? 10 : 6)),
    ["10.42.", "10.42.", "10.42.", "fd00:42::1", "fd00:42::2", "fd00:42::3"],
    "one of each family",
  );
  await a.client.scale("Deployment", "shop", "web", 1);
  t.equal((await addresses(a.client, 1)).length, 2);
  const sightings = await history.stop();
  const last = new Map(
    sightings.map((sighting): [string, Sighting] => [sighting.object.metadata.uid, sighting]),
  );
  t.equal(last.size, 3);
  t.equal([...last.values()].filter(({ type }) => type === "DELETED").length, 2, "two were seen to go");
});

t.test(
  "the watcher's account may read pods, nodes and namespaces, no secrets, and change nothing of them",
  { skip },
  async (t) => {
    const a = await plane(t, { name: "a", audit: true });
    const access = await grantWatcherAccess(a);
    const client = access.client();
    t.teardown(() => client.close());
    for (const kind of ["Pod", "Node", "Namespace"])
      t.ok(Array.isArray(await client.list({ apiVersion: "v1", kind })), `${kind} can be read`);
    t.strictSame(await client.list({ apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup" }), []);
    const forbidden = { name: KubernetesError.name, status: 403 };
    await t.rejects(client.list({ apiVersion: "v1", kind: "Secret" }), forbidden);
    await t.rejects(client.list({ apiVersion: "v1", kind: "ConfigMap" }), forbidden);
    await t.rejects(client.delete({ apiVersion: "v1", kind: "Namespace", name: "default" }), forbidden);
    const audit = readFileSync(join(a.directory, "audit.log"), "utf8");
    t.match(audit, "system:serviceaccount:podgate:podgate-watcher", "the audit log has its calls");
  },
);

t.test("two clusters can give their pods the same addresses", { skip }, async (t) => {
  const a = await plane(t, { name: "a" });
  const b = await plane(t, { name: "b" });
  await Promise.all([a.apply(...deployment(2)), b.apply(...deployment(2))]);
  const ofA = await addresses(a.client, 2);
  t.strictSame(ofA, ["10.42.0.1", "10.42.0.2"]);
  t.strictSame(await addresses(b.client, 2), ofA);
});

t.test(
  "a pod can end by itself, and an API server that was killed comes back with all it had",
  { skip },
  async (t) => {
    const a = await plane(t, { name: "a" });
    await a.apply(...deployment(1));
    const [before] = await addresses(a.client, 1);
    await a.killApiServer();
    await t.rejects(a.client.list(PODS));
    await a.restartApiServer();
    t.strictSame(await addresses(a.client, 1), [before]);
    const ending = new AbortController();
    const seen: string[] = [];
    const ended = a.client.watch(
      PODS,
      ({ object }) => {
        const { status } = object as unknown as PodObject;
        if (object.metadata.name === "job") seen.push(status?.phase ?? "");
        if (status?.phase === "Failed") ending.abort();
      },
      ending.signal,
    );
    await a.client.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "job", namespace: "shop", annotations: { "podgate.dev/ends-as": "Failed" } },
      spec: { containers: [{ name: "job", image: "job" }], restartPolicy: "Never" },
    });
    await (ending.signal.aborted ? undefined : once(ending.signal, "abort"));
    await ended;
    t.ok(seen.includes("Running"), "it ran");
    t.equal(seen.at(-1), "Failed");
  },
);
