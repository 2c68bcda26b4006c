// The main job, shown: `npm run demo`.
import { once } from "node:events";
import { systemClock } from "@podgate/shared/runtime/clock";
import { optionsOr, parseCommand } from "../../scripts/options.ts";
import { judge, type Sighting } from "../scenarios/judge.ts";
import { startFirewall } from "../stack/firewall.ts";
import { membershipHistory } from "../stack/history.ts";
import { findGo } from "../tools/go.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { findTool, obtainTool, PartMissing } from "../tools/tool.ts";
import { NAMESPACE, present, realCluster, simulatedCluster, type DemoCluster } from "./kubernetes.ts";
import { Narrator } from "./narrator.ts";
import { embeddedBus, realBus, type DemoBus } from "./services.ts";

const HELP = `npm run demo -- [options]

Two clusters, three address groups, one simulated FortiGate: Deployments scale, a label moves, the pusher restarts, and
the firewall's groups follow. Takes the real parts that are at hand, and says for each which it is.

  --real        build and use every real part (NATS, two Kubernetes control planes); needs Go, minutes the first time
  --embedded    use the embedded stand-ins only
  --keep        stay up afterwards, for kubectl by hand, until Ctrl-C
  --help`;

const YES = { type: "boolean", default: false } as const;
const OPTIONS = { real: YES, embedded: YES, keep: YES };
const values = optionsOr(
  HELP,
  parseCommand(process.argv.slice(2), OPTIONS, (given) => {
    const { real, embedded } = given.values;
    if (real && embedded) given.faults.push("--real, --embedded: not both; remove one");
    return given.values;
  }),
);

const CONTROL_PLANE = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
] as const;
/** What the simulated firewall takes for a write. */
const WRITE_MS = 50;
const WAIT_MS = 60_000;
/** Longer than this in a group, or missing from it, is wrong. */
const BOUND_MS = 5000;

const QUIET_MS = 3000;

const closers: (() => Promise<void>)[] = [];
const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // The second one is from somebody who does not want to wait.
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort();
  });
}

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    return await show();
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    console.error(error instanceof PartMissing ? `needs ${error.message}` : error);
    return 1;
  } finally {
    for (const close of closers.toReversed()) await close().catch(() => undefined);
  }
}

async function show(): Promise<number> {
  const narrator = new Narrator();
  narrator.heading("Parts");
  const bus = await theBus();
  const [a, b] = await theClusters();
  const firewall = await startFirewall({ profile: "7.4", latency: { write: WRITE_MS } });
  closers.push(() => firewall.close());
  console.log(`  firewall     simulated FortiGate 7.4, ${String(WRITE_MS)} ms a write`);

  const pusher = keep(
    bus.pusher({
      install: "demo",
      clusters: [{ name: "a" }, { name: "b" }],
      targets: [{ name: "edge", url: firewall.url, tokenFile: firewall.tokenFile, caFile: firewall.caFile }],
      routes: [
        { targets: ["edge"], clusters: ["a", "b"], groups: ["shared"] },
        { targets: ["edge"], clusters: ["a"], groups: ["web", "web-nodes"] },
      ],
    }),
  );
  await pusher.start();
  for (const { name, kubeconfig } of [a, b]) await keep(bus.watcher(name, kubeconfig)).start();
  closers.push(() => narrator.stop());
  for (const cluster of [a, b]) {
    narrator.kubernetes(cluster);
    narrator.bus(bus.onlooker, cluster.name);
  }
  narrator.firewall(firewall.simulator);

  const members = (group: string): string[] => [...firewall.simulator.device.resolve("root", group, "ipv4")];
  const until = async (fault: () => Promise<string | undefined> | string | undefined): Promise<void> => {
    const deadline = performance.now() + WAIT_MS;
    for (let found = await fault(); found !== undefined; found = await fault()) {
      stopping.signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(found);
      await systemClock.sleep(50);
    }
  };
  const holds = (group: string, wanted: () => Promise<string[]> | string[]): Promise<void> =>
    until(async () => {
      const want = (await wanted()).toSorted();
      const isSame = JSON.stringify(members(group).toSorted()) === JSON.stringify(want);
      return isSame ? undefined : `${group} holds ${members(group).join()}, not ${want.join()}`;
    });
  const web = (count: number) => holds("web", () => exactly(count, addressesOf("web", a)));
  const shared = (count: number) => holds("shared", () => exactly(count, addressesOf("api", a, b)));

  narrator.heading(
    "Three groups are defined: web (pods), web-nodes (their nodes), shared (pods of both clusters)",
  );
  await a.defineGroup("web", selecting("web"));
  await a.defineGroup("web-nodes", { ...selecting("web"), addresses: "Node" });
  for (const cluster of [a, b]) await cluster.defineGroup("shared", selecting("api"));
  console.log("  (5 s in which another pusher could tell that it knows these clusters' names)");
  for (const group of ["web", "web-nodes", "shared"])
    await until(() => (firewall.simulator.device.group("root", group) ? undefined : `there is no ${group}`));
  narrator.heading("The Deployments web (cluster a) and api (both clusters) start with one pod each");
  await Promise.all([a.scale("web", 1), a.scale("api", 1), b.scale("api", 1)]);
  await Promise.all([web(1), shared(2), holds("web-nodes", () => a.nodesOf("web"))]);

  await quiet(narrator);
  narrator.heading("web and api (cluster b) scale to 3");
  await Promise.all([a.scale("web", 3), b.scale("api", 3)]);
  await Promise.all([web(3), shared(4), holds("web-nodes", () => a.nodesOf("web"))]);

  await quiet(narrator);
  narrator.heading("A pod of web loses its label: out of the group at once; the Deployment replaces it");
  const pod = await a.unlabel("web");
  const [freed = ""] = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  narrator.line("cluster a", `label app taken off ${pod.metadata.name}`);
  await holds("web", () =>
    exactly(
      3,
      addressesOf("web", a).filter((address) => address !== freed),
    ),
  );
  await holds("web-nodes", () => a.nodesOf("web"));

  await quiet(narrator);
  narrator.heading("The pusher restarts: nothing changed, so nothing is written");
  const before = firewall.writes().length;
  await pusher.stop();
  await pusher.start();
  await quiet(narrator);
  const atRestart = firewall.writes().length - before;
  narrator.line("firewall", `${String(atRestart)} writes since the pusher was stopped`);
  narrator.heading("web and api scale back to 1");
  await Promise.all([a.scale("web", 1), b.scale("api", 1)]);
  await Promise.all([
    holds("web", () => addressesOf("web", a)),
    shared(2),
    holds("web-nodes", () => a.nodesOf("web")),
  ]);
  const end = Date.now();

  narrator.look();
  const verdicts = [
    { group: "web", app: "web", clusters: [a] },
    { group: "shared", app: "api", clusters: [a, b] },
  ].map(({ group, app, clusters }) => {
    const sightings = clusters.flatMap((cluster) => cluster.sightings).toSorted(byTime);
    const selects = (each: Sighting["object"]): boolean => each.metadata.labels?.["app"] === app;
    return judge(group, sightings, selects, membershipHistory(firewall, group), {
      boundMs: BOUND_MS,
      until: end,
    });
  });
  const wrong = verdicts.flatMap((verdict) => verdict.wrong);
  const writes = firewall.writes();
  narrator.heading("Summary");
  console.log(`  events on the bus        ${String(narrator.events)}`);
  console.log(
    `  writes to the firewall   ${String(writes.length)} (${String(atRestart)} at the restart of the pusher)`,
  );
  console.log(`  pod event → firewall     add ${spread(narrator.adds)}`);
  console.log(`                           remove ${spread(narrator.removes)}`);
  console.log(`  wrong members            ${String(wrong.length)}`);
  for (const each of wrong) console.log(`    ${each}`);

  if (values.keep && !stopping.signal.aborted) await stayUp([a, b], firewall.simulator.controlUrl);
  else {
    console.log("\nTry next: npm run demo -- --keep (stay up), npm run demo -- --real (every real part),");
    console.log("          npm run stack (a development stack), npm test, npm run bench");
  }
  return wrong.length === 0 ? 0 : 1;
}

/** A nats-server that is there or built within a minute; else the stand-in. */
async function theBus(): Promise<DemoBus> {
  const at = values.embedded ? undefined : findTool("nats-server");
  if (!values.embedded && (at !== undefined || values.real || !("missing" in findGo()))) {
    const { from } = await obtainTool("nats-server", (line) => console.log(`  ${line}`));
    console.log(`  NATS         real nats-server (${from}); watchers and pusher are the built programs`);
    return keep(await realBus(["a", "b"]));
  }
  console.log(
    "  NATS         embedded stand-in; watchers and pusher run in this process (Go brings the real ones)",
  );
  return keep(embeddedBus());
}

async function theClusters(): Promise<[DemoCluster, DemoCluster]> {
  const cached = CONTROL_PLANE.every((name) => findTool(name) !== undefined);
  const real = values.real || (cached && !values.embedded);
  if (values.real) {
    for (const name of STACK_PARTS) await obtainTool(name, (line) => console.log(`  ${line}`));
  }
  console.log(
    real
      ? "  Kubernetes   two real control planes; KWOK runs nodes and pods"
      : `  Kubernetes   embedded stand-in${values.embedded ? "" : " (--real builds two control planes)"}`,
  );
  const make = real ? realCluster : simulatedCluster;
  const a = keep(await make("a", { pods: "10.42", nodes: "192.168.1" }));
  const b = keep(await make("b", { pods: "10.43", nodes: "192.168.2" }));
  return [a, b];
}

async function stayUp(clusters: readonly DemoCluster[], controlUrl: string): Promise<void> {
  console.log("\nStaying up. By hand:");
  for (const { name, adminKubeconfig } of clusters) {
    if (adminKubeconfig === undefined) continue;
    const app = name === "a" ? "web" : "api";
    const kubectl = findTool("kubectl")?.path ?? "kubectl";
    console.log(
      `  ${kubectl} --kubeconfig ${adminKubeconfig} -n ${NAMESPACE} scale deployment ${app} --replicas 5`,
    );
  }
  console.log(`  the firewall's groups as they are now: ${controlUrl}`);
  console.log("Ctrl-C ends it.");
  await once(stopping.signal, "abort");
}

function keep<T extends { close(): Promise<void> }>(thing: T): T {
  closers.push(() => thing.close());
  return thing;
}

/** The pusher spares the device: ten calls at once, then four a second. What follows is shown on a full budget. */
async function quiet(narrator: Narrator): Promise<void> {
  narrator.heading(`(${String(QUIET_MS / 1000)} s of quiet, in which the budget of calls fills up again)`);
  await systemClock.sleep(QUIET_MS, stopping.signal);
}

function selecting(app: string): object {
  return { podSelector: { matchLabels: { app } } };
}

function addressesOf(app: string, ...clusters: readonly DemoCluster[]): string[] {
  return clusters
    .flatMap(({ sightings }) => present(sightings, app))
    .flatMap(({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip));
}

/** Never equal to a group while the Deployment is on its way. */
function exactly(count: number, addresses: readonly string[]): string[] {
  return addresses.length === count ? [...addresses] : [`${String(count)} pods`];
}

function byTime(x: Sighting, y: Sighting): number {
  return x.at - y.at;
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((x, y) => x - y);
  const at = (share: number): string =>
    String(Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0));
  return sorted.length === 0 ? "none" : `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${String(sorted.length)})`;
}
