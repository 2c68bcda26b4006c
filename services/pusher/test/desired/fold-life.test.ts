import t from "tap";
import { ClusterStandIn, feed, membersOf } from "./cluster-stand-in.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

t.test("a cluster in maintenance keeps what it has: nothing that its stream lacks leaves", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", A);
  cluster.add("web", B);
  const fold = cluster.fold();
  feed(fold, [...cluster.session(), cluster.state()]);
  cluster.lose("web", B);
  feed(fold, [...cluster.session(), cluster.state("maintenance")]);
  t.equal(fold.verified, false);
  t.match(fold.reason, /maintenance/);
  t.same(membersOf(fold, "web"), [A, B]);
  feed(fold, [cluster.state()]);
  t.equal(fold.verified, true, "until it is resumed");
  t.end();
});

t.test("a cluster that was forgotten brings nobody in before it is verified again", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", A);
  const fold = cluster.fold();
  feed(fold, [...cluster.session(), cluster.state()]);
  fold.tick(60_000);
  t.equal(fold.verified, false);
  fold.forget();
  t.same(membersOf(fold, "web"), []);
  fold.take(cluster.add("web", B), 61_000);
  t.same(membersOf(fold, "web"), [], "a late addition is none");
  t.equal(fold.definition("web"), "no");
  fold.take(cluster.state(), 62_000);
  t.equal(fold.verified, true);
  t.same(membersOf(fold, "web"), [A, B]);
  t.end();
});

t.test("a watcher that has not listed yet verifies nothing, also where its stream is empty", (t) => {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", A);
  const fold = cluster.fold();
  feed(fold, [...cluster.session(), cluster.state()]);
  cluster.lose("web", A);
  cluster.created = "2026-02-02T00:00:00Z";
  feed(fold, [...cluster.session(), cluster.state("syncing")]);
  t.equal(fold.verified, false);
  t.match(fold.reason, /syncing/);
  t.same(membersOf(fold, "web"), [A], "an empty stream and a claim agree, and say nothing of the cluster");
  t.end();
});

/** A cluster that nobody knows yet, and what it listed when it was heard first. */
function asked(listed: Record<string, number>) {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", A);
  cluster.listed = listed;
  const fold = cluster.fold({ asks: true });
  feed(fold, [...cluster.session(), cluster.state()]);
  t.equal(fold.candidate, cluster.uid);
  return { cluster, fold };
}

t.test("while pushers ask who a new cluster is, its lists are the measure of those that follow", (t) => {
  const { cluster, fold } = asked({ pods: 54, nodes: 3 });
  cluster.listed = { pods: 8, nodes: 3 };
  feed(fold, [cluster.state()]);
  t.same(fold.listed, { pods: 54, nodes: 3 }, "what is put on record with it");
  fold.learn({ uid: cluster.uid, adoptions: 0 }, {});
  feed(fold, [cluster.state()]);
  t.equal(fold.verified, true);
  t.match(fold.absencesHeld, /lists 8 pods, before 54/);

  const other = asked({ pods: 8, nodes: 3 });
  other.fold.learn({ uid: other.cluster.uid, adoptions: 0 }, { pods: 54, nodes: 3 });
  feed(other.fold, [other.cluster.state()]);
  t.match(other.fold.absencesHeld, /lists 8 pods, before 54/, "also where another pusher was told of them");
  t.end();
});

t.test("a new cluster is not measured by another one that was asked about", (t) => {
  const { cluster, fold } = asked({ pods: 54, nodes: 3 });
  cluster.uid = "uid-of-another";
  cluster.listed = { pods: 8, nodes: 1 };
  feed(fold, [cluster.state()]);
  t.same(fold.listed, { pods: 8, nodes: 1 });
  fold.learn({ uid: cluster.uid, adoptions: 0 }, {});
  feed(fold, [cluster.state()]);
  t.equal(fold.absencesHeld, undefined);

  const late = asked({ pods: 54, nodes: 3 });
  late.fold.learn({ uid: "uid-of-another", adoptions: 0 }, { pods: 8, nodes: 1 });
  t.same(late.fold.listed, { pods: 8, nodes: 1 });
  t.end();
});
