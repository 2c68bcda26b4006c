// Runs in namespaces of its own; e2e/packaging/real-node.test.ts starts it.
import { readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { startNatsPod } from "../nats-pod.ts";
import { RealNode } from "../node.ts";
import { commandsOf, Shell } from "../notes.ts";
import { podsOf } from "../pods.ts";
import { processes, serviceProcesses } from "../processes.ts";
import { underChurn } from "../under-churn.ts";
import { chartFolder, CHARTS, Helm, type Chart } from "../../packaging/helm.ts";
import {
  ADDRESS_GROUP,
  configMap,
  deployment,
  group,
  namespace,
  RESTRICTED,
  secret,
} from "../../packaging/manifests.ts";
import { Canaries } from "../../scenarios/canaries.ts";
import { startControlPlane } from "../../stack/control-plane.ts";
import { startFirewall } from "../../stack/firewall.ts";
import type { KubernetesObject } from "../../stack/kubernetes-client.ts";
import { until } from "../../stack/until.ts";
import { startWatcher } from "../../stack/watcher.ts";
import { grantWatcherAccess } from "../../stack/watcher-access.ts";

const OUTSIDE = "10.99.0.1";
const NAMESPACE = "podgate";
const POD = { apiVersion: "v1", kind: "Pod" };
const PAUSE_IMAGE = "docker.io/podgate-test/pause:1";
const LOG_LINES = 80;
const CHURN_NETWORK = "10.245.0";
/** The end of what `check` prints. */
const ALL_WELL = /^\d+ checks, none failed\n$/m;
/** What a command says on standard error while it waits. */
const WAITING = /^podgate-\w+: waiting for .*\n/gm;
const [directory = "", archive = ""] = process.argv.slice(2);

const closers: (() => unknown)[] = [];
t.teardown(async () => {
  if (!t.passing())
    for (const pods of ["podgate-pusher", "podgate-watcher"])
      console.error(node.logs(pods).split("\n").slice(-LOG_LINES).join("\n"));
  for (const close of closers.toReversed()) await close();
});
t.setTimeout(400_000);

const started = performance.now();
const node = await RealNode.start({
  directory,
  images: [archive],
  pauseImage: PAUSE_IMAGE,
  outside: OUTSIDE,
});
closers.push(() => node.close());
t.comment(`the node was ready after ${seconds(started)} s`);
const { client } = node.plane;
const firewall = await startFirewall({ host: OUTSIDE });
closers.push(() => firewall.close());
const helm = await Helm.open(node.plane.kubeconfig);
closers.push(() => helm.close());
const shell = await Shell.open(directory, node.plane.kubeconfig);
const nats = await startNatsPod({
  plane: node.plane,
  image: "docker.io/podgate-test/nats:1",
  clusters: ["real", "kwok"],
  address: OUTSIDE,
  directory,
});
const natsValues = (existingSecret: string): object => ({
  servers: [nats.url],
  credential: "nkey",
  existingSecret,
  tls: { caConfigMap: "nats-ca" },
});
const values = {
  "podgate-pusher": {
    install: "real",
    nats: natsValues("podgate-nats"),
    clusters: [
      { name: "real", cidrs: ["10.244.0.0/24", `${CHURN_NETWORK}.0/24`, `${OUTSIDE}/32`] },
      { name: "kwok" },
    ],
    targets: [
      {
        name: "fw",
        url: firewall.url,
        token: { existingSecret: "fw" },
        ca: { existingConfigMap: "fw-ca" },
        // Below, ten new address objects a second are wanted; the default allows four writes.
        perSecond: 50,
      },
    ],
    routes: [{ targets: ["fw"], clusters: ["real", "kwok"], groups: ["*"] }],
  },
  "podgate-watcher": {
    cluster: "real",
    nats: natsValues("watcher-nats"),
  },
};
const secrets = {
  "nkey of the pusher": readFileSync(nats.seedFile("pusher"), "utf8"),
  "nkey of the watcher": readFileSync(nats.seedFile("cluster-real"), "utf8"),
  "token of the firewall": readFileSync(firewall.tokenFile, "utf8"),
};

t.test("both charts install with what a user sets, and all pods are ready", async (t) => {
  await node.plane.apply(
    namespace(NAMESPACE, RESTRICTED),
    namespace("shop"),
    namespace("churn"),
    secret(NAMESPACE, "podgate-nats", { nkey: secrets["nkey of the pusher"] }),
    secret(NAMESPACE, "watcher-nats", { nkey: secrets["nkey of the watcher"] }),
    secret(NAMESPACE, "fw", { token: secrets["token of the firewall"] }),
    configMap(NAMESPACE, "nats-ca", { "ca.crt": readFileSync(nats.caFile, "utf8") }),
    configMap(NAMESPACE, "fw-ca", { "ca.crt": readFileSync(firewall.caFile ?? "", "utf8") }),
  );
  const from = performance.now();
  await release("install", "podgate-pusher", "test");
  await release("install", "podgate-watcher", "test");
  t.comment(`both charts installed, four pods ready: ${seconds(from)} s`);
  const pods = await podsOf(client, NAMESPACE);
  t.equal(pods.length, 4);
  t.ok(
    pods.every(({ restarts }) => restarts === 0),
    "no container was restarted",
  );
});

t.test("what the charts' notes tell to type is typed, and does what they say", async (t) => {
  const [check = "", plan = "", ...none] = commandsOf(helm, "podgate-pusher", NAMESPACE);
  t.strictSame(none, [], "the pusher's notes have two commands");
  const ofPusher = await typed(t, check);
  for (const row of [
    /^ok +configuration +2 clusters, 1 targets, 1 routes$/m,
    /^ok +NATS +connected$/m,
    /^ok +stream +PODGATE_real +exists$/m,
    /^ok +bucket +podgate-pusher +exists$/m,
    /^ok +reachable +fw +\S+, FortiOS 7\.\d+\.\d+; the token is taken$/m,
    /^ok +write addrgrp +fw +allowed$/m,
    ALL_WELL,
  ])
    t.match(ofPusher, row);
  t.match(await typed(t, plan), /^target fw \(enforce\): nothing to change$/m);

  const [checkWatcher = "", define = "", drain = "", ...nothing] = commandsOf(
    helm,
    "podgate-watcher",
    NAMESPACE,
  );
  t.strictSame(nothing, [], "the watcher's notes have three");
  const { metadata } = await client.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" });
  const ofWatcher = await typed(t, checkWatcher);
  for (const row of [
    /^ok +configuration +cluster real$/m,
    /^ok +API server +answers, version v1\.37\.2$/m,
    new RegExp(`^ok +cluster +real, uid ${String(metadata["uid"])}$`, "m"),
    /^ok +list, watch pods +allowed$/m,
    /^ok +NATS +connected$/m,
    /^ok +stream PODGATE_real +\d+ messages, made \S+$/m,
    ALL_WELL,
  ])
    t.match(ofWatcher, row);
  t.match(await typed(t, define), /^clusteraddressgroup\S+ created\nNAME +[^]*^web /m);
  t.match(drain, " drain ", "typed below");
});

t.test("a real Deployment scales 1, 3, 1, and the group holds its real addresses", async (t) => {
  await node.plane.apply(group("web", "web"), group("web-nodes", "web", "Node"), web(1));
  for (const count of [1, 3, 1]) {
    await client.scale("Deployment", "shop", "web", count);
    const from = performance.now();
    await follows("web", count);
    t.comment(`${count}: the group followed within ${seconds(from)} s of the scaling`);
  }
  t.strictSame(await firewall.members("web-nodes"), [OUTSIDE], "node mode: the node's address");
});

t.test(
  "upgraded and rolled back while 20 pods a second come or go: no member is wrong, nothing is written without need, nobody is unready",
  async (t) => {
    const kept = await firewall.members("web");
    await underChurn(t, { client, firewall, namespace: NAMESPACE, network: CHURN_NETWORK }, [
      ["podgate-pusher upgraded", () => release("upgrade", "podgate-pusher", "test-next")],
      ["podgate-watcher upgraded", () => release("upgrade", "podgate-watcher", "test-next")],
      ["podgate-watcher rolled back", () => rollback("podgate-watcher")],
      ["podgate-pusher rolled back", () => rollback("podgate-pusher")],
    ]);
    t.strictSame(await firewall.members("web"), kept);
    t.ok(
      (await podsOf(client, NAMESPACE)).every(({ restarts }) => restarts === 0),
      "no container was restarted",
    );
  },
);

t.test("a rolling update, and every leader gone: first its pod, then its container", async (t) => {
  await node.plane.apply(web(3, { version: "2" }));
  await follows("web", 3);
  for (const app of ["podgate-watcher", "podgate-pusher"])
    for (const { name } of await podsOf(client, NAMESPACE, app))
      await client.delete({ ...POD, namespace: NAMESPACE, name });
  await client.scale("Deployment", "shop", "web", 2);
  const afterPods = performance.now();
  await follows("web", 2);
  t.comment(`all pods of both services deleted: the group followed after ${seconds(afterPods)} s`);
  await ready(4);
  for (const { pid } of serviceProcesses()) process.kill(pid, "SIGKILL");
  await client.scale("Deployment", "shop", "web", 4);
  const afterKill = performance.now();
  await follows("web", 4);
  t.comment(`all containers of both services killed: the group followed after ${seconds(afterKill)} s`);
  await ready(4);
  t.ok(
    (await podsOf(client, NAMESPACE)).every(({ restarts }) => restarts === 1),
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
        servers: [nats.url],
        nkeySeedFile: nats.seedFile("cluster-kwok"),
        tls: { caFile: nats.caFile },
      },
    },
  });
  closers.push(() => watcher.close());
  await plane.apply(namespace("shop"), group("web", "web"), web(2));
  const members = await until("members of both clusters", async () => {
    const found = (await firewall.members("web")) ?? [];
    return found.length === 4 + 2 ? found : undefined;
  });
  t.equal(members.filter((address) => address.startsWith("10.43.")).length, 2);
});

t.test("the notes' drain asks, takes the cluster's addresses out, and resume puts them back", async (t) => {
  const drain = commandsOf(helm, "podgate-watcher", NAMESPACE).at(-1) ?? "";
  const before = (await firewall.members("web")) ?? [];
  const refused = await shell.answer(drain, /Type its name/, "kwok");
  t.match(refused, { code: 1, stdout: /nothing was changed/ });
  t.strictSame(await firewall.members("web"), before);
  const drained = await shell.answer(drain, /Type its name/, "real");
  t.match(drained, { code: 0, stdout: /cluster real: \d+ members of 3 groups[^]*target fw: empty/ });
  const left = (await firewall.members("web")) ?? [];
  t.equal(left.length, 2, "those of the other cluster stay");
  t.ok(left.every((address) => address.startsWith("10.43.")));
  const resumed = await shell.run(drain.replace(" drain ", " resume ").replace(" -it ", " "));
  t.match(resumed, { code: 0, stdout: /its watcher says synced/ });
  await until("the addresses to be back", async () => {
    const members = (await firewall.members("web")) ?? [];
    return members.join() === before.join() || undefined;
  });
});

t.test("no secret is in a release, an object, a log or the list of processes", async (t) => {
  const canaries = new Canaries();
  for (const [what, value] of Object.entries(secrets)) canaries.plant(what, value);
  const places: Record<string, string> = { logs: node.logs(""), processes: JSON.stringify(processes()) };
  for (const chart of CHARTS)
    places[`release ${chart}`] = helm.ok("get", "all", chart, "--namespace", NAMESPACE);
  for (const kind of ["Pod", "ConfigMap", "Event"]) places[kind] = await objects("v1", kind);
  for (const kind of ["Deployment", "ReplicaSet"]) places[kind] = await objects("apps/v1", kind);
  for (const [place, text] of Object.entries(places)) {
    t.match(text, "podgate", `${place}: there is something to find`);
    t.strictSame(canaries.in(text), [], place);
  }
  t.strictSame(canaries.in(await objects("v1", "Secret")), Object.keys(secrets), "they are in Secrets");
});

t.test("memory stays below the limits", async (t) => {
  for (const { pid, environment } of serviceProcesses()) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const mebibytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    const what = environment.match(/HOSTNAME=(podgate-\w+)/)?.[1];
    t.comment(`${what}: ${mebibytes.toFixed(0)} MiB`);
    t.ok(mebibytes > 0 && mebibytes < 448);
  }
  t.equal(serviceProcesses().length, 4);
});

t.test("an uninstall with drainOnUninstall takes the cluster's addresses off the firewall", async (t) => {
  await release("upgrade", "podgate-watcher", "test", { drainOnUninstall: { enabled: true } });
  t.strictSame(commandsOf(helm, "podgate-watcher", NAMESPACE).length, 2, "its notes name no drain any more");
  const args = ["uninstall", "podgate-watcher", "--namespace", NAMESPACE, "--wait", "--timeout", "180s"];
  const { code, stderr } = await helm.while(...args);
  t.equal(code, 0, stderr);
  if (code !== 0) t.comment(node.logs("podgate-watcher-drain"));
  const left = (await firewall.members("web")) ?? [];
  t.equal(left.length, 2, "those of the other cluster stay");
  t.ok(left.every((address) => address.startsWith("10.43.")));
  t.equal((await client.list(ADDRESS_GROUP)).length, 3, "the groups are still defined");
});

t.test("an uninstall of the pusher leaves the firewall as it is", async (t) => {
  const before = await firewall.members("web");
  const writes = firewall.writes().length;
  const { code, stderr } = await helm.while(
    "uninstall",
    "podgate-pusher",
    "--namespace",
    NAMESPACE,
    "--wait",
  );
  t.equal(code, 0, stderr);
  await until("its pods to be gone", async () => (await podsOf(client, NAMESPACE)).length === 0 || undefined);
  t.equal(before?.length, 2);
  t.strictSame(await firewall.members("web"), before);
  t.equal(firewall.writes().length, writes, "nothing was written");
});

/** @returns what was printed */
async function typed(t: Test, command: string): Promise<string> {
  const from = performance.now();
  const { code, stdout, stderr } = await shell.run(command);
  t.strictSame([code, stderr.replaceAll(WAITING, "")], [0, ""], command.trim());
  t.comment(`${stdout}within ${seconds(from)} s`);
  return stdout;
}

/** Helm's word for it, with an image of this tag. */
async function release(
  verb: "install" | "upgrade",
  chart: Chart,
  tag: string,
  more: object = {},
): Promise<void> {
  const file = helm.values({ ...values[chart], ...more, image: { tag } });
  const args = ["--namespace", NAMESPACE, "--values", file, "--wait", "--timeout", "120s"];
  const { code, stderr } = await helm.while(verb, chart, chartFolder(chart), ...args);
  if (code !== 0) throw new Error(stderr);
}

/** To the first revision. */
async function rollback(chart: Chart): Promise<void> {
  const { code, stderr } = await helm.while("rollback", chart, "1", "--namespace", NAMESPACE, "--wait");
  if (code !== 0) throw new Error(stderr);
}

const web = (replicas: number, annotations: Readonly<Record<string, string>> = {}): KubernetesObject =>
  deployment("shop", "web", PAUSE_IMAGE, replicas, annotations);

/** The group holds exactly the addresses of the running pods. */
async function follows(name: string, count: number): Promise<void> {
  await until(
    `${name} to hold the addresses of ${count} pods`,
    async () => {
      const pods = await podsOf(client, "shop");
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
      const pods = await podsOf(client, NAMESPACE);
      return (pods.length === count && pods.every((pod) => pod.ready)) || undefined;
    },
    90_000,
  );
}

async function objects(apiVersion: string, kind: string): Promise<string> {
  return JSON.stringify(await client.list({ apiVersion, kind }));
}

function seconds(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(1);
}
