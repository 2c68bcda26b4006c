import t from "tap";
import type { Bucket, Bus } from "@podgate/shared/bus/bus";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { buckets } from "@podgate/shared/bus/topology";
import {
  buildClusterStatus,
  buildTargetStatus,
  clusterStatusKey,
  STATUS_BUCKET,
  targetStatusKey,
  type ClusterStatus,
  type TargetStatus,
} from "@podgate/shared/contract/status";
import type { Logger } from "@podgate/shared/runtime/logger";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import { Reports } from "../../src/status/reports.ts";
import { StatusLoop } from "../../src/status/status-loop.ts";
import { ApiServer } from "./api-server.ts";
import { CLUSTER, inStep, pusher, target } from "./facts.ts";

class Scene {
  readonly clock = new VirtualClock();
  readonly api = new ApiServer();
  readonly lines: string[] = [];
  readonly loop: StatusLoop;
  readonly reports: Reports;
  readonly #bucket: Bucket;
  readonly #ending = new AbortController();

  private constructor(bus: Bus, bucket: Bucket, clock: VirtualClock) {
    this.clock = clock;
    this.#bucket = bucket;
    const line = (_: unknown, message: string): void => void this.lines.push(message);
    const logger: Logger = { debug: () => undefined, info: line, warn: line, error: line };
    this.reports = new Reports({ bus, clock, logger, cluster: CLUSTER, onFlip: () => this.loop.ring() });
    this.loop = new StatusLoop({
      reports: this.reports,
      transport: this.api,
      clock,
      logger,
      source: () => this.api,
      asked: () => "synced",
    });
    void this.reports.run(this.#ending.signal);
    void this.loop.run(this.#ending.signal);
  }

  static async make({ leads = true } = {}): Promise<Scene> {
    const clock = new VirtualClock();
    const bus = new MemoryBusServer({ clock }).connect();
    for (const config of buckets()) await bus.createBucket(config);
    const scene = new Scene(bus, await bus.bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 }), clock);
    scene.loop.leads(leads);
    return scene;
  }

  async report(status: TargetStatus): Promise<void> {
    await this.#bucket.put(targetStatusKey(CLUSTER, status.target), buildTargetStatus(status));
  }

  async reportCluster(status: ClusterStatus): Promise<void> {
    await this.#bucket.put(clusterStatusKey(CLUSTER), buildClusterStatus(status));
  }

  put(key: string, text: string): Promise<number> {
    return this.#bucket.put(key, new TextEncoder().encode(text));
  }

  forget(name: string): Promise<void> {
    return this.#bucket.delete(targetStatusKey(CLUSTER, name));
  }

  end(): void {
    this.#ending.abort();
  }
}

t.test("members, targets and conditions come back into the cluster", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  scene.api.counts.set("web", 2);
  await scene.reportCluster(pusher());
  await scene.report(target("fw-1", { web: inStep(2) }));
  await scene.clock.run(6000);
  t.match(scene.api.status("web"), {
    observedGeneration: 1,
    group: "web",
    members: 2,
    targets: [{ name: "fw-1", firewallGroup: "web", desired: 2, applied: 2, inSync: true }],
    sharedNamespaces: [],
  });
  t.match(scene.api.condition("web", "InSync"), {
    status: "True",
    lastTransitionTime: /^1970-01-01T00:00:0/,
  });
  scene.end();
});

t.test("nothing is written while nothing changes, and what was written wakes nothing", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  await scene.clock.run(6000);
  const { length } = scene.api.writes;
  await scene.clock.run(120_000);
  t.equal(scene.api.writes.length, length);
  scene.end();
});

t.test("a status that the watch has not brought back yet is not written twice", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  scene.api.lagging = true;
  await scene.clock.run(60_000);
  t.equal(scene.api.writes.length, 1);
  scene.end();
});

t.test("a flip is written at once, numbers every five seconds", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  await scene.reportCluster(pusher());
  await scene.report(target("fw-1", { web: inStep(1) }));
  await scene.clock.run(20_100);
  await scene.report(target("fw-1", { web: { ...inStep(2), applied: 1, inSync: false } }));
  await scene.clock.run(300);
  t.match(scene.api.condition("web", "InSync"), { status: "False", reason: "Behind" });
  const { length } = scene.api.writes;
  for (let members = 3; members < 43; members += 1) {
    await scene.report(target("fw-1", { web: { ...inStep(members), applied: 1, inSync: false } }));
    await scene.clock.run(250);
  }
  t.ok(scene.api.writes.length - length <= 3, `${scene.api.writes.length - length} writes in 10 s`);
  scene.end();
});

t.test("a flip writes its own group; the numbers of others wait for their round", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  scene.api.define("batch");
  await scene.reportCluster(pusher());
  await scene.report(target("fw-1", { web: inStep(1), batch: inStep(1) }));
  await scene.clock.run(20_100);
  const { length } = scene.api.writes;
  scene.api.counts.set("batch", 9);
  await scene.report(target("fw-1", { web: { ...inStep(1), inSync: false }, batch: inStep(9) }));
  await scene.clock.run(300);
  t.strictSame(
    scene.api.writes.slice(length).map(({ path }) => path.split("/").at(-2)),
    ["web"],
  );
  await scene.clock.run(6000);
  t.equal(scene.api.status("batch")["members"], 9);
  scene.end();
});

t.test("numbers are brought up to date although something else flips all the time", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  scene.api.define("batch");
  await scene.reportCluster(pusher());
  for (let n = 0; n < 60; n += 1) {
    scene.api.counts.set("web", n);
    await scene.report(target("fw-1", { web: inStep(1), batch: { ...inStep(1), inSync: n % 2 === 0 } }));
    await scene.clock.run(250);
  }
  t.ok(Number(scene.api.status("web")["members"]) > 30, "not older than a few seconds");
  scene.end();
});

t.test("the transition time stays while a condition's status does", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  await scene.reportCluster(pusher());
  await scene.report(target("fw-1", { web: { ...inStep(2), applied: 1, inSync: false } }));
  await scene.clock.run(6000);
  const since = scene.api.condition("web", "InSync")?.["lastTransitionTime"];
  await scene.report(target("fw-1", { web: { ...inStep(2), applied: 0, inSync: false } }));
  await scene.clock.run(30_000);
  t.match(scene.api.condition("web", "InSync"), {
    message: "fw-1: 0 of 2 members",
    lastTransitionTime: since,
  });
  await scene.report(target("fw-1", { web: inStep(2) }));
  await scene.clock.run(6000);
  t.not(scene.api.condition("web", "InSync")?.["lastTransitionTime"], since);
  scene.end();
});

t.test("a group that is not routed says so, and one whose target is gone is reported no more", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  await scene.reportCluster(pusher());
  await scene.report(target("fw-1", { web: inStep(1) }));
  await scene.clock.run(6000);
  await scene.forget("fw-1");
  await scene.reportCluster(pusher({ unrouted: { web: "no route names this group" } }));
  await scene.clock.run(300);
  t.match(scene.api.condition("web", "InSync"), { reason: "NotRouted" });
  t.strictSame(scene.api.status("web")["targets"], []);
  scene.end();
});

t.test("a definition that became invalid loses its group in the status", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  await scene.clock.run(6000);
  t.equal(scene.api.status("web")["group"], "web");
  scene.api.define("web", { addresses: "Service" });
  await scene.clock.run(6000);
  t.notOk("group" in scene.api.status("web"));
  t.match(scene.api.condition("web", "Accepted"), { status: "False", reason: "Invalid" });
  t.match(scene.api.events, [
    { reason: "Invalid", involvedObject: { name: "web" }, metadata: { namespace: "default" } },
  ]);
  scene.end();
});

t.test("node mode names the other namespaces on its nodes", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web", { addresses: "Node" });
  scene.api.shared = ["kube-system", "ops"];
  await scene.clock.run(6000);
  t.strictSame(scene.api.status("web")["sharedNamespaces"], ["kube-system", "ops"]);
  scene.end();
});

t.test("a replica that does not lead, or is blind, writes nothing", async (t) => {
  const scene = await Scene.make({ leads: false });
  scene.api.define("web");
  await scene.clock.run(20_000);
  t.equal(scene.api.writes.length, 0);
  scene.api.fresh = false;
  scene.loop.leads(true);
  await scene.clock.run(20_000);
  t.equal(scene.api.writes.length, 0);
  scene.api.fresh = true;
  await scene.clock.run(6000);
  t.equal(scene.api.writes.length, 1);
  scene.end();
});

t.test("a report that cannot be read is passed over; the others count", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  await scene.put(targetStatusKey(CLUSTER, "broken"), "{");
  await scene.reportCluster(pusher());
  await scene.report(target("fw-1", { web: inStep(1) }));
  await scene.clock.run(6000);
  t.match(scene.api.condition("web", "InSync"), { status: "True" });
  scene.end();
});

t.test("InSync is Unknown two minutes after the pusher's last word, until it speaks again", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  await scene.report(target("fw-1", { web: inStep(1) }));
  for (let minute = 0; minute < 5; minute += 1) {
    await scene.reportCluster(pusher({ updatedAt: minute }));
    await scene.clock.run(60_000);
    t.match(scene.api.condition("web", "InSync"), { status: "True" }, "it is renewed");
  }
  await scene.clock.run(50_000);
  t.match(scene.api.condition("web", "InSync"), { status: "True" });
  await scene.reportCluster(pusher({ updatedAt: 4 }));
  await scene.clock.run(20_000);
  t.match(
    scene.api.condition("web", "InSync"),
    { status: "Unknown", reason: "PusherSilent" },
    "the same word delivered again is no news",
  );
  await scene.reportCluster(pusher({ updatedAt: 5 }));
  await scene.clock.run(6000);
  t.match(scene.api.condition("web", "InSync"), { status: "True" });
  scene.end();
});

t.test("a refused write is tried again and stops nothing", async (t) => {
  const scene = await Scene.make();
  scene.api.define("web");
  scene.api.refusing = true;
  await scene.clock.run(20_000);
  t.ok(scene.lines.includes("the status could not be written"));
  scene.api.refusing = false;
  await scene.clock.run(6000);
  t.equal(scene.api.status("web")["group"], "web");
  scene.end();
});

t.test("Events come at a limited rate, whatever happens", async (t) => {
  const scene = await Scene.make();
  for (let n = 0; n < 500; n += 1) scene.api.define(`web-${n}`, { addresses: "Service" });
  await scene.clock.run(6000);
  t.ok(scene.api.events.length >= 20 && scene.api.events.length <= 25, `${scene.api.events.length} Events`);
  t.equal(scene.api.writes.length, 500, "each says it in its status");
  scene.end();
});

t.test("the pusher's highest contract version is known as soon as it has reported", async (t) => {
  const scene = await Scene.make();
  t.equal(scene.reports.cluster()?.reads, undefined);
  await scene.reportCluster(pusher({ reads: 2 }));
  await scene.clock.run(10);
  t.equal(scene.reports.cluster()?.reads, 2);
  scene.end();
});
