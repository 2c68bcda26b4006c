// Runs in namespaces of its own; e2e/packaging/real-node.test.ts starts it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { busUsersCommand } from "@podgate/pusher/commands/bus-users";
import { RealNode } from "../node.ts";
import { makeAuthority } from "../../stack/certificates.ts";
import { startControlPlane } from "../../stack/control-plane.ts";
import { startFirewall } from "../../stack/firewall.ts";
import type { KubernetesObject } from "../../stack/kubernetes-client.ts";
import { until } from "../../stack/until.ts";
import { startWatcher } from "../../stack/watcher.ts";
import { grantWatcherAccess } from "../../stack/watcher-access.ts";
import { chartFolder, Helm } from "../../packaging/helm.ts";

const OUTSIDE = "10.99.0.1";
const NATS_PORT = 4222;
const NAMESPACE = "podgate";
const POD = { apiVersion: "v1", kind: "Pod" };
const [directory = "", archive = ""] = process.argv.slice(2);

const closers: (() => unknown)[] = [];
t.teardown(async () => {
  for (const close of closers.toReversed()) await close();
});
t.setTimeout(400_000);

const started = performance.now();
const node = await RealNode.start({
  directory,
  images: [archive],
  pauseImage: "docker.io/podgate-test/pause:1",
  outside: OUTSIDE,
});
closers.push(() => node.close());
t.comment(`the node was ready after ${seconds(started)} s`);
const { client } = node.plane;
const firewall = await startFirewall({ host: OUTSIDE });
closers.push(() => firewall.close());
const helm = await Helm.open(node.plane.kubeconfig);
closers.push(() => helm.close());
await startNats();

t.test("both charts install with what a user sets, and all pods are ready", async (t) => {
  await node.plane.apply(
    namespace(NAMESPACE, { "pod-security.kubernetes.io/enforce": "restricted" }),
    namespace("shop"),
    secret("podgate-nats", { nkey: readFileSync(join(directory, "users", "pusher.nk"), "utf8") }),
    secret("watcher-nats", { nkey: readFileSync(join(directory, "users", "cluster-real.nk"), "utf8") }),
    secret("fw", { token: readFileSync(firewall.tokenFile, "utf8") }),
    configMap("nats-ca", readFileSync(join(directory, "ca.crt"), "utf8")),
    configMap("fw-ca", readFileSync(firewall.caFile ?? "", "utf8")),
  );
  const from = performance.now();
  await install("podgate-pusher", {
    install: "real",
    nats: nats("podgate-nats"),
    clusters: [{ name: "real", cidrs: ["10.244.0.0/24", `${OUTSIDE}/32`] }, { name: "kwok" }],
    targets: [
      {
        name: "fw",
        url: firewall.url,
        token: { existingSecret: "fw" },
        ca: { existingConfigMap: "fw-ca" },
      },
    ],
    routes: [{ targets: ["fw"], clusters: ["real", "kwok"], groups: ["*"] }],
    image: { tag: "test" },
  });
  await install("podgate-watcher", {
    cluster: "real",
    nats: nats("watcher-nats"),
    image: { tag: "test" },
    drainOnUninstall: { enabled: true },
  });
  t.comment(`both charts installed, four pods ready: ${seconds(from)} s`);
  const pods = await podsOf(NAMESPACE);
  t.equal(pods.length, 4);
  t.ok(
    pods.every(({ restarts }) => restarts === 0),
    "no container was restarted",
  );
});

t.test("a real Deployment scales 1, 3, 1, and the group holds its real addresses", async (t) => {
  await node.plane.apply(group("web"), group("web-nodes", "Node"), deployment(1));
  for (const count of [1, 3, 1]) {
    await client.scale("Deployment", "shop", "web", count);
    const from = performance.now();
    await follows("web", count);
    t.comment(`${count}: the group followed within ${seconds(from)} s of the scaling`);
  }
  t.strictSame(await firewall.members("web-nodes"), [OUTSIDE], "node mode: the node's address");
});

t.test("a rolling update, and every leader gone: first its pod, then its container", async (t) => {
  await node.plane.apply(deployment(3, { version: "2" }));
  await follows("web", 3);
  for (const app of ["podgate-watcher", "podgate-pusher"])
    for (const { name } of await podsOf(NAMESPACE, app))
      await client.delete({ ...POD, namespace: NAMESPACE, name });
  await client.scale("Deployment", "shop", "web", 2);
  const afterPods = performance.now();
  await follows("web", 2);
  t.comment(`all pods of both services deleted: the group followed after ${seconds(afterPods)} s`);
  await ready(4);
  for (const pid of servicePids()) process.kill(pid, "SIGKILL");
  await client.scale("Deployment", "shop", "web", 4);
  const afterKill = performance.now();
  await follows("web", 4);
  t.comment(`all containers of both services killed: the group followed after ${seconds(afterKill)} s`);
  await ready(4);
  t.ok(
    (await podsOf(NAMESPACE)).every(({ restarts }) => restarts === 1),
    "each was restarted once",
  );
});

t.test("a second cluster feeds the same group over the same NATS, with a user of its own", async (t) => {
  const plane = await startControlPlane({ name: "kwok", podCidr: "10.43.0.0/16" });
  closers.push(() => plane.close());
  const { kubeconfig } = await grantWatcherAccess(plane);
  const watcher = await startWatcher({
    cluster: "kwok",
    kubeconfig,
    configuration: {
      nats: {
        servers: [`tls://${OUTSIDE}:${NATS_PORT}`],
        nkeySeedFile: join(directory, "users", "cluster-kwok.nk"),
        tls: { caFile: join(directory, "ca.crt") },
      },
    },
  });
  closers.push(() => watcher.close());
  await plane.apply(namespace("shop"), group("web"), deployment(2));
  const members = await until("members of both clusters", async () => {
    const found = (await firewall.members("web")) ?? [];
    return found.length === 4 + 2 ? found : undefined;
  });
  t.equal(members.filter((address) => address.startsWith("10.43.")).length, 2);
});

t.test("memory stays below the limits", async (t) => {
  for (const pid of servicePids()) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const mebibytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    const what = readFileSync(`/proc/${pid}/environ`, "utf8").match(/HOSTNAME=(podgate-\w+)/)?.[1];
    t.comment(`${what}: ${mebibytes.toFixed(0)} MiB`);
    t.ok(mebibytes > 0 && mebibytes < 448);
  }
  t.equal(servicePids().length, 4);
});

t.test("an uninstall with drainOnUninstall takes the cluster's addresses off the firewall", async (t) => {
  const args = ["uninstall", "podgate-watcher", "--namespace", NAMESPACE, "--wait", "--timeout", "180s"];
  const { code, stderr } = await helm.while(...args);
  t.equal(code, 0, stderr);
  if (code !== 0) t.comment(node.logs("podgate-watcher-drain"));
  const left = (await firewall.members("web")) ?? [];
  t.equal(left.length, 2, "those of the other cluster stay");
  t.ok(left.every((address) => address.startsWith("10.43.")));
  t.equal((await client.list({ apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup" })).length, 2);
});

async function install(chart: "podgate-pusher" | "podgate-watcher", values: object): Promise<void> {
  const args = ["--namespace", NAMESPACE, "--values", helm.values(values), "--wait", "--timeout", "120s"];
  const { code, stderr } = await helm.while("install", chart, chartFolder(chart), ...args);
  if (code !== 0) throw new Error(stderr);
}

const nats = (existingSecret: string): object => ({
  servers: [`tls://${OUTSIDE}:${NATS_PORT}`],
  credential: "nkey",
  existingSecret,
  tls: { caConfigMap: "nats-ca" },
});

/** As a pod, with the users that `podgate-pusher bus users` made, and TLS. */
async function startNats(): Promise<void> {
  busUsersCommand(
    { clusters: ["real", "kwok"].map((name) => ({ name, groups: ["*"], cidrs: [] })) },
    { folder: join(directory, "users"), rotate: undefined },
  );
  const authority = await makeAuthority("nats of the test");
  const { certificate, key } = await authority.issue({ commonName: "nats", hosts: [OUTSIDE] });
  writeFileSync(join(directory, "ca.crt"), authority.certificate);
  const files = {
    "users.conf": readFileSync(join(directory, "users", "users.conf"), "utf8"),
    "server.crt": certificate,
    "server.key": key,
    "nats-server.conf": `listen: "${OUTSIDE}:${NATS_PORT}"
tls { cert_file: "/config/server.crt", key_file: "/config/server.key" }
jetstream { store_dir: "/store" }
include users.conf
`,
  };
  await node.plane.apply(
    namespace("bus"),
    { ...secret("nats", files), metadata: { name: "nats", namespace: "bus" } },
    {
      ...POD,
      metadata: { name: "nats", namespace: "bus" },
      spec: {
        hostNetwork: true,
        automountServiceAccountToken: false,
        containers: [
          {
            name: "nats",
            image: "docker.io/podgate-test/nats:1",
            imagePullPolicy: "IfNotPresent",
            args: ["-c", "/config/nats-server.conf"],
            volumeMounts: [
              { name: "config", mountPath: "/config" },
              { name: "store", mountPath: "/store" },
            ],
          },
        ],
        volumes: [
          { name: "config", secret: { secretName: "nats" } },
          { name: "store", emptyDir: {} },
        ],
      },
    },
  );
}

/** The group holds exactly the addresses of the running pods. */
async function follows(name: string, count: number): Promise<void> {
  await until(
    `${name} to hold the addresses of ${count} pods`,
    async () => {
      const pods = await podsOf("shop");
      const addresses = pods.flatMap(({ address }) => address ?? []).toSorted();
      const members = await firewall.members(name);
      if (pods.length !== count || addresses.length !== count) return undefined;
      return JSON.stringify(members) === JSON.stringify(addresses) || undefined;
    },
    90_000,
  );
}

async function ready(count: number): Promise<void> {
  await until(
    `${count} pods to be ready`,
    async () => {
      const pods = await podsOf(NAMESPACE);
      return (pods.length === count && pods.every((pod) => pod.ready)) || undefined;
    },
    90_000,
  );
}

interface PodView {
  readonly name: string;
  readonly address: string | undefined;
  readonly ready: boolean;
  readonly restarts: number;
}

interface PodStatus {
  readonly podIP?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  readonly containerStatuses?: readonly { readonly restartCount: number }[];
}

async function podsOf(where: string, app?: string): Promise<PodView[]> {
  const query = app === undefined ? {} : { labelSelector: `app.kubernetes.io/name=${app}` };
  const pods = await client.list({ ...POD, namespace: where }, query);
  return pods.map((pod): PodView => {
    const { podIP, conditions = [], containerStatuses = [] } = (pod["status"] ?? {}) as PodStatus;
    return {
      name: pod.metadata.name,
      address: podIP,
      ready: conditions.some(({ type, status }) => type === "Ready" && status === "True"),
      restarts: containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    };
  });
}

/** Main processes of the services' containers. */
function servicePids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("/podgate/main.mjs");
      } catch {
        return false; // it ended meanwhile
      }
    })
    .map(Number);
}

function namespace(name: string, labels: Readonly<Record<string, string>> = {}): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

function secret(name: string, stringData: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: NAMESPACE }, stringData };
}

function configMap(name: string, ca: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: NAMESPACE },
    data: { "ca.crt": ca },
  };
}

function group(name: string, addresses: "Pod" | "Node" = "Pod"): KubernetesObject {
  return {
    apiVersion: "podgate.dev/v1alpha1",
    kind: "ClusterAddressGroup",
    metadata: { name },
    spec: { podSelector: { matchLabels: { app: "web" } }, addresses },
  };
}

function deployment(replicas: number, annotations: Readonly<Record<string, string>> = {}): KubernetesObject {
  const labels = { app: "web" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations },
        spec: {
          terminationGracePeriodSeconds: 5,
          automountServiceAccountToken: false,
          containers: [
            { name: "web", image: "docker.io/podgate-test/pause:1", imagePullPolicy: "IfNotPresent" },
          ],
        },
      },
    },
  };
}

function seconds(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(1);
}
