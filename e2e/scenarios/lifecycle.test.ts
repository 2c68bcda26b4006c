import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import t from "tap";
import { membershipHistory } from "../stack/history.ts";
import { bundleOf, type Service } from "../stack/service.ts";
import { newWatcher } from "../stack/watcher.ts";
import { skip, stage, type Scene } from "./scene.ts";

const GROUP = "life";
const TAKEN_UP_MS = 20_000;
/** A watcher takes a name over that was silent for 15 of its heartbeats. */
const SILENT_MS = 60_000;

const on = stage(t, {
  clusters: { a: {}, b: { podCidr: "10.43.0.0/16" } },
  pusher: { configuration: { silentSeconds: 5 } },
});

/** A command of a service, with the configuration of the one that runs. */
function command(service: Service, kind: "watcher" | "pusher", ...args: readonly string[]) {
  const given = [bundleOf(kind), ...args, "--config", service.configFile];
  return new Promise<{ code: number; out: string }>((resolve) => {
    execFile(process.execPath, given, { env: {} }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: out + err }),
    );
  });
}

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly reason: string }[] };
}

/** Why the group is, or is not, in step, as the cluster says. */
async function reason(scene: Scene, cluster: string): Promise<string | undefined> {
  const where = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup", name: GROUP };
  const { status } = await scene.cluster(cluster).plane.client.get<Definition>(where);
  return status?.conditions?.find(({ type }) => type === "InSync")?.reason;
}

async function addresses(scene: Scene, cluster: string): Promise<string[]> {
  const pods = await scene.pods(GROUP, { cluster });
  return pods.flatMap((pod) => (pod["status"] as { podIP?: string } | undefined)?.podIP ?? []).toSorted();
}

async function untilHolds(scene: Scene, expected: readonly string[], ms = 30_000): Promise<void> {
  let held: readonly string[] | undefined;
  await scene.until(
    () => `${GROUP} to hold ${expected.join(" ")}; it holds ${held?.join(" ") ?? "nothing"}`,
    async () => {
      held = await scene.members(GROUP);
      return (held ?? []).join() === expected.join() || undefined;
    },
    ms,
  );
}

/** Six pods in cluster a and two in b, all in one group of the firewall. */
async function filled(scene: Scene): Promise<{ a: string[]; b: string[] }> {
  for (const [cluster, replicas] of [
    ["a", 6],
    ["b", 2],
  ] as const) {
    await scene.namespace(GROUP, { cluster });
    await scene.group(GROUP, { pods: { app: GROUP }, cluster });
    await scene.deployment(GROUP, GROUP, { cluster, replicas });
  }
  await scene.untilEqual(GROUP, { count: 8 });
  return { a: await addresses(scene, "a"), b: await addresses(scene, "b") };
}

const writes = (scene: Scene): number =>
  scene.stack
    .firewall()
    .simulator.log()
    .filter(({ method, userAgent }) => method !== "GET" && userAgent !== "podgate-e2e").length;

t.test(
  "drain empties what the cluster has on the firewall, also over a restart; resume fills it again",
  { skip },
  on(async (t, scene) => {
    const { b } = await filled(scene);
    const { watcher } = scene.cluster("a");
    const unasked = await command(watcher, "watcher", "drain");
    t.equal(unasked.code, 2, "without a terminal, nothing without --yes");
    t.match(unasked.out, /6 members of 1 groups leave every firewall/);
    await untilHolds(scene, [...(await addresses(scene, "a")), ...b].toSorted());

    const drained = await command(watcher, "watcher", "drain", "--yes");
    t.equal(drained.code, 0, drained.out);
    t.match(drained.out, /target fw: empty/);
    t.strictSame(await scene.members(GROUP), b, "when it ends, it is so");
    await scene.until("the status", async () => (await reason(scene, "a")) === "Draining" || undefined);
    await watcher.restart();
    await scene.scale(GROUP, GROUP, 7, { cluster: "a" });
    await watcher.logged("draining", ({ phase }) => phase === "draining");
    await new Promise((resolve) => setTimeout(resolve, 5000));
    t.strictSame(await scene.members(GROUP), b);

    const resumed = await command(watcher, "watcher", "resume");
    t.equal(resumed.code, 0, resumed.out);
    await scene.untilEqual(GROUP, { count: 9 });
    const states = membershipHistory(scene.stack.firewall(), GROUP);
    const first = states.findIndex(({ members }) => b.every((address) => members.has(address)));
    t.ok(
      states.slice(first).every(({ members }) => b.every((address) => members.has(address))),
      "the other cluster's members were there all the time",
    );
  }),
);

t.test(
  "in maintenance nothing of the cluster changes on the firewall, until resume",
  { skip },
  on(async (t, scene) => {
    const { watcher } = scene.cluster("a");
    const before = await scene.members(GROUP);
    const frozen = await command(watcher, "watcher", "maintenance");
    t.equal(frozen.code, 0, frozen.out);
    await scene.scale(GROUP, GROUP, 3, { cluster: "a" });
    await scene.until("the status", async () => (await reason(scene, "a")) === "Maintenance" || undefined);
    await scene.until(
      "the pods to go",
      async () => (await scene.pods(GROUP, { cluster: "a" })).length === 3 || undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 3000));
    t.strictSame(await scene.members(GROUP), before);
    t.equal((await command(watcher, "watcher", "resume")).code, 0);
    await scene.untilEqual(GROUP, { count: 5 });
  }),
);

t.test(
  "another configuration is taken without a restart and without a write; a faulty one is refused",
  { skip },
  on(async (t, scene) => {
    const { pusher } = scene.stack;
    const { pid } = pusher;
    const right = JSON.parse(readFileSync(pusher.configFile, "utf8")) as Record<string, unknown>;
    const before = writes(scene);
    let from = pusher.log.length;
    pusher.configure({ ...right, driftSeconds: 120 });
    await pusher.logged("taken", ({ msg }) => msg.startsWith("another configuration"), from, TAKEN_UP_MS);
    await scene.scale(GROUP, GROUP, 4, { cluster: "a" });
    await scene.untilEqual(GROUP, { count: 6 });
    t.equal(pusher.pid, pid);
    const since = writes(scene) - before;
    t.ok(since > 0 && since <= 2, `${since} writes: for the new pod alone`);

    from = pusher.log.length;
    pusher.configure({ ...right, routes: [], silentSeconds: 0 });
    process.kill(pid, "SIGHUP");
    const refused = await pusher.logged("refused", ({ faults }) => faults !== undefined, from, TAKEN_UP_MS);
    t.match((refused["faults"] as string[]).join("\n"), /routes[^]*silentSeconds|silentSeconds[^]*routes/);
    t.equal((await pusher.metrics()).get("podgate_pusher_configuration_valid"), 0);
    await scene.scale(GROUP, GROUP, 5, { cluster: "a" });
    await scene.untilEqual(GROUP, { count: 7 });

    from = pusher.log.length;
    pusher.configure(right);
    process.kill(pid, "SIGHUP");
    await pusher.logged("taken", ({ msg }) => msg.startsWith("another configuration"), from, TAKEN_UP_MS);
    t.equal((await pusher.metrics()).get("podgate_pusher_configuration_valid"), 1);
    await scene.untilEqual(GROUP, { count: 7 });
  }),
);

t.test(
  "a rebuilt cluster changes nothing until it is adopted by hash; the old one is refused from then on",
  { skip },
  on(async (t, scene) => {
    const { pusher, nats } = scene.stack;
    const { watcher: old } = scene.cluster("a");
    const { watcher: other, access } = scene.cluster("b");
    const before = await scene.members(GROUP);
    const gone = await addresses(scene, "a");
    const b = await addresses(scene, "b");
    await old.stop();
    await other.stop();
    // Cluster b stands for a that was rebuilt.
    const rebuilt = newWatcher({
      cluster: "a",
      nats,
      kubeconfig: access.kubeconfig,
      configuration: { heartbeatSeconds: 1 },
      name: "rebuilt",
    });
    try {
      await rebuilt.start();
      await rebuilt.logged("that it waits", ({ msg }) => msg.startsWith("another cluster publishes"));
      await rebuilt.logged("that it publishes", ({ phase }) => phase === "synced", 0, SILENT_MS);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      t.strictSame(await scene.members(GROUP), before, "nothing changes");
      const shown = await command(pusher, "pusher", "adopt-cluster", "a");
      t.equal(shown.code, 0, shown.out);
      t.match(shown.out, new RegExp(`${GROUP}: 2 join, ${gone.length} leave`));
      const hash = /--approve ([0-9a-f]+)/.exec(shown.out)?.[1] ?? "";
      const adopted = await command(pusher, "pusher", "adopt-cluster", "a", "--approve", hash, "--by", "e2e");
      t.equal(adopted.code, 0, adopted.out);
      await untilHolds(scene, b);

      await old.start();
      await old.logged("that it is refused", ({ msg }) => msg.startsWith("another cluster publishes"));
      await old.stop();
      t.strictSame(await scene.members(GROUP), b);
    } finally {
      await rebuilt.close();
    }
  }),
);

t.test(
  "a cluster that is gone keeps everything until it is forgotten by hash; then nothing is left, proven",
  { skip },
  on(async (t, scene) => {
    const { pusher } = scene.stack;
    const b = await addresses(scene, "b");
    const early = await command(pusher, "pusher", "forget-cluster", "a");
    t.equal(early.code, 0, early.out);
    t.strictSame(await scene.members(GROUP), b);
    for (const cluster of ["a", "b"]) {
      const shown = await command(pusher, "pusher", "forget-cluster", cluster);
      t.equal(shown.code, 0, shown.out);
      const hash = /--approve ([0-9a-f]+)/.exec(shown.out)?.[1] ?? "";
      const done = await command(pusher, "pusher", "forget-cluster", cluster, "--approve", hash);
      t.equal(done.code, 0, done.out);
      t.match(done.out, /target fw: read at .*, nothing is left/);
    }
    await scene.until("the group to go", async () => (await scene.members(GROUP)) === undefined || undefined);
  }),
);
