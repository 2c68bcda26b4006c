import t, { type Test } from "tap";
import { seededRandom } from "@podgate/shared/runtime/random";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import { Reflector, type ReflectorOptions } from "../../src/kubernetes/reflector.ts";
import { KubernetesError } from "../../src/kubernetes/transport.ts";
import { object, text } from "../../src/facts/json.ts";
import { ApiServer } from "./api-server.ts";

const PODS = "/api/v1/pods";

interface Fact {
  readonly uid: string;
  readonly value: unknown;
}

/** A reflector on a virtual clock, what it has told, and when it was fresh. */
function scene(t: Test, rest: Partial<ReflectorOptions<Fact>> = {}, minimum = "") {
  const clock = new VirtualClock();
  const api = new ApiServer(clock);
  api.serve(PODS);
  const set = new Map<string, unknown>();
  const told: string[] = [];
  const errors: string[] = [];
  const freshness: [number, boolean][] = [];
  const reflector = new Reflector<Fact>({
    transport: api,
    path: PODS,
    extract: (value) => ({
      uid: text(object(object(value)["metadata"])["uid"]),
      value: object(value)["value"],
    }),
    uidOf: ({ uid }) => uid,
    sink: {
      replace: (facts) => {
        set.clear();
        for (const { uid, value } of facts) set.set(uid, value);
        told.push(`= ${[...set.keys()].toSorted().join()}`);
      },
      put: ({ uid, value }) => {
        set.set(uid, value);
        told.push(`+ ${uid}`);
      },
      remove: (uid) => {
        set.delete(uid);
        told.push(`- ${uid}`);
      },
    },
    clock,
    random: seededRandom(1),
    onError: (kind) => errors.push(kind),
    onChange: () => {
      if (freshness.at(-1)?.[1] !== reflector.fresh) freshness.push([clock.monotonic(), reflector.fresh]);
    },
    ...rest,
  });
  const stop = new AbortController();
  // Behind what the test puts into the server first.
  const run = Promise.resolve().then(() => reflector.run(minimum, stop.signal));
  t.teardown(async () => {
    stop.abort();
    await run;
  });
  return { clock, api, set, told, errors, freshness, reflector, stop, run };
}

t.test("a streamed list, then what happens, in order", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a", { value: 1 });
  s.api.put(PODS, "b");
  await s.clock.run(10);
  s.api.put(PODS, "a", { value: 2 });
  s.api.remove(PODS, "b");
  s.api.put(PODS, "c");
  await s.clock.run(10);
  t.strictSame(s.told, ["= a,b", "+ a", "- b", "+ c"]);
  t.equal(s.set.get("a"), 2);
  t.equal(s.reflector.listed, 2);
  t.equal(s.reflector.fresh, true);
  t.strictSame(s.errors, []);
});

function event(type: string, uid: string, value: number): string {
  return `${JSON.stringify({ type, object: { metadata: { uid, resourceVersion: "102" }, value } })}\n`;
}

t.test("what changes while a list is streamed is in the list", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  s.api.put(PODS, "b");
  s.api.beforeListEnds = event("DELETED", "a", 0) + event("MODIFIED", "b", 2) + event("ADDED", "c", 3);
  await s.clock.run(10);
  t.strictSame(s.told, ["= b,c"]);
  t.equal(s.set.get("b"), 2);
});

t.test("a server without streamed lists gets pages, and is not asked for a stream again", async (t) => {
  const s = scene(t, { pageSize: 2 });
  s.api.streamsLists = false;
  for (const uid of ["a", "b", "c", "d", "e"]) s.api.put(PODS, uid);
  await s.clock.run(10);
  t.strictSame(s.told, ["= a,b,c,d,e"]);
  s.api.compact();
  s.api.endWatches();
  await s.clock.run(5000);
  t.equal(s.reflector.lists, 2);
  t.equal(s.api.requests.filter((path) => path.includes("sendInitialEvents")).length, 1);
});

t.test("watches end every 40 s, resume at the last bookmark, and it stays fresh all the while", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  await s.clock.run(600_000, () => s.reflector.watches === 15);
  t.equal(s.reflector.watches, 15);
  t.equal(s.reflector.lists, 1);
  t.strictSame(s.freshness, [[0, true]]);
  t.strictSame(s.errors, []);
  t.equal(s.api.watches, 1);
});

t.test("what happened between two watches is not missed", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  await s.clock.run(10);
  s.api.down = true;
  s.api.cutConnections();
  await s.clock.run(10);
  s.api.remove(PODS, "a");
  s.api.put(PODS, "b");
  s.api.down = false;
  await s.clock.run(1000);
  t.strictSame(s.told, ["= a", "- a", "+ b"]);
  t.strictSame([...new Set(s.errors)], ["unreachable"]);
  t.strictSame(s.freshness, [[0, true]], "a connection that is back at once is no blindness");
});

t.test(
  "a server that stays away: blind after two seconds, tries go on and slow down, then all is well",
  async (t) => {
    const s = scene(t);
    s.api.put(PODS, "a");
    await s.clock.run(1000);
    s.api.down = true;
    s.api.cutConnections();
    await s.clock.run(60_000);
    t.equal(s.reflector.fresh, false);
    t.strictSame(s.freshness, [
      [0, true],
      [3000, false],
    ]);
    const tries = s.api.requests.length;
    t.ok(tries > 12 && tries < 40, `${tries} tries in a minute`);
    s.api.down = false;
    await s.clock.run(6000);
    t.equal(s.reflector.fresh, true);
    t.equal(s.reflector.lists, 1, "it resumed");
  },
);

t.test("410 is answered with a new list, and what vanished unseen is removed", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  s.api.put(PODS, "b");
  await s.clock.run(10);
  s.api.endWatches();
  s.api.remove(PODS, "a");
  s.api.compact();
  await s.clock.run(5000);
  t.strictSame(s.told, ["= a,b", "= b"]);
  t.ok(s.errors.includes("gone"));
  t.equal(s.reflector.fresh, true);
});

t.test("410 for ever is not a storm of lists", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  await s.clock.run(10);
  for (let second = 0; second < 60; second += 1) {
    s.api.say(`${JSON.stringify({ type: "ERROR", object: { code: 410, message: "expired" } })}\n`);
    await s.clock.run(1000);
  }
  t.ok(s.reflector.lists < 25, `${s.reflector.lists} lists in a minute`);
});

t.test("a silent connection is noticed after 45 s, and the watch resumes", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  await s.clock.run(10);
  s.api.mute = true;
  s.api.endWatches();
  await s.clock.run(90_000);
  t.ok(s.errors.includes("silent"));
  t.equal(s.reflector.fresh, false);
  s.api.mute = false;
  s.api.put(PODS, "b");
  await s.clock.run(60_000);
  t.strictSame(s.told, ["= a", "+ b"]);
  t.equal(s.reflector.fresh, true);
});

t.test("a connection that falls silent in the middle of a watch is dead at 45 s", async (t) => {
  const s = scene(t, { watchSeconds: 3600 });
  s.api.put(PODS, "a");
  await s.clock.run(30_000);
  s.api.put(PODS, "b");
  await s.clock.run(44_000);
  t.strictSame(s.errors, []);
  await s.clock.run(2000);
  t.strictSame(s.errors, ["silent"]);
});

for (const [what, said] of [
  ["no JSON", "{ not json\n"],
  ["an unknown type", '{"type":"RENAMED","object":{"metadata":{"uid":"a","resourceVersion":"1"}}}\n'],
  ["an object without a uid", '{"type":"MODIFIED","object":{"metadata":{"resourceVersion":"1"}}}\n'],
  ["an object without a version", '{"type":"MODIFIED","object":{"metadata":{"uid":"x"}}}\n'],
  ["null", "null\n"],
] as const) {
  t.test(`a watch that says ${what} is counted, and the set is read anew`, async (t) => {
    const s = scene(t);
    s.api.put(PODS, "a");
    await s.clock.run(10);
    s.api.say(said);
    await s.clock.run(3000);
    t.strictSame(s.errors, ["parse"]);
    t.strictSame(s.told, ["= a", "= a"]);
    t.equal(s.reflector.fresh, true);
  });
}

t.test("a list that ends early replaces nothing", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  s.api.put(PODS, "b");
  await s.clock.run(10);
  s.api.breaksListAfter = 1;
  s.api.say("garbage\n");
  await s.clock.run(3000);
  t.strictSame(s.told, ["= a,b"]);
  t.equal(s.reflector.fresh, false);
  s.api.breaksListAfter = Number.POSITIVE_INFINITY;
  await s.clock.run(6000);
  t.strictSame(s.told, ["= a,b", "= a,b"]);
});

t.test("an answer that is no list is not an empty list", async (t) => {
  const s = scene(t);
  s.api.streamsLists = false;
  s.api.put(PODS, "a");
  await s.clock.run(10);
  for (const odd of [{}, { items: [] }, { metadata: { resourceVersion: "999" } }, [], "ok"]) {
    s.api.single.set(PODS, odd);
    s.api.say("garbage\n");
    s.api.cutConnections();
    await s.clock.run(3000);
    t.strictSame([...s.set.keys()], ["a"]);
    t.equal(s.reflector.fresh, false);
  }
});

for (const [status, kind] of [
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not-found"],
  [500, "server"],
  [429, "server"],
] as const) {
  t.test(
    `refused with ${status}: counted, not fresh, tried again for ever, and well again after`,
    async (t) => {
      const s = scene(t);
      s.api.put(PODS, "a");
      await s.clock.run(10);
      s.api.refuses = status;
      s.api.cutConnections();
      await s.clock.run(300_000);
      t.equal(s.reflector.fresh, false);
      t.ok(s.errors.filter((each) => each === kind).length > 50);
      t.strictSame([...s.set.keys()], ["a"], "nothing is forgotten");
      s.api.refuses = undefined;
      await s.clock.run(6000);
      t.equal(s.reflector.fresh, true);
    },
  );
}

t.test("a list older than what was seen before is refused until the server has caught up", async (t) => {
  const s = scene(t, {}, "150");
  s.api.put(PODS, "a");
  await s.clock.run(10_000);
  t.strictSame(s.told, []);
  t.equal(s.reflector.fresh, false);
  t.equal(s.reflector.resourceVersion, "150", "what it must reach is not forgotten");
  t.ok(s.errors.every((kind) => kind === "stale"));
  s.api.goBackTo(160);
  await s.clock.run(6000);
  t.strictSame(s.told, ["= a"]);
});

t.test("a server that went back is noticed at the next connection, and is not believed", async (t) => {
  const s = scene(t);
  s.api.goBackTo(500);
  s.api.put(PODS, "a");
  await s.clock.run(10);
  s.api.goBackTo(300);
  s.api.cutConnections();
  await s.clock.run(10_000);
  t.ok(s.errors.includes("gone"));
  t.ok(s.errors.includes("stale"));
  t.equal(s.reflector.fresh, false);
  t.strictSame(s.told, ["= a"]);
});

t.test(
  "a watch that stays quiet to its end, without a bookmark, goes on only where the server is",
  async (t) => {
    const s = scene(t);
    s.api.bookmarks = false;
    s.api.goBackTo(500);
    s.api.put(PODS, "a");
    await s.clock.run(100_000);
    t.strictSame(s.freshness, [[0, true]]);
    t.equal(s.reflector.lists, 1);
    s.api.goBackTo(300);
    await s.clock.run(50_000);
    t.ok(s.errors.includes("gone"));
  },
);

t.test("a server that ends every watch at once is asked slower and slower", async (t) => {
  const s = scene(t, { watchSeconds: 0 });
  s.api.put(PODS, "a");
  await s.clock.run(60_000);
  t.ok(s.reflector.watches < 40, `${s.reflector.watches} watches in a minute`);
});

t.test("what its reader throws is an error like any other", async (t) => {
  let broken = false;
  const s = scene(t, {
    extract: (value) => {
      if (broken) throw new Error("a bug");
      return { uid: text(object(object(value)["metadata"])["uid"]), value: 0 };
    },
  });
  s.api.put(PODS, "a");
  await s.clock.run(10);
  broken = true;
  s.api.put(PODS, "b");
  await s.clock.run(10);
  broken = false;
  await s.clock.run(6000);
  t.ok(s.errors.includes("parse"));
  t.strictSame([...s.set.keys()].toSorted(), ["a", "b"]);
});

t.test("a DELETED that is not confirmed is not believed; the set is read anew once it can be", async (t) => {
  let established = true;
  const s = scene(t, {
    confirm: async () => {
      if (!established) throw new KubernetesError("not-found", "being deleted");
    },
  });
  s.api.put(PODS, "a");
  s.api.put(PODS, "b");
  await s.clock.run(10);
  s.api.remove(PODS, "b");
  await s.clock.run(10);
  established = false;
  s.api.remove(PODS, "a");
  await s.clock.run(30_000);
  t.strictSame(s.told, ["= a,b", "- b"]);
  t.equal(s.reflector.fresh, false);
  t.ok(s.errors.every((kind) => kind === "not-found"));
  established = true;
  s.api.put(PODS, "c");
  await s.clock.run(6000);
  t.strictSame(s.told, ["= a,b", "- b", "= c"]);
});

t.test("it stops at the signal, wherever it is", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "a");
  await s.clock.run(10);
  s.stop.abort();
  await s.run;
  t.equal(s.api.watches, 0);
  t.strictSame(s.errors, []);
});
