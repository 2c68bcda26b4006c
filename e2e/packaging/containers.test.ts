import { readFileSync } from "node:fs";
import { startSimulator as startKubernetes } from "@podgate/kubernetes-simulator/simulator";
import { clusterPermissions, pusherPermissions } from "@podgate/shared/bus/permissions";
import t, { type Test } from "tap";
import { parse } from "yaml";
import { makeAuthority } from "../stack/certificates.ts";
import { buildImage as buildProgramImage, skipWithoutDocker } from "../stack/docker.ts";
import { startFirewall, type Firewall } from "../stack/firewall.ts";
import { NatsContainer } from "../stack/nats-container.ts";
import { until } from "../stack/until.ts";
import { skipWithout, toolIfAtHand } from "../tools/tool.ts";
import { ServiceContainer } from "./service-container.ts";
import { buildTestImages, TEST_TAG } from "./test-images.ts";

const skip = skipWithout("nats-server") || (await skipWithoutDocker());
const CLUSTER = "a";
/** Less than the charts give them. */
const LESS_MIB = 64;

t.setTimeout(200_000);

t.test(
  "watcher and pusher as containers follow pods, with less memory than they are given, killed and started again",
  { skip },
  async (t) => {
    for (const line of buildTestImages("watcher", "pusher").trim().split("\n")) t.comment(line);
    const { kubernetes, firewall, watcher, pusher } = await scene(t);
    for (const [name, service] of Object.entries({ pusher, watcher })) {
      t.comment(`${name}: ${await service.start()} ms from its first process to its ops server`);
      // Fields 14 and 15, in hundredths of a second.
      const stat = service.script("process.stdout.write(fs.readFileSync('/proc/1/stat'))").split(" ");
      const seconds = (Number(stat[13]) + Number(stat[14])) / 100;
      t.ok(seconds > 0 && seconds < 1, `${name} took ${seconds} s of a processor to start`);
      const status = service.script("process.stdout.write(fs.readFileSync('/proc/1/status'))");
      t.match(status, /^Uid:\s+65532\s/m, `${name} runs as nobody`);
      t.match(status, /^CapEff:\s+0+$/m, "without a capability");
      t.match(status, /^NoNewPrivs:\s+1$/m);
    }
    const { cluster } = kubernetes;
    const add = (n: number) =>
      cluster.createPod({
        namespace: "shop",
        name: `web-${n}`,
        labels: { app: "web" },
        addresses: [`10.0.0.${n}`],
      });
    for (const n of [1, 2, 3]) add(n);
    await holds(firewall, "10.0.0.1", "10.0.0.2", "10.0.0.3");

    const written = firewall.writes().length;
    pusher.kill();
    pusher.discard();
    await pusher.start();
    await pusher.logged("the cluster is verified");
    t.equal(firewall.writes().length, written, "a pusher that was killed writes nothing when it comes back");

    watcher.kill();
    watcher.discard();
    cluster.deletePod("shop", "web-2");
    add(4);
    await watcher.start();
    await holds(firewall, "10.0.0.1", "10.0.0.3", "10.0.0.4");

    for (const [name, service] of Object.entries({ watcher, pusher })) {
      service.script(
        "require('node:child_process').spawn(process.execPath, ['-e', ''], { detached: true, stdio: 'ignore' }).unref()",
      );
      await until(
        `the first process of ${name} to take leave of an orphan`,
        () => service.processes().length === 1 || undefined,
      );
      t.comment(`${name}: ${Math.round((await service.metric("process_resident_memory_bytes")) / 1e6)} MB`);
      t.equal(service.inspect("{{.State.OOMKilled}}"), "false");
      const { code, ms } = service.stop();
      t.equal(code, 0, `${name} ends with 0 at SIGTERM`);
      t.comment(`${name}: ended within ${Math.round(ms)} ms`);
    }
  },
);

/** A cluster with the group `web` of the pods of that label, NATS and a firewall; the services are not started. */
async function scene(t: Test) {
  const authority = await makeAuthority("kube-apiserver of a test");
  const pair = await authority.issue({ commonName: "kube-apiserver", hosts: ["127.0.0.1"] });
  const kubernetes = await startKubernetes({ tls: { ...pair, ca: authority.certificate } });
  t.teardown(() => kubernetes.close());
  kubernetes.cluster.createNamespace("shop");
  kubernetes.cluster.createNode("node-1", { internal: ["192.0.2.1"] });
  kubernetes.cluster.applyGroup("", "web", { podSelector: { matchLabels: { app: "web" } } });
  const firewall = await startFirewall();
  t.teardown(() => firewall.close());
  const image = await buildProgramImage("podgate-e2e/nats-server:2.15.2", toolIfAtHand("nats-server") ?? "");
  const users = [
    { user: CLUSTER, password: "of-the-cluster", permissions: clusterPermissions(CLUSTER) },
    { user: "pusher", password: "of-the-pusher", permissions: pusherPermissions([CLUSTER]) },
  ];
  const nats = new NatsContainer(image, { users });
  t.teardown(() => nats.remove());
  await nats.start();
  const bus = (user: string) => ({
    servers: [nats.url],
    user,
    passwordFile: "/etc/podgate/nats.password",
  });
  const ops = { host: "127.0.0.1", port: 0 };
  const watcher = new ServiceContainer({
    image: `podgate/watcher:${TEST_TAG}`,
    memory: limitOf("watcher") - LESS_MIB,
    configuration: {
      cluster: CLUSTER,
      nats: bus(CLUSTER),
      kubernetes: { kubeconfigFile: "/etc/podgate/kubeconfig" },
      // One that was killed is not waited for.
      lease: { seconds: 3 },
      ops,
    },
    files: { "nats.password": "of-the-cluster", kubeconfig: kubernetes.kubeconfig() },
  });
  t.teardown(() => watcher.close());
  const pusher = new ServiceContainer({
    image: `podgate/pusher:${TEST_TAG}`,
    memory: limitOf("pusher") - LESS_MIB,
    configuration: {
      install: "e2e",
      nats: bus("pusher"),
      clusters: [{ name: CLUSTER }],
      targets: [
        {
          name: "fw",
          url: firewall.url,
          tokenFile: "/etc/podgate/firewall.token",
          caFile: "/etc/podgate/firewall.ca",
        },
      ],
      routes: [{ targets: ["fw"], clusters: [CLUSTER], groups: ["*"] }],
      ops,
    },
    files: {
      "nats.password": "of-the-pusher",
      "firewall.token": firewall.simulator.token,
      "firewall.ca": firewall.simulator.ca ?? "",
    },
  });
  t.teardown(() => pusher.close());
  return { kubernetes, firewall, watcher, pusher };
}

/** MiB. */
function limitOf(service: "watcher" | "pusher"): number {
  const values = parse(readFileSync(`charts/podgate-${service}/values.yaml`, "utf8")) as {
    resources: { limits: { memory: string } };
  };
  const mebibytes = /^(\d+)Mi$/.exec(values.resources.limits.memory)?.[1];
  if (mebibytes === undefined) throw new Error(`the memory limit of podgate-${service} is not in Mi`);
  return Number(mebibytes);
}

async function holds(firewall: Firewall, ...addresses: readonly string[]): Promise<void> {
  let held: readonly string[] | undefined;
  await until(
    () => `the group to hold ${addresses.join(", ")}; it holds ${held?.join(", ") ?? "nothing"}`,
    async () => {
      held = await firewall.members("web");
      return held?.join() === addresses.join() || undefined;
    },
  );
}
