import { streamFor, TOPOLOGY_DEFAULTS } from "../../src/bus/topology.ts";
import { bucketWire, streamWire } from "../../src/bus/stream-wire.ts";
import type { Case } from "./contract.ts";
import { string, text, until } from "./environment.ts";
import { drained, outcome, Scene } from "./scene.ts";

/** Streams, compare-and-set, limits, permissions, buckets. */
export function storeCases(add: Case): void {
  add("a stream is made once and then left alone", async (t, env) => {
    const scene = await Scene.make(env);
    const first = await scene.info();
    t.same(first.differences, []);
    t.equal(first.messages, 0);
    t.equal(first.lastSequence, first.firstSequence - 1);
    t.ok(first.lastSequence > 1_600_000_000_000_000, "it begins at the microseconds since 1970");
    const config = {
      replicas: env.replicas,
      maxBytes: 1_000_000,
      maxMessages: 7,
      maxMessageBytes: 1000,
    } as const;
    const again = await scene.bus.createStream(streamFor(scene.cluster, config));
    t.equal(again.created, first.created);
    t.same(again.differences.toSorted(), [
      "max_bytes is 20000000, should be 1000000",
      "max_msg_size is 100000, should be 1000",
      "max_msgs is 20000, should be 7",
    ]);
    t.equal(await scene.bus.streamInfo("PODGATE_nowhere"), undefined);
  });

  add("a wrong existing configuration is reported field by field and not overwritten", async (t, env) => {
    const { bus } = await env.link();
    const right = streamFor("wrong", {
      replicas: 1,
      maxBytes: 1_000_000,
      maxMessages: 100,
      maxMessageBytes: 1000,
    });
    await env.createByHand({
      ...streamWire(right),
      max_msgs_per_subject: 5,
      allow_rollup_hdrs: true,
      deny_purge: false,
      allow_msg_ttl: false,
      discard: "old",
      subjects: ["podgate.members.wrong.>"],
    });
    const expected = [
      "allow_msg_ttl is false, should be true",
      "allow_rollup_hdrs is true, should be false",
      "deny_purge is false, should be true",
      'discard is "old", should be "new"',
      "max_msgs_per_subject is 5, should be 1",
    ];
    const whole = [
      ...expected,
      'subjects is ["podgate.members.wrong.>"], should be ["podgate.members.wrong.>","podgate.clusters.wrong"]',
    ];
    t.same((await bus.createStream(right)).differences.map(plain).toSorted(), whole.map(plain).toSorted());
    t.same((await bus.streamInfo(right.name))?.differences.map(plain).toSorted(), expected.map(plain));
  });

  add("a message is stored only at the expected place of the whole stream", async (t, env) => {
    const scene = await Scene.make(env);
    const start = (await scene.info()).lastSequence;
    t.equal(await scene.put("web/10.0.0.1", "one"), start + 1);
    t.equal(await scene.put("web/10.0.0.2", "two"), start + 2);
    const late = { stream: scene.stream, subject: scene.subject("web/10.0.0.3"), data: text("late") };
    for (const expectLastSequence of [start, start + 1, start + 3]) {
      t.equal(
        await outcome(scene.bus.publish({ ...late, expectLastSequence })),
        "BusError wrong-last-sequence",
      );
    }
    t.same(await scene.bus.lastMessage(scene.stream, late.subject), undefined);
    t.equal((await scene.info()).lastSequence, start + 2);
  });

  add("one message per subject; a replaced sequence is gone", async (t, env) => {
    const scene = await Scene.make(env);
    const first = await scene.put("web/10.0.0.1", "one");
    t.equal(string((await scene.bus.readMessage(scene.stream, first))?.data), "one");
    const second = await scene.put("web/10.0.0.1", "two");
    t.equal(await scene.bus.readMessage(scene.stream, first), undefined);
    const last = await scene.bus.lastMessage(scene.stream, scene.subject("web/10.0.0.1"));
    t.equal(last?.sequence, second);
    t.equal(string(last?.data), "two");
    t.ok(Math.abs((last?.storedAt ?? 0) - env.clock.now()) < 60_000);
    t.equal((await scene.info()).messages, 1);
  });

  add("of many subjects the newest message is found, and none where there are none", async (t, env) => {
    const scene = await Scene.make(env);
    const all = scene.subject("web/10.0.0.1").replace(/\.[^.]+\.[^.]+$/, ".>");
    t.equal(await scene.bus.lastMessage(scene.stream, all), undefined);
    await scene.put("web/10.0.0.1", "one");
    const second = await scene.put("web/10.0.0.2", "two");
    t.equal((await scene.bus.lastMessage(scene.stream, all))?.sequence, second);
    const third = await scene.put("web/10.0.0.1", "three");
    t.equal((await scene.bus.lastMessage(scene.stream, all))?.sequence, third);
  });

  add("a tombstone expires without a trace, and the last sequence stays", async (t, env) => {
    const scene = await Scene.make(env);
    const stored = await scene.put("web/10.0.0.1", "gone soon", 1);
    await until("expiry", async () => (await scene.bus.readMessage(scene.stream, stored)) === undefined);
    const info = await scene.info();
    t.equal(info.lastSequence, stored);
    t.equal(info.messages, 0);
    t.equal(await scene.put("web/10.0.0.1", "again"), stored + 1);
  });

  add("a stream that takes no TTL of a message says so, and refuses what has one", async (t, env) => {
    const { bus } = await env.link();
    // A server keeps what a deleted stream had reserved for a moment.
    const small = { maxBytes: 1_000_000, replicas: env.replicas };
    const config = streamFor("no-ttl", { ...TOPOLOGY_DEFAULTS, ...small });
    await env.createByHand({ ...streamWire(config), allow_msg_ttl: false });
    const info = await bus.streamInfo(config.name);
    t.same(info?.unfit.map(plain), ["allow_msg_ttl is off, should be true"]);
    const message = { stream: config.name, subject: "podgate.members.no-ttl.web.x", data: text("remove") };
    const expectLastSequence = info?.lastSequence ?? 0;
    t.equal(
      await outcome(bus.publish({ ...message, expectLastSequence, ttlSeconds: 3600 })),
      "BusError unfit-stream",
    );
    t.equal(await outcome(bus.publish({ ...message, expectLastSequence })), "done");
    await env.deleteStream(config.name);
    t.same((await bus.createStream(config)).unfit, [], "made anew it is fit");
  });

  add("what is too large, too much, or without a stream is refused as such", async (t, env) => {
    const scene = await Scene.make(env, { maxMessages: 2 });
    t.equal(await outcome(scene.put("web/10.0.0.1", "x".repeat(100_001))), "BusError too-large");
    await scene.put("web/10.0.0.1", "one");
    await scene.put("web/10.0.0.2", "two");
    t.equal(await outcome(scene.put("web/10.0.0.3", "three")), "BusError full");
    // Measured: one server lets a replacement into a full stream, a cluster of servers does not.
    const replaced = env.replicas === 1 ? "done" : "BusError full";
    t.equal(await outcome(scene.put("web/10.0.0.2", "replaced")), replaced);
    const nowhere = { stream: "PODGATE_nowhere", subject: "podgate.clusters.nowhere", data: text("x") };
    t.equal(await outcome(scene.bus.publish({ ...nowhere, expectLastSequence: 0 })), "BusError no-stream");
    const small = await Scene.make(env, { maxBytes: 4000 });
    t.equal(await outcome(fill(small, 50)), "BusError full");
  });

  add("a user without rights gets forbidden, whatever it asks", async (t, env) => {
    const scene = await Scene.make(env);
    const bus = await env.stranger();
    const message = { stream: scene.stream, subject: scene.subject("web/10.0.0.1"), data: text("x") };
    t.equal(await outcome(bus.streamInfo(scene.stream)), "BusError forbidden");
    t.equal(await outcome(bus.publish({ ...message, expectLastSequence: 0 })), "BusError forbidden");
    t.equal(await outcome(bus.readMessage(scene.stream, 1)), "BusError forbidden");
    t.equal(
      await outcome(drained(bus.consume(scene.stream, AbortSignal.timeout(5000)))),
      "BusError forbidden",
    );
    await bus.close();
  });

  add("a bucket holds, compares and forgets", async (t, env) => {
    const { bus } = await env.link();
    const config = { name: "bucket-one", replicas: env.replicas, maxBytes: 1_000_000 };
    const bucket = await bus.bucket(config, { create: true });
    t.equal(await bucket.get("a.t"), undefined);
    const created = await bucket.create("a.t", text("1"));
    t.equal(await outcome(bucket.create("a.t", text("2"))), "BusError wrong-last-sequence");
    t.same(string((await bucket.get("a.t"))?.value), "1");
    const updated = await bucket.update("a.t", text("3"), created);
    t.equal((await bucket.get("a.t"))?.revision, updated);
    t.equal(await outcome(bucket.update("a.t", text("4"), created)), "BusError wrong-last-sequence");
    await bucket.delete("a.t");
    t.equal(await bucket.get("a.t"), undefined);
    t.equal(await outcome(bucket.create("a.t", text("5"))), "done", "a deleted key can be created");
    t.ok((await bucket.put("b.t", text("6"))) > updated);
  });

  add("a bucket that would take rollups is refused", async (t, env) => {
    const { bus } = await env.link();
    const config = { name: "bucket-two", replicas: 1, maxBytes: 1_000_000 } as const;
    await env.createByHand({ ...bucketWire(config), allow_rollup_hdrs: true, deny_purge: false });
    t.same((await bus.createBucket(config)).differences.map(plain).toSorted(), [
      "allow_rollup_hdrs is true, should be false",
      "deny_purge is off, should be true",
    ]);
    await t.rejects(bus.bucket(config, { create: true }), {
      kind: "other",
      message: /allow_rollup_hdrs is true/,
    });
  });

  add(
    "a watch of a bucket gives what is there and every change, also after a lost connection",
    async (t, env) => {
      const writer = await env.link();
      const reader = await env.link();
      const config = { name: "bucket-three", replicas: env.replicas, maxBytes: 1_000_000 };
      const bucket = await writer.bus.bucket(config, { create: true });
      await bucket.put("a.one", text("1"));
      await bucket.put("b.one", text("not ours"));
      const ending = new AbortController();
      const seen: string[] = [];
      const revisions = new Map<string, number>();
      const watching = (async () => {
        const watched = await reader.bus.bucket(config);
        for await (const { key, value, revision } of watched.watch("a.*", ending.signal)) {
          seen.push(`${key}=${value === undefined ? "deleted" : string(value)}`);
          revisions.set(key, revision);
        }
      })();
      await until("the first entry", () => seen.includes("a.one=1"));
      await bucket.put("a.two", text("2"));
      await bucket.delete("a.one");
      await until("the changes", () => seen.includes("a.two=2") && seen.includes("a.one=deleted"));
      reader.cut();
      const third = await bucket.put("a.three", text("3"));
      await until("the change after the cut", () => seen.includes("a.three=3"));
      t.equal(revisions.get("a.three"), third, "with its revision");
      ending.abort();
      await watching;
      t.notMatch(seen.join(), /not ours/);
    },
  );

  add("a notice reaches who listens, also after a lost connection", async (t, env) => {
    const [speaker, hearer] = [await env.link(), await env.link()];
    let heard = 0;
    const stop = hearer.bus.onNotify("podgate.poke.somebody", () => (heard += 1));
    const poke = async (): Promise<boolean> => {
      speaker.bus.notify("podgate.poke.somebody");
      speaker.bus.notify("podgate.poke.somebody-else");
      await env.clock.sleep(10);
      return heard > 0;
    };
    await until("a notice", poke);
    hearer.cut();
    heard = 0;
    await until("a notice after the cut", poke);
    stop();
    t.pass("heard");
  });

  add("connected says so, and tells each change", async (t, env) => {
    const link = await env.link();
    const told: boolean[] = [];
    link.bus.onConnection((connected) => told.push(connected));
    t.equal(link.bus.connected, true);
    link.cut();
    await until("both changes", () => told.length >= 2);
    t.same(told.slice(0, 2), [false, true]);
    await link.bus.close();
    t.equal(link.bus.connected, false);
    t.equal(await outcome(link.bus.streamInfo("PODGATE_c1")), "BusError closed");
  });
}

async function fill(scene: Scene, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await scene.put(`web/10.0.1.${n}`, "x".repeat(500));
}

/** The server leaves out fields that are false. */
const plain = (line: string): string =>
  line.replace(/ is (?:not set|false),/, " is off,").replaceAll('"', "'");
