import t from "tap";
import { buckets } from "@podgate/shared/bus/topology";
import {
  buildClusterStatus,
  buildTargetStatus,
  STATUS_BUCKET,
  type TargetStatus,
} from "@podgate/shared/contract/status";
import { LeaseElection } from "../src/kubernetes/lease.ts";
import { drain, resume, toMaintenance, type PhaseChangePorts } from "../src/phase-change.ts";
import { LeaseStore } from "./kubernetes/lease-store.ts";
import { CLUSTER, Scene, STREAM } from "./publish/scene.ts";

const PLACE = { namespace: "podgate", name: "podgate-watcher" };

/** A watcher that leads by a Lease of an API server, and a person at a terminal. */
async function operated(answer = true) {
  const scene = await Scene.make();
  const { clock, operator: bus } = scene;
  const store = new LeaseStore();
  const said: string[] = [];
  for (const config of buckets()) await bus.createBucket(config);
  const bucket = await bus.bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 });
  const ports: PhaseChangePorts = {
    bus,
    transport: store.client(),
    clock,
    say: (line) => void said.push(line),
    confirm: () => Promise.resolve(answer),
  };
  const lease = {
    leadership: (identity: string) =>
      new LeaseElection({
        transport: store.client(),
        clock,
        ...PLACE,
        identity,
        seconds: 10,
        onError: () => undefined,
      }),
  };
  return {
    scene,
    store,
    said,
    watcher: (name = "a") => scene.watcher(name, { lease }),
    /** What the pusher says of target fw1. */
    status: async (applied: number, more: Partial<TargetStatus> = {}) => {
      const updatedAt = clock.now();
      const group = { firewallGroup: "web", desired: applied, applied, inSync: true };
      await bucket.put(
        CLUSTER,
        buildClusterStatus({ v: 1, cluster: CLUSTER, reads: 1, verified: true, unrouted: {}, updatedAt }),
      );
      await bucket.put(
        `${CLUSTER}.fw1`,
        buildTargetStatus({
          v: 1,
          cluster: CLUSTER,
          target: "fw1",
          mode: "enforce",
          groups: { web: group },
          appliedSequence: 0,
          lastSuccess: updatedAt,
          updatedAt,
          ...more,
        }),
      );
    },
    lastEvent: async () =>
      (await bus.lastMessage(STREAM, `podgate.members.${CLUSTER}.>`))?.sequence ?? Number.NaN,
    async run(change: typeof drain, waitMs = 30_000): Promise<number> {
      let code: number | undefined;
      void change({ cluster: CLUSTER, lease: PLACE, waitMs }, ports).then((ended) => (code = ended));
      await clock.run(120_000, () => code !== undefined);
      return code ?? Number.NaN;
    },
  };
}

t.test("maintenance is confirmed by the watcher's word on the bus, and resume by synced", async (t) => {
  const o = await operated();
  o.scene.cluster.join("web", "10.0.0.1");
  const watcher = o.watcher();
  await o.scene.settled();
  t.equal(await o.run(toMaintenance), 0);
  t.equal(o.scene.fold.states.at(-1)?.phase, "maintenance");
  t.match(o.said.join("\n"), /its watcher says maintenance/);
  t.equal(await o.run(toMaintenance), 0, "asked again, it is so already");
  t.equal(await o.run(resume), 0);
  t.equal(o.scene.fold.states.at(-1)?.phase, "synced");
  t.match(o.said.at(-1), /1 members of 2 groups/);
  await o.scene.end(watcher);
});

t.test("without a watcher nothing is confirmed, and the next one obeys all the same", async (t) => {
  const o = await operated();
  t.equal(await o.run(toMaintenance, 5000), 1);
  t.match(o.said.at(-1), /not confirmed within 5 s/);
  const watcher = o.watcher();
  await o.scene.clock.run(5000);
  t.equal(o.scene.fold.states.at(-1)?.phase, "maintenance");
  await o.scene.end(watcher);
});

t.test("drain shows what goes, and a no changes nothing", async (t) => {
  const o = await operated(false);
  o.scene.cluster.join("web", "10.0.0.1");
  const watcher = o.watcher();
  await o.scene.settled();
  await o.status(1);
  t.equal(await o.run(drain), 1);
  t.match(o.said, [
    /1 members of 2 groups leave/,
    /target fw1: 1 members of 1 groups/,
    "nothing was changed",
  ]);
  t.equal(o.store.lease?.metadata.annotations, undefined);
  await o.scene.end(watcher);
});

t.test("drain is over when every target says that it holds nothing, of all that was published", async (t) => {
  const o = await operated();
  o.scene.cluster.join("web", "10.0.0.1");
  const watcher = o.watcher();
  await o.scene.settled();
  await o.status(1);
  let code: number | undefined;
  const draining = o.run(drain).then((ended) => (code = ended));
  t.ok(await o.scene.clock.run(10_000, () => o.scene.fold.members.size === 0));
  await o.status(0);
  await o.scene.clock.run(5000);
  t.equal(code, undefined, "empty, but of an older place of the stream");
  await o.status(0, { appliedSequence: await o.lastEvent() });
  await draining;
  t.equal(code, 0);
  t.match(o.said.slice(-2), [/target fw1: empty/, /cluster east is drained/]);
  await o.scene.end(watcher);
});

t.test(
  "what a pusher says that has not read the target yet is no proof, also where the stream has no member",
  async (t) => {
    const o = await operated();
    const watcher = o.watcher();
    await o.scene.settled();
    await o.status(0, { groups: {}, lastSuccess: 0 });
    let code: number | undefined;
    const draining = o.run(drain).then((ended) => (code = ended));
    await o.scene.clock.run(10_000);
    t.equal(o.scene.fold.states.at(-1)?.phase, "draining");
    t.equal(code, undefined, "it may hold whatever was there before the stream was lost");
    await o.status(0, { groups: {}, appliedSequence: o.scene.fold.states.at(-1)?.epoch.sequence ?? 0 });
    await draining;
    t.equal(code, 0);
    await o.scene.end(watcher);
  },
);

t.test("drain is not confirmed while a target holds members, or nobody reports", async (t) => {
  const o = await operated();
  o.scene.cluster.join("web", "10.0.0.1");
  const watcher = o.watcher();
  await o.scene.settled();
  t.equal(await o.run(drain), 1);
  t.match(o.said.join("\n"), /no pusher reports on this cluster/);
  await o.status(1, { mode: "paused" });
  t.equal(await o.run(drain), 1);
  t.match(o.said.join("\n"), /not confirmed: target fw1: 1 members of 1 groups; mode paused/);
  await o.scene.end(watcher);
});
