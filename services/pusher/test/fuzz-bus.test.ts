import fc from "fast-check";
import t from "tap";
import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import { parseEvent } from "@podgate/shared/contract/event";
import { parseState } from "@podgate/shared/contract/state";
import { STATUS_BUCKET } from "@podgate/shared/contract/status";
import { memberSubject, stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import { deepJson, junk, nastyText, spoiled } from "../../../shared/test/junk.ts";
import type { FoldInput } from "../src/desired/fold.ts";
import { ClusterStandIn, feed, membersOf } from "./desired/cluster-stand-in.ts";
import { Stage } from "./stage.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const MEMBER = memberSubject("east", "web", A);
const STATE = stateSubject("east");

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = (value: unknown): Uint8Array => encode(JSON.stringify(value) ?? "");
const body = (input: FoldInput): unknown =>
  input.kind === "message" ? JSON.parse(new TextDecoder().decode(input.data)) : {};

/** What a real message says, to be spoiled. */
const REAL = (() => {
  const cluster = new ClusterStandIn("east").define("web");
  return [body(cluster.add("web", A)), body(cluster.remove("web", A)), body(cluster.state())];
})();

const data: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: fc.oneof(...REAL.map((real) => spoiled(real))).map(bytes), weight: 4 },
  { arbitrary: junk.map(bytes), weight: 1 },
  { arbitrary: fc.uint8Array({ maxLength: 100 }), weight: 1 },
);
const subject: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(MEMBER, memberSubject("east", "web", B), STATE), weight: 3 },
  { arbitrary: fc.constantFrom("podgate.members.east.web", "podgate.members.east._zz.1-2-3-4"), weight: 1 },
);

/** A message that was spoiled where nothing depends on it is one to be heard. */
function isReadable(place: string, message: Uint8Array): boolean {
  try {
    if (place === STATE) parseState(place, message);
    else parseEvent(place, message);
    return true;
  } catch {
    return false;
  }
}

const unreadable = fc.tuple(subject, data).filter(([place, message]) => !isReadable(place, message));

t.test(
  "whatever a stream holds: what cannot be read changes no member and makes the cluster unverified",
  (t) => {
    fc.assert(
      fc.property(fc.array(unreadable, { minLength: 1, maxLength: 5 }), (messages) => {
        const cluster = new ClusterStandIn("east").define("web");
        cluster.add("web", A);
        cluster.add("web", B);
        const fold = cluster.fold();
        feed(fold, [...cluster.session(), cluster.state()]);
        if (!fold.verified) throw new Error("it was to begin verified");
        for (const [place, message] of messages) {
          fold.take(cluster.store({ subject: place, data: message }), 1);
          if (fold.verified) throw new Error("it goes on as if nothing were wrong");
          if (membersOf(fold, "web").join() !== `${A},${B}`) throw new Error("members changed");
        }
        fold.take(cluster.state(), 2);
        // A state message replaces the one before it, whatever that was; a member's row is left as it is.
        if (fold.verified && messages.some(([place]) => place !== STATE))
          throw new Error("a row that cannot be read is part of the set");
        feed(fold, cluster.session(), 3);
        if (membersOf(fold, "web").join() !== `${A},${B}`)
          throw new Error("members changed when it was read anew");
      }),
      { numRuns: 500 },
    );
    t.end();
  },
);

t.test(
  "junk on the bus: the pusher goes on, writes nothing, and hears the cluster once it speaks again",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    stage.start();
    for (const address of [A, B]) await stage.during(watcher.add("web", address));
    t.ok(await stage.until(() => stage.holds("web", A, B)));
    watcher.stop();
    const before = stage.writes().length;
    const bus = stage.server.connect("junk");
    const stream = streamOf("east");
    const store = async (place: string, message: Uint8Array): Promise<void> => {
      const info = await stage.during(bus.streamInfo(stream));
      const expectLastSequence = info?.lastSequence ?? 0;
      await stage.during(bus.publish({ stream, subject: place, data: message, expectLastSequence }));
    };
    const samples = fc.sample(unreadable, 60);
    for (const [place, message] of samples) {
      if (place.startsWith("podgate.members.east.") || place === STATE) await store(place, message);
      await stage.clock.run(200);
    }
    await store(MEMBER, encode(deepJson()));
    await stage.clock.run(60_000);
    t.match(await stage.during(stage.clusterStatus("east")), { verified: false, reason: /cannot be read/ });
    await stage.restart();
    await stage.clock.run(60_000);
    t.strictSame(stage.writes().slice(before), []);
    t.ok(stage.holds("web", A, B));
    t.notOk(
      stage.raw.some((line) => /\\n\s+at /.test(line)),
      "no stack in the log",
    );
    await stage.stop();
  },
);

t.test(
  "junk in the buckets: the pusher starts, acts as if it knew nothing, and mends its own entries",
  async (t) => {
    const wrong = [
      encode(""),
      encode("not json"),
      encode(deepJson()),
      bytes([]),
      bytes({ v: 1 }),
      bytes(null),
    ];
    for (const [at, value] of [
      ...wrong,
      ...fc.sample(fc.oneof(junk.map(bytes), nastyText.map(encode)), 10),
    ].entries()) {
      const stage = new Stage();
      const first = await stage.watcher("east", "web");
      stage.start();
      await stage.during(first.add("web", A));
      t.ok(await stage.until(() => stage.holds("web", A)));
      await stage.clock.run(5000);
      await stage.stop();
      const bus = stage.server.connect("junk");
      for (const name of [PUSHER_BUCKET, STATUS_BUCKET]) {
        const bucket = await stage.during(bus.bucket({ name, replicas: 1, maxBytes: 0 }));
        const keys: string[] = [];
        const look = new AbortController();
        const looking = (async () => {
          for await (const { key } of bucket.watch(">", look.signal)) keys.push(key);
        })();
        await stage.clock.run(100);
        look.abort();
        await looking.catch(() => undefined);
        t.ok(keys.length > 0, `${name} holds entries`);
        for (const key of keys) await stage.during(bucket.put(key, value));
      }
      stage.start();
      await stage.during(first.add("web", B));
      const text = new TextDecoder().decode(value.slice(0, 40));
      // Whose a lease is that cannot be read nobody knows: it is waited for longer than any.
      t.ok(await stage.until(() => stage.holds("web", A, B), 90_000), `entry ${at}: ${JSON.stringify(text)}`);
      t.ok(
        await stage.until(() => stage.lines.some(({ msg }) => msg.includes("another version"))),
        "and says so",
      );
      t.notOk(
        stage.raw.some((line) => /\\n\s+at /.test(line)),
        "no stack in the log",
      );
      await stage.stop();
    }
  },
);
