import t from "tap";
import { ClusterStandIn, feed, membersOf } from "./cluster-stand-in.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

/** A verified cluster of which A has ended, and its stream was copied then. */
function copied() {
  const cluster = new ClusterStandIn("a").define("web");
  cluster.add("web", A);
  cluster.add("web", B);
  const fold = cluster.fold();
  feed(fold, [...cluster.session(), cluster.state(), cluster.remove("web", A, "ended")]);
  return { cluster, fold, putBack: cluster.copy() };
}

t.test("in a stream that was put back, the end of an earlier pod is not that of one that came later", (t) => {
  const { cluster, fold, putBack } = copied();
  feed(fold, [cluster.add("web", A), cluster.state()]);
  putBack();
  feed(fold, [...cluster.session(), cluster.state()]);
  t.same(membersOf(fold, "web"), [B]);
  t.match(fold.groups.get("web")?.removals.get(A), { cause: "vanished", absent: true });
  t.end();
});

t.test("nor does it stand for an edit that came later", (t) => {
  const { cluster, fold, putBack } = copied();
  feed(fold, [cluster.add("web", A), cluster.remove("web", A, "unselected")]);
  putBack();
  feed(fold, [...cluster.session(), cluster.state()]);
  t.match(fold.groups.get("web")?.removals.get(A), { cause: "unselected" });
  t.end();
});

t.test("in a stream that was made anew an end counts, though its sequence is smaller", (t) => {
  const { cluster, fold } = copied();
  feed(fold, [cluster.add("web", A), cluster.state()]);
  const anew = new ClusterStandIn("a").define("web");
  anew.created = "2026-02-02T00:00:00Z";
  anew.wall = cluster.wall;
  anew.add("web", B);
  anew.remove("web", A, "ended");
  feed(fold, [...anew.session(), anew.state()]);
  t.match(fold.groups.get("web")?.removals.get(A), { cause: "ended" });
  t.end();
});

t.test("in the same stream a later message counts, whatever the clock of its watcher says", (t) => {
  const { cluster, fold } = copied();
  feed(fold, [cluster.add("web", A), cluster.state()]);
  fold.take({ kind: "interrupted", reason: "gone" }, 0);
  cluster.wall -= 60_000;
  cluster.remove("web", A, "ended");
  feed(fold, [...cluster.session(), cluster.state()]);
  t.match(fold.groups.get("web")?.removals.get(A), { cause: "ended" });
  t.end();
});
