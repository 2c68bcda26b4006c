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
