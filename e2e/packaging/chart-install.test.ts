import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import t from "tap";
import { parse, stringify } from "yaml";
import { startControlPlane, type ControlPlane } from "../stack/control-plane.ts";
import { startFirewall } from "../stack/firewall.ts";
import { KubernetesError, type KubernetesObject } from "../stack/kubernetes-client.ts";
import { startNats } from "../stack/nats.ts";
import { startPusher } from "../stack/pusher.ts";
import { bundleOf, type Service } from "../stack/service.ts";
import { until } from "../stack/until.ts";
import { startWatcher } from "../stack/watcher.ts";
import { accountAccess } from "../stack/watcher-access.ts";
import { skipWithout, tool } from "../tools/tool.ts";
import { ADDRESS_GROUP, deployment, group, namespace, RESTRICTED, secret } from "./manifests.ts";
import { grantedRights, usedRights } from "./rights.ts";
import { chartFolder, CHARTS, Helm, objectsOf, valuesFilesOf } from "./helm.ts";
import { writeSchemas } from "./openapi-schemas.ts";

const skip = skipWithout(
  "helm",
  "kubeconform",
  "nats-server",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
);
t.setTimeout(300_000);

const NAMESPACE = "podgate";
const RELEASE = "podgate-watcher";
const ACCOUNT = "system:serviceaccount:podgate:podgate-watcher";
const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  name: "clusteraddressgroups.podgate.dev",
};
const GROUP = group("web", "web");
/** Of operators that are not here. */
const UNKNOWN_KINDS = "PodMonitor,ServiceMonitor,PrometheusRule";

/** One cluster into which the charts are installed. */
interface Site {
  readonly plane: ControlPlane;
  readonly helm: Helm;
}

/** @param podCidr of its own, so that one firewall group tells the clusters apart */
async function newSite(
  name: string,
  podCidr: string,
  onClose: (close: () => unknown) => void,
): Promise<Site> {
  const plane = await startControlPlane({ name, podCidr, audit: true });
  onClose(() => plane.close());
  const helm = await Helm.open(plane.kubeconfig);
  onClose(() => helm.close());
  await plane.apply(
    namespace(NAMESPACE, RESTRICTED),
    namespace("shop"),
    secret(NAMESPACE, "podgate-nats", { password: "not the one of any server" }),
  );
  return { plane, helm };
}

const watcherValues = (cluster: string): object => ({
  cluster,
  nats: { servers: ["tls://nats.example:4222"], existingSecret: "podgate-nats" },
});

const PUSHER_VALUES = {
  install: "e2e",
  nats: { servers: ["tls://nats.example:4222"], user: "pusher", existingSecret: "podgate-nats" },
  clusters: [{ name: "a" }, { name: "b" }],
  targets: [{ name: "fw", url: "https://fw.example", token: { value: "not a token" } }],
  routes: [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"] }],
};

t.test(
  "what the charts render is of the API server's own schemas, and accepted there",
  { skip },
  async (t) => {
    const { plane, helm } = await newSite("a", "10.42.0.0/16", (close) => t.teardown(close));
    // That `everything` names instead of the release's.
    await plane.apply(namespace("security"));
    const schemas = await writeSchemas(plane.client, join(helm.directory, "schemas"));
    const kubeconform = await tool("kubeconform");
    const check = (manifests: string): { readonly code: number | null; readonly said: string } => {
      const { status, stdout, stderr } = spawnSync(
        kubeconform,
        ["-strict", "-summary", "-schema-location", schemas, "-skip", UNKNOWN_KINDS],
        { input: manifests, encoding: "utf8" },
      );
      return { code: status, said: stdout + stderr };
    };
    const accepted = new Set<string>();
    for (const chart of CHARTS)
      for (const file of valuesFilesOf(chart)) {
        const manifests = helm.ok("template", "x", chartFolder(chart), "--values", file);
        const { code, said } = check(manifests);
        t.equal(code, 0, `${chart} ${basename(file)}: ${said.trim().split("\n").at(-1)}`);
        if (code !== 0) t.comment(said);
        const objects = objectsOf(manifests).filter(({ kind }) => !UNKNOWN_KINDS.split(",").includes(kind));
        await plane.client.tryOut(...objects);
        for (const { kind } of objects) accepted.add(kind);
      }
    for (const kind of ["ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget"])
      t.ok(accepted.has(kind), `${kind} accepted`);
    const misspelled = helm
      .ok("template", "x", chartFolder("podgate-watcher"), "--values", helm.values(watcherValues("a")))
      .replace("automountServiceAccountToken", "automountServiceAccountTokens");
    t.not(check(misspelled).code, 0, "a field that the server does not know is found");
  },
);

t.test("install, upgrade, rollback and uninstall; two clusters feed one firewall", { skip }, async (t) => {
  const closers: (() => unknown)[] = [];
  t.teardown(async () => {
    for (const close of closers.toReversed()) await close();
  });
  const keep = <T extends { close: () => unknown }>(thing: T): T => {
    closers.push(() => thing.close());
    return thing;
  };
  const nats = keep(await startNats({ clusters: ["a", "b"] }));
  const firewall = keep(await startFirewall());
  const pusher = keep(await startPusher({ nats, clusters: ["a", "b"], firewalls: { fw: firewall } }));
  const sites = new Map<string, Site>();
  for (const [name, podCidr] of Object.entries({ a: "10.42.0.0/16", b: "10.43.0.0/16" }))
    sites.set(name, await newSite(name, podCidr, (close) => closers.push(close)));
  const { plane, helm } = sites.get("a") as Site;
  const there = ["--namespace", NAMESPACE, "--wait", "--timeout", "120s"];
  const inA = [...there, "--values", helm.values(watcherValues("a"))];

  helm.ok("install", RELEASE, olderChart(helm), ...inA);
  t.notOk(await hasNodeAddressType(plane), "a definition as the older chart has it");
  const other = sites.get("b") as Site;
  const inB = [...there, "--values", other.helm.values(watcherValues("b"))];
  other.helm.ok("install", RELEASE, chartFolder("podgate-watcher"), ...inB);
  const pusherValues = helm.values(PUSHER_VALUES);
  helm.ok("install", "podgate-pusher", chartFolder("podgate-pusher"), ...there, "--values", pusherValues);
  t.pass("admitted by Pod Security restricted; all pods became ready");

  const watchers = new Map<string, Service>();
  for (const [cluster, site] of sites) {
    const { kubeconfig } = await accountAccess(site.plane);
    watchers.set(cluster, keep(await startWatcher({ cluster, nats, kubeconfig })));
    await site.plane.apply(GROUP, deployment("shop", "web", "web", 2));
  }
  const before = await until("members of both clusters", async () => {
    const members = await firewall.members("web");
    return members?.length === 4 ? members : undefined;
  });

  const calm = firewall.simulator.log({}).at(-1)?.id ?? 0;
  helm.ok("upgrade", RELEASE, chartFolder("podgate-watcher"), ...inA);
  t.ok(await hasNodeAddressType(plane), "the upgrade brought the definition's new field");
  helm.ok("rollback", RELEASE, "1", ...there);
  t.notOk(await hasNodeAddressType(plane), "the rollback took it back");
  helm.ok("upgrade", RELEASE, chartFolder("podgate-watcher"), ...inA);
  t.equal(
    (await plane.client.list(ADDRESS_GROUP)).length,
    1,
    "the group's definition lived through all that",
  );

  await t.test("the account may do what the watcher does, and nothing else", async (t) => {
    await useEveryRight(plane, watchers.get("a") as Service);
    const rules = objectsOf(helm.ok("get", "manifest", RELEASE, "--namespace", NAMESPACE));
    const granted = grantedRights(rules);
    const { used, refused } = usedRights(readFileSync(join(plane.directory, "audit.log"), "utf8"), ACCOUNT);
    t.strictSame(refused, [], "nothing was refused");
    // The server here streams what there is; one that cannot is asked for lists.
    const unused = [...granted].filter((right) => !used.has(right) && !right.startsWith("list "));
    t.strictSame(unused.toSorted(), [], "no right is unused");
  });

  helm.ok("uninstall", RELEASE, ...there);
  const left = await plane.client.get({ ...DEFINITION });
  t.equal(left.metadata.name, DEFINITION.name, "the definitions stay");
  t.equal((await plane.client.list(ADDRESS_GROUP)).length, 2, "and with them the groups");
  await t.rejects(
    plane.client.get({ apiVersion: "v1", kind: "ServiceAccount", namespace: NAMESPACE, name: RELEASE }),
    KubernetesError,
    "the rest is gone",
  );
  t.strictSame(await firewall.members("web"), before, "the firewall's group is as it was");
  await other.plane.client.delete(DEFINITION);
  await pusher.logged(
    "that b is not verified any more",
    ({ msg, cluster }) => cluster === "b" && msg.startsWith("the cluster is not verified"),
  );
  t.strictSame(await firewall.members("web"), before, "deleting the definitions takes nothing off either");
  const written = firewall.writes(calm).filter(({ body }) => !JSON.stringify(body ?? "").includes("own"));
  t.strictSame(written, [], "nothing was written since the first upgrade, but the group that the test added");
});

/** The chart as a package of an earlier version, whose definition lacks a field. */
function olderChart(helm: Helm): string {
  const folder = join(helm.directory, "older");
  cpSync(chartFolder("podgate-watcher"), folder, { recursive: true });
  const file = join(folder, "files", "crds", "podgate.dev_clusteraddressgroups.yaml");
  const definition = parse(readFileSync(file, "utf8")) as Definition;
  for (const { schema } of definition.spec.versions) {
    const { spec } = schema.openAPIV3Schema.properties;
    delete spec.properties["nodeAddressType"];
    // A rule of it names the field.
    delete spec["x-kubernetes-validations"];
  }
  writeFileSync(file, stringify(definition));
  helm.ok("package", folder, "--version", "0.0.9", "--destination", helm.directory);
  return join(helm.directory, "podgate-watcher-0.0.9.tgz");
}

/** What the running watcher does not do by itself in so short a life. */
async function useEveryRight({ client }: ControlPlane, watcher: Service): Promise<void> {
  const own = { ...ADDRESS_GROUP, kind: "AddressGroup" };
  await client.apply({ ...GROUP, ...own, metadata: { name: "own", namespace: "shop" } });
  await until("the status of an AddressGroup", async () => {
    const { status } = await client.get({ ...own, namespace: "shop", name: "own" });
    return status;
  });
  // Two definitions of one firewall group: the later one is refused, and an Event says so.
  const rival = group("rival", "web");
  await client.apply({ ...rival, spec: { ...(rival["spec"] as object), groupName: "web" } });
  await until("an Event", async () => (await client.list({ apiVersion: "v1", kind: "Event" })).find(isOurs));
  const [pod] = await client.list({ apiVersion: "v1", kind: "Pod", namespace: "shop" });
  const command = (...args: string[]): void => {
    const all = [bundleOf("watcher"), ...args, "--config", watcher.configFile];
    const { status, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  };
  command("check");
  command("explain", `shop/${pod?.metadata.name}`);
}

const isOurs = (event: KubernetesObject): boolean =>
  (event["involvedObject"] as { kind?: string } | undefined)?.kind === ADDRESS_GROUP.kind;

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: {
          readonly properties: {
            readonly spec: {
              readonly properties: Record<string, unknown>;
              "x-kubernetes-validations"?: unknown;
            };
          };
        };
      };
    }[];
  };
}

async function hasNodeAddressType({ client }: ControlPlane): Promise<boolean> {
  const { spec } = (await client.get(DEFINITION)) as unknown as Definition;
  return spec.versions.every(
    ({ schema }) => "nodeAddressType" in schema.openAPIV3Schema.properties.spec.properties,
  );
}
