import fc from "fast-check";
import t from "tap";
import { REMOVE_CAUSES, type RemoveCause } from "@podgate/shared/contract/event";
import { ClusterStandIn, feed, membersOf } from "./cluster-stand-in.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

/** A cluster with web = {A, B}, and a fold that verified it. */
function verified(options: { listed?: Record<string, number> } = {}) {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", A);
  cluster.add("web", B);
  const fold = cluster.fold(options);
  feed(fold, [...cluster.session(), cluster.state()]);
  return { cluster, fold };
}

t.test("only a live state that agrees with the stream verifies a cluster", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", A);
  cluster.state();
  const fold = cluster.fold();
  feed(fold, cluster.session());
  t.equal(fold.verified, false, "a replayed state proves nothing");
  t.equal(fold.poke, true, "asking for one would help");
  t.same(membersOf(fold, "web"), [], "replayed additions wait");
  fold.take(cluster.state("syncing"), 0);
  t.match(fold.reason, /syncing/);
  fold.take(cluster.state("synced", { members: 7 }), 0);
  t.match(fold.reason, /7 members, the stream holds 1/);
  t.equal(fold.stale, true, "only reading anew can heal a mismatch");
  fold.take(cluster.state("synced", { digest: "0".repeat(32) }), 0);
  t.match(fold.reason, /digest/);
  fold.take(cluster.state(), 0);
  t.equal(fold.verified, true);
  t.equal(fold.reason, undefined);
  t.equal(fold.stale, false);
  t.same(membersOf(fold, "web"), [A]);
  t.equal(fold.uid, "uid-of-a");
  t.end();
});

t.test("before a watcher confirms the stream, the reason tells whether one was ever heard", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  const fold = cluster.fold();
  const [session] = cluster.session();
  if (session !== undefined) fold.take(session, 0);
  t.equal(fold.reason, "reading the stream");
  fold.take({ kind: "caught-up" }, 0);
  t.equal(fold.reason, "nothing heard from its watcher yet");
  cluster.add("web", A);
  feed(fold, cluster.session());
  t.equal(fold.reason, "its watcher has not confirmed the stream yet");
  feed(fold, [cluster.state()]);
  t.equal(fold.reason, undefined);
  t.end();
});

t.test("a state of an older stream or from before the end of the replay does not verify", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  const fold = cluster.fold();
  const [session, ...rest] = cluster.session();
  if (session !== undefined) fold.take(session, 0);
  fold.take(cluster.state(), 0);
  t.match(fold.reason, /reading/);
  feed(fold, rest);
  cluster.created = "2026-02-02T00:00:00Z";
  fold.take(cluster.state(), 0);
  t.match(fold.reason, /made anew/);
  t.end();
});

t.test("a live removal acts at once while the cluster is verified", (t) => {
  const { cluster, fold } = verified();
  const change = fold.take(cluster.remove("web", A), 0);
  t.same(change.groups, new Set(["web"]));
  t.same(membersOf(fold, "web"), [B]);
  t.equal(fold.groups.get("web")?.removals.get(A)?.cause, "ended");
  t.end();
});

t.test("a live removal of an unverified cluster waits for the next state that verifies", (t) => {
  const { cluster, fold } = verified();
  fold.take(cluster.state("syncing"), 0);
  fold.take(cluster.remove("web", A), 0);
  t.same(membersOf(fold, "web"), [A, B]);
  fold.take(cluster.state(), 0);
  t.same(membersOf(fold, "web"), [B]);
  t.equal(fold.groups.get("web")?.removals.get(A)?.cause, "ended", "its cause was kept");
  t.end();
});

t.test("a live addition acts at once, also of an unverified cluster", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  const fold = cluster.fold();
  feed(fold, cluster.session());
  fold.take(cluster.add("web", A), 0);
  t.same(membersOf(fold, "web"), [A]);
  t.equal(fold.definition("web"), "yes");
  t.end();
});

t.test("a message that is delivered again, late, changes nothing", (t) => {
  const { cluster, fold } = verified();
  const early = cluster.add("web", "10.0.0.3");
  feed(fold, [early, cluster.remove("web", "10.0.0.3"), early]);
  t.same(membersOf(fold, "web"), [A, B]);
  fold.take(cluster.state(), 0);
  t.equal(fold.verified, true);
  t.end();
});

t.test("another epoch makes the cluster unverified, and its removals wait", (t) => {
  const { cluster, fold } = verified();
  cluster.epoch = 99;
  t.equal(fold.take(cluster.remove("web", A), 0).groups, "all");
  t.equal(fold.verified, false);
  t.same(membersOf(fold, "web"), [A, B]);
  fold.take(cluster.state(), 0);
  t.same(membersOf(fold, "web"), [B]);
  t.end();
});

t.test("an interruption keeps the members; what is absent afterwards vanished", (t) => {
  const { cluster, fold } = verified();
  fold.take({ kind: "interrupted", reason: "gone" }, 0);
  t.match(fold.reason, /gone/);
  cluster.lose("web", A);
  feed(fold, cluster.session());
  t.same(membersOf(fold, "web"), [A, B], "the old members stand until the new session is verified");
  fold.take(cluster.state(), 0);
  t.same(membersOf(fold, "web"), [B]);
  t.equal(fold.groups.get("web")?.removals.get(A)?.cause, "vanished");
  t.end();
});

t.test(
  "silence makes a cluster unverified and removes nothing, also when its first word is a removal",
  (t) => {
    const { cluster, fold } = verified();
    t.same(fold.tick(10_000).groups, new Set());
    t.equal(fold.tick(10_001).groups, "all");
    t.match(fold.reason, /silent for more than 10 s/);
    const second = verified();
    second.fold.take(second.cluster.remove("web", A), 60_000);
    t.equal(second.fold.verified, false, "nobody ticked, still it was silent");
    t.same(membersOf(second.fold, "web"), [A, B]);
    fold.take(cluster.state(), 20_000);
    t.equal(fold.verified, true);
    t.end();
  },
);

t.test("a cluster with another uid is neither verified nor heard", (t) => {
  const { cluster, fold } = verified();
  cluster.uid = "uid-of-another";
  fold.take(cluster.state(), 0);
  t.match(fold.reason, /uid-of-another.*uid-of-a is known/);
  fold.take(cluster.add("web", "10.0.0.9"), 0);
  t.same(membersOf(fold, "web"), [A, B]);
  t.equal(fold.uid, "uid-of-a");
  const pinned = cluster.fold({ known: { uid: "uid-of-a", adoptions: 0 } });
  feed(pinned, [...cluster.session(), cluster.state()]);
  t.equal(pinned.verified, false, "also where the uid was only kept from an earlier run");
  t.end();
});

t.test("an unreadable message makes the cluster unverified until its subject is readable again", (t) => {
  const { cluster, fold } = verified();
  const good = cluster.add("web", "10.0.0.3");
  if (good.kind !== "message") throw new Error("no message");
  fold.take(cluster.store({ subject: good.subject, data: new TextEncoder().encode('{"v":9}') }), 0);
  t.match(fold.reason, /version 9/);
  t.equal(fold.stale, true);
  fold.take(cluster.state(), 0);
  t.equal(fold.verified, false);
  fold.take(cluster.add("web", "10.0.0.3"), 0);
  fold.take(cluster.state(), 0);
  t.equal(fold.verified, true);
  t.end();
});

t.test("what vanished is decided by the list that the next state tells of", (t) => {
  const { cluster, fold } = verified();
  fold.take(cluster.remove("web", A, "vanished"), 0);
  t.same(membersOf(fold, "web"), [A, B], "not before");
  t.equal(fold.poke, true);
  cluster.listed = { pods: 99, nodes: 3 };
  t.same(fold.take(cluster.state(), 0).groups, new Set(["web"]));
  t.same(membersOf(fold, "web"), [B]);
  t.equal(fold.poke, false);
  t.end();
});

const LISTS: readonly (readonly [before: number, now: number, isHeld: boolean])[] = [
  [100, 80, false],
  [100, 79, true],
  [10, 5, false],
  [10, 4, true],
  [3, 0, true],
  [0, 0, true],
  [20, 40, false],
];
for (const [before, now, isHeld] of LISTS) {
  t.test(
    `a list of ${before} pods that becomes ${now} ${isHeld ? "holds" : "lets go"} what vanished`,
    (t) => {
      const cluster = new ClusterStandIn("a").define("web");
      cluster.listed = { pods: before };
      cluster.add("web", A);
      const fold = cluster.fold({ listed: { pods: before } });
      feed(fold, [...cluster.session(), cluster.state()]);
      fold.take(cluster.remove("web", A, "vanished"), 0);
      cluster.listed = { pods: now };
      fold.take(cluster.state(), 0);
      fold.take(cluster.state(), 0);
      t.same(membersOf(fold, "web"), isHeld ? [A] : []);
      const held = fold.groups.get("web")?.held.get(A);
      if (isHeld) t.match(held?.reason, /lists/);
      else t.equal(held, undefined);
      t.same(fold.listed, { pods: isHeld ? before : now }, "a list that is not believed is no measure");
      t.end();
    },
  );
}

/** web = {A, B}, and A is held: the list shrank from 100 to 10. */
function holding() {
  const { cluster, fold } = verified();
  fold.take(cluster.remove("web", A, "vanished"), 0);
  cluster.listed = { pods: 10, nodes: 3 };
  fold.take(cluster.state(), 0);
  return { cluster, fold };
}

t.test("held addresses go when the list recovers", (t) => {
  const { cluster, fold } = holding();
  t.ok(fold.groups.get("web")?.held.has(A));
  cluster.listed = { pods: 90, nodes: 3 };
  fold.take(cluster.state(), 0);
  t.same(membersOf(fold, "web"), [B]);
  t.equal(fold.groups.get("web")?.held.size, 0);
  t.end();
});

t.test("a held address goes when it is seen to leave for another reason", (t) => {
  for (const cause of REMOVE_CAUSES.filter((each) => each !== "vanished")) {
    const { cluster, fold } = holding();
    fold.take(cluster.remove("web", A, cause), 0);
    t.same(membersOf(fold, "web"), [B], cause);
    t.equal(fold.groups.get("web")?.held.size, 0);
  }
  t.end();
});

t.test("a held address that joins again is a plain member", (t) => {
  const { cluster, fold } = holding();
  fold.take(cluster.add("web", A), 0);
  t.equal(fold.groups.get("web")?.held.size, 0);
  t.same(membersOf(fold, "web"), [A, B]);
  t.end();
});

t.test("what was decided stays decided when a later list is short", (t) => {
  const { cluster, fold } = verified();
  fold.take(cluster.remove("web", A, "vanished"), 0);
  fold.take(cluster.state(), 0);
  cluster.listed = { pods: 1, nodes: 3 };
  feed(fold, [...cluster.session(), cluster.state()]);
  t.same(membersOf(fold, "web"), [B]);
  t.equal(fold.groups.get("web")?.held.size, 0);
  t.equal(fold.groups.get("web")?.removals.get(A)?.cause, "vanished");
  t.end();
});

t.test("held addresses stay held through a new session", (t) => {
  const { cluster, fold } = holding();
  feed(fold, [...cluster.session(), cluster.state()]);
  t.equal(fold.verified, true);
  t.same(membersOf(fold, "web"), [A, B]);
  t.ok(fold.groups.get("web")?.held.has(A));
  t.end();
});

t.test("a scale-down that was seen is no short list afterwards", (t) => {
  const { cluster, fold } = verified();
  fold.take(cluster.remove("web", A, "ended"), 0);
  cluster.listed = { pods: 10, nodes: 3 };
  fold.take(cluster.state(), 0);
  t.same(fold.listed, { pods: 10, nodes: 3 });
  fold.take(cluster.remove("web", B, "vanished"), 0);
  fold.take(cluster.state(), 0);
  t.same(membersOf(fold, "web"), []);
  t.end();
});

t.test("a short list is believed again when it has its old size, also where that is small", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.listed = { pods: 5, nodes: 2 };
  for (const address of [A, B]) cluster.add("web", address);
  const fold = cluster.fold();
  feed(fold, [...cluster.session(), cluster.state()]);
  const told = (pods: number): string[] => {
    cluster.listed = { pods, nodes: 2 };
    fold.take(cluster.state(), 0);
    return membersOf(fold, "web");
  };
  fold.take(cluster.remove("web", A, "vanished"), 0);
  t.same(told(0), [A, B], "no pods at all");
  t.same(told(1), [A, B], "one that came is no list of the old size");
  t.same(told(3), [A, B]);
  t.same(told(4), [B], "but for the share");
  fold.take(cluster.remove("web", B, "vanished"), 0);
  t.same(told(1), [], "and then a list may lack a few again");
  t.end();
});

t.test("an address of which this process never heard may go only if the first list is not short", (t) => {
  const { cluster, fold } = verified({ listed: { pods: 100, nodes: 3 } });
  t.equal(fold.absencesHeld, undefined);
  const short = cluster.fold({ listed: { pods: 500, nodes: 3 } });
  feed(short, [...cluster.session(), cluster.state()]);
  t.match(short.absencesHeld, /lists 100 pods, before 500/);
  t.same(short.listed, { pods: 500, nodes: 3 });
  cluster.listed = { pods: 450, nodes: 3 };
  short.take(cluster.state(), 0);
  t.equal(short.absencesHeld, undefined, "the list recovered");
  const settled = cluster.fold({ listed: { pods: 5000, nodes: 3 } });
  feed(settled, [...cluster.session(), cluster.state()]);
  t.ok(settled.absencesHeld);
  settled.settleAbsences(0);
  settled.take(cluster.state(), 0);
  t.equal(settled.absencesHeld, undefined);
  t.same(
    settled.listed,
    { pods: 450, nodes: 3 },
    "no firewall held such an address: the list is the measure now",
  );
  t.end();
});

t.test("a node list that is empty holds what vanished, too", (t) => {
  const { cluster, fold } = verified();
  fold.take(cluster.remove("web", A, "vanished"), 0);
  cluster.listed = { pods: 100, nodes: 0 };
  fold.take(cluster.state(), 0);
  t.match(fold.groups.get("web")?.held.get(A)?.reason, /no nodes at all/);
  t.end();
});

t.test("evidence is kept for an hour", (t) => {
  const { cluster, fold } = verified();
  fold.take(cluster.remove("web", A), 1000);
  fold.tick(3_601_000);
  t.ok(fold.groups.get("web")?.removals.has(A));
  fold.tick(3_601_001);
  t.notOk(fold.groups.get("web")?.removals.has(A));
  t.end();
});

t.test("a group is not defined only when a verified state says so after all its events", (t) => {
  const { cluster, fold } = verified();
  t.equal(fold.definition("web"), "yes");
  t.equal(fold.definition("other"), "no");
  feed(fold, [cluster.add("other", A), cluster.remove("other", A)]);
  t.equal(fold.definition("other"), "unknown", "its definition may be younger than the state");
  cluster.define("other");
  fold.take(cluster.state(), 0);
  t.equal(fold.definition("other"), "yes");
  feed(fold, [...cluster.undefine("other"), ...cluster.undefine("web")]);
  fold.take(cluster.state(), 0);
  t.equal(fold.definition("web"), "no");
  fold.take({ kind: "interrupted", reason: "gone" }, 0);
  t.equal(fold.definition("web"), "unknown");
  t.end();
});

t.test("an old removal in a remade stream does not make a group's definition unknown", (t) => {
  const { cluster, fold } = verified();
  feed(
    fold,
    [...Array(50).keys()].map(() => cluster.add("web", A)),
  );
  const anew = new ClusterStandIn("a", "uid-of-a").define("other");
  anew.created = "2026-02-02T00:00:00Z";
  feed(fold, [...anew.session(), anew.state()]);
  t.equal(fold.definition("web"), "no");
  t.end();
});

const address = fc.integer({ min: 1, max: 9 }).map((n) => `10.0.0.${n}`);
const group = fc.constantFrom("web", "db", "shop/api");
const cause = fc.constantFrom<RemoveCause>(...REMOVE_CAUSES.filter((each) => each !== "vanished"));
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), group, address }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), group, address, cause }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("state" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("again" as const), from: fc.nat({ max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("session" as const) }) },
);

t.test("any history, with repetitions and interruptions, ends in the cluster's own members", (t) => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const cluster = new ClusterStandIn("a").define("web", "db", "shop/api");
      const fold = cluster.fold();
      feed(fold, cluster.session());
      const past: ReturnType<ClusterStandIn["session"]> = [];
      for (const each of acts) {
        if (each.kind === "session") feed(fold, cluster.session());
        else if (each.kind === "again") feed(fold, past.slice(each.from, each.from + 3));
        else {
          const input =
            each.kind === "add"
              ? cluster.add(each.group, each.address)
              : each.kind === "remove"
                ? cluster.remove(each.group, each.address, each.cause)
                : cluster.state();
          past.push(input);
          fold.take(input, 0);
        }
      }
      fold.take(cluster.state(), 0);
      if (!fold.verified) return false;
      return [...cluster.groups].every(
        ([name, members]) => membersOf(fold, name).join(" ") === [...members].toSorted().join(" "),
      );
    }),
  );
  t.end();
});
