import t from "tap";
import { streamWire } from "@podgate/shared/bus/stream-wire";
import { streamFor } from "@podgate/shared/bus/topology";
import { memberSubject, pokeSubject, stateSubject } from "@podgate/shared/contract/subjects";
import { Cluster } from "./cluster.ts";
import { CLUSTER, Lease, Scene, STREAM } from "./scene.ts";

const many = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);

t.test("claims, publishes what the cluster holds, and only then says synced", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  scene.cluster.join("batch", "10.0.0.2");
  const watcher = scene.watcher("a");
  t.ok(await scene.settled());
  const [claim] = scene.fold.states;
  t.equal(claim?.phase, "syncing");
  t.equal(claim?.epoch.sequence, claim?.sequence);
  const firstSynced = scene.fold.states.find(({ phase }) => phase === "synced")?.sequence ?? 0;
  t.ok(scene.fold.events.every(({ sequence }) => sequence < firstSynced));
  t.strictSame(scene.fold.states.at(-1)?.groups, ["web", "batch"]);
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test("every change is published as it happens and counted at the next state message", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  scene.cluster.join("web", "10.0.0.1");
  scene.cluster.join("web", "10.0.0.2");
  scene.cluster.leave("web", "10.0.0.1", "changed");
  const before = scene.clock.monotonic();
  t.ok(await scene.settled());
  t.ok(scene.clock.monotonic() - before < 100);
  scene.cluster.leave("web", "10.0.0.2", "ended");
  await scene.settled();
  t.match(scene.fold.events.at(-1), { op: "remove", cause: "ended", owners: [{ name: "pod-10.0.0.2" }] });
  await scene.clock.run(4000);
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test("a state message comes every heartbeat while nothing happens", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  const before = scene.fold.states.length;
  await scene.clock.run(20_000);
  t.equal(scene.fold.states.length - before, 10);
  await scene.end(watcher);
});

t.test("synced is taken back at once when a watch breaks, and comes again with the watch", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  const watcher = scene.watcher("a");
  await scene.settled();
  await scene.clock.run(500);
  const before = scene.fold.states.length;
  const at = scene.clock.monotonic();
  scene.cluster.blind(true);
  await scene.clock.run(10_000);
  const since = scene.fold.states.slice(before);
  t.equal(since[0]?.at, at, "without waiting for the heartbeat");
  t.ok(since.every(({ phase }) => phase === "syncing"));
  scene.cluster.blind(false);
  t.ok(await scene.settled(100));
  t.strictSame(scene.fold.phases(), ["syncing", "synced", "syncing", "synced"]);
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test(
  "blind while the bus is away, it says syncing right behind the synced that was on its way",
  async (t) => {
    const scene = await Scene.make();
    const watcher = scene.watcher("a");
    await scene.settled();
    scene.server.hold("a");
    await scene.clock.run(2500);
    scene.cluster.blind(true);
    await scene.clock.run(500);
    const before = scene.fold.states.length;
    // Both are on the wire: the second does not wait for the first one's answer.
    scene.server.release("a");
    t.strictSame(
      scene.fold.states.slice(before).map(({ phase }) => phase),
      ["synced", "syncing"],
    );
    await scene.end(watcher);
  },
);

t.test("a new group without members is told at once", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  await scene.clock.run(500);
  scene.cluster.define(["web", "batch", "empty"]);
  await scene.clock.run(10);
  t.strictSame(scene.fold.states.at(-1)?.groups, ["web", "batch", "empty"]);
  await scene.end(watcher);
});

t.test("a poke is answered with a state message, many pokes with one", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  await scene.clock.run(500);
  const before = scene.fold.states.length;
  for (let n = 0; n < 50; n += 1) scene.operator.notify(pokeSubject(CLUSTER));
  await scene.clock.run(400);
  t.equal(scene.fold.states.length - before, 1);
  await scene.end(watcher);
});

t.test("a large difference drains in order, with state messages that agree in between", async (t) => {
  const scene = await Scene.make();
  for (const address of many(5000)) scene.cluster.join("web", address);
  scene.server.hold("a");
  const watcher = scene.watcher("a");
  let freed = 0;
  // A slow bus: 150 messages a second.
  while (scene.fold.states.at(-1)?.phase !== "synced" && freed < 100_000) {
    await scene.clock.run(100);
    scene.server.release("a", 15);
    scene.server.hold("a");
    freed += 15;
  }
  scene.server.release("a");
  const draining = scene.fold.states.filter(({ phase, members }) => phase === "syncing" && members > 0);
  t.ok(draining.length >= 10, `${draining.length} state messages while draining`);
  const gaps = draining.map(({ at }, n) => at - (draining[n - 1]?.at ?? at));
  t.ok(Math.max(...gaps) <= 5000, `longest gap ${Math.max(...gaps)} ms`);
  t.ok(await scene.settled());
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

for (const handedOver of [false, true]) {
  t.test(
    `who vanished and is listed again, in no group, is told as edited out before the lists are${handedOver ? ", by another watcher, too" : ""}`,
    async (t) => {
      const scene = await Scene.make();
      for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) scene.cluster.join("web", address);
      const first = scene.watcher("a");
      await scene.settled();
      scene.cluster.leave("web", "10.0.0.1", "vanished");
      scene.cluster.leave("web", "10.0.0.2", "vanished");
      await scene.settled();
      await scene.clock.run(5000);
      if (handedOver) await scene.end(first);
      const watchers = handedOver ? [scene.watcher("b")] : [first];
      await scene.clock.run(5000);
      const before = scene.fold.events.length;
      t.equal(before, 5, "nothing is told while they are away");
      scene.cluster.unselected.add("uid-pod-10.0.0.1");
      await scene.clock.run(20_000);
      const news = scene.fold.events.slice(before);
      t.match(news, [{ op: "remove", group: "web", address: "10.0.0.1", cause: "unselected" }]);
      t.equal(news.length, 1);
      const lists = scene.fold.states.find(({ listed }) => listed["pods"] === 2);
      t.ok(Number(news[0]?.sequence) < Number(lists?.sequence));
      await scene.end(...watchers);
      t.strictSame(scene.fold.faults, []);
    },
  );
}

t.test(
  "while changes wait for a slow bus, the lists that are told are no longer than before them",
  async (t) => {
    const scene = await Scene.make();
    for (const address of many(10)) scene.cluster.join("web", address);
    const watcher = scene.watcher("a");
    await scene.settled();
    await scene.clock.run(5000);
    scene.server.hold("a");
    for (const address of many(3000).slice(10)) scene.cluster.join("web", address);
    for (let freed = 0; scene.fold.members.size < 3000 && freed < 10_000; freed += 15) {
      await scene.clock.run(100);
      scene.server.release("a", 15);
      scene.server.hold("a");
    }
    scene.server.release("a");
    await scene.clock.run(5000);
    const during = scene.fold.states.filter(({ members }) => members > 10 && members < 3000);
    t.ok(during.length >= 3, `${during.length} state messages while it drains`);
    for (const { phase, listed } of during)
      t.match({ phase, listed }, { phase: "synced", listed: { pods: 10 } });
    t.match(scene.fold.states.at(-1), { phase: "synced", listed: { pods: 3000 } });
    await scene.end(watcher);
    t.strictSame(scene.fold.faults, []);
  },
);

t.test("changes during an outage of the bus are published once, the newest of each member", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  const before = scene.fold.events.length;
  scene.server.stop();
  for (let n = 0; n < 1000; n += 1) {
    scene.cluster.join("web", "10.0.0.1");
    scene.cluster.leave("web", "10.0.0.1");
    await scene.clock.run(10);
  }
  scene.cluster.join("web", "10.0.0.1");
  scene.cluster.join("web", "10.0.0.2");
  await scene.clock.run(60_000);
  scene.server.start();
  t.ok(await scene.settled());
  // One change was on the wire when the connection went.
  t.ok(scene.fold.events.length - before <= 4, `${scene.fold.events.length - before} events`);
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test("another owner of an address that stays is told once a second at most", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1", "one");
  const watcher = scene.watcher("a");
  await scene.settled();
  const before = scene.fold.events.length;
  for (let n = 0; n < 50; n += 1) {
    scene.cluster.join("web", "10.0.0.1", "one", `other-${n}`);
    await scene.clock.run(100);
  }
  await scene.clock.run(2000);
  const told = scene.fold.events.slice(before);
  t.ok(told.length >= 4 && told.length <= 6, `${told.length} events in 5 s`);
  t.match(told.at(-1)?.owners, [{ name: "one" }, { name: "other-49" }]);
  await scene.end(watcher);
});

t.test(
  "an address that moved while no watcher ran leaves its old group before it joins the new one",
  async (t) => {
    const scene = await Scene.make();
    scene.cluster.join("web", "10.0.0.1", "pod-1");
    const first = scene.watcher("first");
    t.ok(await scene.settled());
    await scene.end(first);
    scene.cluster.leave("web", "10.0.0.1", "unselected");
    scene.cluster.join("batch", "10.0.0.1", "pod-1");
    const told = scene.fold.events.length;
    const second = scene.watcher("second");
    t.ok(await scene.settled());
    t.match(scene.fold.events.slice(told), [
      { op: "remove", group: "web" },
      { op: "add", group: "batch" },
    ]);
    t.same(scene.fold.faults, []);
    await scene.end(second);
  },
);

t.test("what changes while a first start is under way is told before the rest of it", async (t) => {
  const scene = await Scene.make();
  for (let n = 0; n < 2000; n += 1) scene.cluster.join("web", `10.1.${n >> 8}.${n & 255}`);
  const gone = `10.1.${1999 >> 8}.${1999 & 255}`;
  let isFirst = true;
  const take = scene.fold.take.bind(scene.fold);
  scene.fold.take = (message) => {
    take(message);
    if (scene.fold.events.length === 0 || !isFirst) return;
    isFirst = false;
    scene.cluster.leave("web", gone);
    scene.cluster.join("batch", "10.2.0.1");
  };
  const watcher = scene.watcher("first");
  t.ok(await scene.settled());
  const order = scene.fold.events.map(({ address }) => address);
  t.ok(order.indexOf("10.2.0.1") < 1000, `at place ${order.indexOf("10.2.0.1")}`);
  t.notOk(order.includes(gone), "what came and went unpublished leaves no trace");
  t.same(scene.fold.faults, []);
  await scene.end(watcher);
});

t.test("nothing is read back nor told while pods are listed whose namespace is not", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  scene.cluster.lacksNamespaces = true;
  const watcher = scene.watcher("a");
  await scene.clock.run(10_000);
  t.strictSame(scene.fold.events, []);
  t.strictSame(scene.fold.phases(), ["syncing"]);
  scene.cluster.lacksNamespaces = false;
  t.ok(await scene.settled());
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test("a second replica waits without a list and takes over as soon as the first one stops", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  const a = scene.watcher("a");
  await scene.settled();
  const b = scene.watcher("b");
  await scene.clock.run(10_000);
  t.equal(b.sources.length, 0, "a standby keeps no cache");
  const before = scene.clock.monotonic();
  a.stop();
  t.ok(await scene.clock.run(1000, () => b.sources.length > 0));
  t.ok(scene.clock.monotonic() - before < 50, "at once");
  t.strictSame(scene.lease.released, ["a"]);
  await scene.settled();
  const epochs = new Set(scene.fold.states.map(({ epoch }) => epoch.sequence));
  t.equal(epochs.size, 2);
  t.equal(scene.fold.events.length, 1, "nothing differs, nothing is published again");
  await scene.end(a, b);
  t.strictSame(scene.fold.faults, []);
});

t.test("a Lease that was just taken when SIGTERM broke the request off is given up", async (t) => {
  const scene = await Scene.make();
  const lease = {
    leadership: (name: string) => ({
      ...scene.lease.leadership(name),
      acquire: (signal: AbortSignal) =>
        new Promise<void>((_, reject) => {
          scene.lease.holder = name;
          signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
        }),
    }),
  };
  const watcher = scene.watcher("a", { lease });
  await scene.clock.run(100);
  await scene.end(watcher);
  t.equal(scene.lease.holder, "", "another replica need not wait until it expires");
});

t.test("what was in flight at SIGTERM is stored before the Lease is given up", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  scene.server.hold("a");
  scene.cluster.join("web", "10.0.0.1");
  await scene.clock.run(10);
  watcher.stop();
  await scene.clock.run(100);
  t.strictSame(scene.lease.released, []);
  scene.server.release("a");
  await scene.clock.run(100);
  t.strictSame(scene.lease.released, ["a"]);
  t.strictSame(scene.fold.keys(), ["web 10.0.0.1"]);
  await watcher.done;
});

t.test("who stops tells last what it listed, which the next list is measured by", async (t) => {
  const scene = await Scene.make();
  for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) scene.cluster.join("web", address);
  const watcher = scene.watcher("a");
  await scene.settled();
  scene.cluster.leave("web", "10.0.0.1");
  scene.cluster.leave("web", "10.0.0.2");
  await scene.clock.run(10);
  t.match(scene.fold.states.at(-1), { members: 3, listed: { pods: 3 } });
  await scene.end(watcher);
  t.match(scene.fold.states.at(-1), { phase: "synced", members: 1, listed: { pods: 1 } });
  t.strictSame(scene.fold.faults, []);
});

t.test("a stop ends in time although the bus does not answer", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  scene.server.hold("a");
  scene.cluster.join("web", "10.0.0.1");
  await scene.clock.run(10);
  watcher.stop();
  let over = false;
  void watcher.done.then(() => (over = true));
  t.ok(await scene.clock.run(6000, () => over));
});

t.test("a paused leader that wakes after a takeover publishes nothing", async (t) => {
  const scene = await Scene.make();
  const a = scene.watcher("a");
  await scene.settled();
  // Its process stands still, with an address on the wire that was never published before.
  scene.server.hold("a");
  scene.cluster.join("web", "10.9.9.9");
  await scene.clock.run(10);
  scene.cluster.leave("web", "10.9.9.9");
  scene.lease.expire({ noticed: false });
  const b = scene.watcher("b");
  t.ok(await scene.settled());
  const claim =
    scene.fold.states.findLast(({ epoch, sequence }) => epoch.sequence === sequence)?.sequence ?? 0;
  scene.server.release("a");
  scene.lease.notice("a");
  await scene.clock.run(10_000);
  t.notOk(scene.fold.events.some(({ address }) => address === "10.9.9.9"));
  const late = scene.fold.states.filter(({ sequence, epoch }) => sequence > claim && epoch.sequence < claim);
  t.strictSame(late, []);
  t.ok(a.troubles.includes("fenced") || a.lines.includes("not leading any more"));
  await scene.end(a, b);
  t.strictSame(scene.fold.faults, []);
});

t.test("a leader that did not notice that its Lease went leaves the stream to its successor", async (t) => {
  const scene = await Scene.make();
  const a = scene.watcher("a");
  t.ok(await scene.settled());
  scene.lease.expire({ noticed: false });
  const b = scene.watcher("b");
  t.ok(await scene.clock.run(10_000, () => a.troubles.includes("fenced")));
  t.ok(await scene.settled());
  const { epoch } = scene.fold.states.at(-1) ?? {};
  await scene.clock.run(60_000);
  t.same(scene.fold.states.at(-1)?.epoch, epoch, "there is no third reign");
  t.equal(a.sources.length, 1, "the old one did not even list again");
  await scene.end(a, b);
  t.strictSame(scene.fold.faults, []);
});

for (const answer of [1, 2])
  t.test(
    `a watcher that sleeps on answer ${answer} about its Lease, and wakes after a takeover, claims nothing`,
    async (t) => {
      const scene = await Scene.make();
      let answers = 0;
      const { promise: awake, resolve: wake } = Promise.withResolvers<void>();
      const lease = {
        leadership: (name: string) => {
          const leadership = scene.lease.leadership(name);
          const verify = async (signal: AbortSignal): Promise<boolean> => {
            const isOurs = await leadership.verify(signal);
            if ((answers += 1) === answer) await awake;
            return isOurs;
          };
          return { ...leadership, verify };
        },
      };
      const a = scene.watcher("a", { lease });
      t.ok(await scene.clock.run(1000, () => answers === answer));
      scene.lease.expire({ noticed: false });
      const b = scene.watcher("b");
      t.ok(await scene.settled());
      const { epoch } = scene.fold.states.at(-1) ?? {};
      wake();
      await scene.clock.run(60_000);
      t.same(scene.fold.states.at(-1)?.epoch, epoch);
      t.equal(
        new Set(scene.fold.states.map((state) => state.epoch.sequence)).size,
        1,
        "nobody else has claimed",
      );
      await scene.end(a, b);
      t.strictSame(scene.fold.faults, []);
    },
  );

t.test("who lost the Lease while it claims does not claim any more", async (t) => {
  const scene = await Scene.make();
  scene.server.stop();
  const a = scene.watcher("a");
  await scene.clock.run(3000);
  scene.server.start();
  scene.server.hold("a");
  await scene.clock.run(6000);
  scene.lease.expire({ noticed: true });
  scene.lease.holder = "somebody else";
  scene.server.release("a");
  scene.server.disconnectClients();
  await scene.clock.run(1);
  const states = scene.fold.states.length;
  await scene.clock.run(60_000);
  t.equal(scene.fold.states.length, states);
  await scene.end(a);
});

t.test(
  "fenced by a foreign write, the holder of the Lease claims again and repairs the stream",
  async (t) => {
    const scene = await Scene.make();
    scene.cluster.join("web", "10.0.0.1");
    const watcher = scene.watcher("a");
    await scene.settled();
    const info = await scene.operator.streamInfo(STREAM);
    await scene.operator.publish({
      stream: STREAM,
      subject: memberSubject(CLUSTER, "web", "10.0.0.7"),
      data: new TextEncoder().encode(JSON.stringify({ ...scene.fold.events[0], address: "10.0.0.7" })),
      expectLastSequence: info?.lastSequence ?? 0,
    });
    t.ok(await scene.settled(10_000));
    t.strictSame(watcher.troubles, ["fenced"]);
    t.match(scene.fold.events.at(-1), { op: "remove", address: "10.0.0.7" });
    await scene.end(watcher);
    t.strictSame(scene.fold.faults, []);
  },
);

t.test("a stream made anew is filled again within seconds", async (t) => {
  const scene = await Scene.make();
  for (const address of many(300)) scene.cluster.join("web", address);
  const watcher = scene.watcher("a");
  await scene.settled();
  scene.server.remakeStream(STREAM);
  scene.fold.reset([]);
  const at = scene.clock.monotonic();
  t.ok(await scene.settled(10_000));
  t.ok(scene.clock.monotonic() - at < 5000);
  t.equal(scene.fold.events.length, 600);
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test(
  "a stream restored from an older copy gets what it lost, and loses what has ended since",
  async (t) => {
    const scene = await Scene.make();
    scene.cluster.join("web", "10.0.0.1");
    scene.cluster.join("web", "10.0.0.2");
    const watcher = scene.watcher("a");
    await scene.settled();
    const copy = scene.server.snapshot(STREAM);
    const then = scene.fold.keys();
    scene.cluster.leave("web", "10.0.0.1");
    scene.cluster.join("batch", "10.0.0.3");
    await scene.settled();
    await scene.clock.run(10_000);
    scene.server.restore(STREAM, copy);
    scene.fold.reset(then);
    t.ok(await scene.settled(10_000));
    t.strictSame(scene.fold.keys(), ["batch 10.0.0.3", "web 10.0.0.2"]);
    await scene.end(watcher);
    t.strictSame(scene.fold.faults, []);
  },
);

t.test("a row that nobody can read is written again", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  for (const address of ["10.0.0.1", "10.0.0.2"]) {
    const info = await scene.operator.streamInfo(STREAM);
    const subject = memberSubject(CLUSTER, "web", address);
    const data = new TextEncoder().encode("{broken");
    await scene.operator.publish({
      stream: STREAM,
      subject,
      data,
      expectLastSequence: info?.lastSequence ?? 0,
    });
  }
  const watcher = scene.watcher("a");
  await scene.settled();
  await scene.clock.run(3000);
  t.match(
    scene.fold.events.map(({ op, address }) => `${String(op)} ${address}`),
    ["remove 10.0.0.2", "add 10.0.0.1"],
  );
  await scene.end(watcher);
});

t.test("without its stream a watcher says so once, waits, and begins when the stream is there", async (t) => {
  const scene = new Scene();
  scene.cluster.join("web", "10.0.0.1");
  const watcher = scene.watcher("a");
  await scene.clock.run(120_000);
  t.equal(watcher.lines.filter((line) => line.includes("stream does not exist")).length, 1);
  t.ok(watcher.troubles.length > 5, "counted each time");
  await scene.createStream();
  t.ok(await scene.settled(10_000));
  await scene.end(watcher);
});

t.test(
  "a stream that takes no removals is not claimed: field, value and fix are said once, until it is made anew",
  async (t) => {
    const scene = new Scene();
    scene.cluster.join("web", "10.0.0.1");
    scene.server.create({ ...streamWire(streamFor(CLUSTER)), allow_msg_ttl: false });
    const watcher = scene.watcher("a");
    await scene.clock.run(120_000);
    const said = watcher.lines.filter((line) => line.includes("allow_msg_ttl is false, should be true"));
    t.equal(said.length, 1);
    t.match(said[0], /PODGATE_east.*podgate-pusher bus init/);
    t.equal(scene.server.info(STREAM)?.messages, 0, "not even a claim");
    t.strictSame([...new Set(watcher.troubles)], ["unfit-stream"]);
    scene.server.deleteStream(STREAM);
    await scene.createStream();
    t.ok(await scene.settled(10_000));
    await scene.end(watcher);
  },
);

t.test("another cluster under the same name publishes nothing and says why once", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  const a = scene.watcher("a");
  await scene.settled();
  const other = new Cluster("uid-2");
  other.join("web", "10.99.0.1");
  const b = scene.watcher("b", { cluster: other, lease: new Lease() });
  await scene.clock.run(120_000);
  t.ok(scene.fold.states.every(({ clusterUid }) => clusterUid === "uid-1"));
  t.notOk(scene.fold.members.has("web 10.99.0.1"));
  t.equal(b.lines.filter((line) => line.includes("another cluster publishes under this name")).length, 1);
  t.equal(scene.fold.states.at(-1)?.phase, "synced");
  await scene.end(a, b);
});

t.test("of two clusters that begin under one name in the same instant only one ever claims", async (t) => {
  const scene = await Scene.make();
  const other = new Cluster("uid-2");
  const a = scene.watcher("a");
  const b = scene.watcher("b", { cluster: other, lease: new Lease() });
  await scene.clock.run(20_000);
  t.equal(new Set(scene.fold.states.map(({ clusterUid }) => clusterUid)).size, 1);
  t.equal(scene.fold.states.at(-1)?.phase, "synced");
  await scene.end(a, b);
  t.strictSame(scene.fold.faults, []);
});

t.test(
  "a rebuilt cluster publishes when the old one has been silent for long, with its own versions",
  async (t) => {
    const scene = await Scene.make();
    scene.cluster.join("web", "10.0.0.1");
    const a = scene.watcher("a");
    await scene.settled();
    await scene.end(a);
    const rebuilt = new Cluster("uid-2");
    rebuilt.version = 1;
    rebuilt.join("web", "10.99.0.1");
    const silentSince = scene.clock.monotonic();
    const b = scene.watcher("b", { cluster: rebuilt });
    t.ok(await scene.clock.run(60_000, () => scene.fold.members.has("web 10.99.0.1")));
    t.ok(scene.clock.monotonic() - silentSince >= 30_000);
    t.equal(b.sources[0]?.minimum, "");
    t.strictSame(scene.fold.keys(), ["web 10.99.0.1"]);
    t.ok(b.lines.some((line) => line.includes("podgate-pusher adopt-cluster east")));
    await scene.end(b);
  },
);

t.test("the cluster that the pusher knows takes its name back from another one at once", async (t) => {
  const scene = await Scene.make();
  const other = new Cluster("uid-2");
  const b = scene.watcher("b", { cluster: other, lease: new Lease() });
  await scene.clock.run(5000);
  t.equal(scene.fold.states.at(-1)?.clusterUid, "uid-2");
  scene.known = "uid-1";
  scene.cluster.join("web", "10.0.0.1");
  const a = scene.watcher("a");
  t.ok(await scene.settled(5000));
  await scene.clock.run(120_000);
  t.equal(scene.fold.states.at(-1)?.clusterUid, "uid-1");
  t.ok(b.troubles.includes("fenced") && b.troubles.includes("other-cluster"));
  await scene.end(a, b);
});

t.test("nothing is published in a contract version that the pusher does not read", async (t) => {
  const scene = await Scene.make();
  scene.reads = 0;
  const watcher = scene.watcher("a");
  await scene.clock.run(60_000);
  t.equal(scene.fold.states.length, 0);
  t.equal(watcher.lines.filter((line) => line.includes("upgrade the pusher first")).length, 1);
  scene.reads = 1;
  t.ok(await scene.settled(10_000));
  await scene.end(watcher);
});

t.test(
  "the next reign lists at least what the last one had seen, also when one in between saw nothing",
  async (t) => {
    const scene = await Scene.make();
    const a = scene.watcher("a");
    await scene.settled();
    const seen = scene.fold.states.at(-1)?.resourceVersion;
    await scene.end(a);
    scene.cluster.blind(true);
    const b = scene.watcher("b");
    await scene.clock.run(5000);
    await scene.end(b);
    t.equal(b.sources[0]?.minimum, seen);
    t.equal(scene.fold.states.at(-1)?.resourceVersion, seen);
    const c = scene.watcher("c");
    await scene.clock.run(1000);
    t.equal(c.sources[0]?.minimum, seen);
    await scene.end(c);
  },
);

t.test("the state subject holds the newest state for the next takeover", async (t) => {
  const scene = await Scene.make();
  const watcher = scene.watcher("a");
  await scene.settled();
  await scene.clock.run(10_000);
  const last = await scene.operator.lastMessage(STREAM, stateSubject(CLUSTER));
  t.equal(last?.sequence, scene.fold.states.at(-1)?.sequence);
  await scene.end(watcher);
});
