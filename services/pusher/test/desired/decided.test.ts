import t from "tap";
import { ClusterStandIn, feed, membersOf } from "./cluster-stand-in.ts";

/** A verified cluster with two members of web. */
function verified() {
  const cluster = new ClusterStandIn("east").define("web");
  const fold = cluster.fold();
  feed(fold, cluster.session());
  feed(fold, [cluster.add("web", "10.0.0.1"), cluster.add("web", "10.0.0.2"), cluster.state()]);
  return { cluster, fold };
}

/** Another cluster under the same name, which goes on with the same stream. */
function rebuilt(old: ClusterStandIn): ClusterStandIn {
  old.uid = "uid-of-the-new";
  old.epoch += 1;
  return old;
}

t.test("a cluster that drains is verified, and is told to be retired when its state says so", async (t) => {
  const { cluster, fold } = verified();
  t.equal(fold.retired, undefined);
  feed(fold, [cluster.state("draining"), cluster.remove("web", "10.0.0.1", "drained")]);
  t.ok(fold.verified);
  t.equal(fold.retired, "drained");
  t.strictSame(membersOf(fold, "web"), ["10.0.0.2"], "its removals act at once");
  feed(fold, [cluster.state("synced")]);
  t.equal(fold.retired, undefined);
});

t.test("the lists of a cluster that drains without reading them measure no later list", async (t) => {
  const { cluster, fold } = verified();
  const { listed } = fold;
  cluster.listed = { pods: 0, nodes: 0 };
  feed(fold, [cluster.state("draining")]);
  t.strictSame(fold.listed, listed);
  t.equal(fold.absencesHeld, undefined);
});

t.test("a cluster in maintenance is not verified, and says what ends it", async (t) => {
  const { cluster, fold } = verified();
  feed(fold, [cluster.state("maintenance")]);
  t.notOk(fold.verified);
  t.match(fold.reason, /maintenance.*podgate-watcher resume/);
  t.strictSame(membersOf(fold, "web"), ["10.0.0.1", "10.0.0.2"]);
});

t.test(
  "no time of silence runs out while a cluster is in maintenance, nor by the word of another cluster",
  async (t) => {
    const { cluster, fold } = verified();
    for (let now = 5000; now <= 100_000; now += 5000) {
      fold.take(cluster.state("maintenance"), now);
      fold.tick(now);
    }
    t.equal(fold.unverifiedSince, 100_000);
    fold.take(rebuilt(cluster).state("maintenance"), 105_000);
    t.equal(fold.unverifiedSince, 100_000);
  },
);

t.test("a cluster that is verified is not forgotten", async (t) => {
  const { fold } = verified();
  t.equal(fold.forget().groups === "all", false);
  t.equal(fold.definition("web"), "yes");
  t.equal(fold.retired, undefined);
});

t.test(
  "a forgotten cluster defines nothing, and what is heard of it counts only when it is verified",
  async (t) => {
    const { cluster, fold } = verified();
    fold.tick(11_000);
    t.equal(fold.forget().groups, "all");
    t.equal(fold.definition("web"), "no");
    t.equal(fold.retired, "forgotten");
    t.match(fold.reason, /forgotten/);
    t.strictSame(membersOf(fold, "web"), []);
    feed(fold, [cluster.add("web", "10.0.0.3")], 12_000);
    t.strictSame(membersOf(fold, "web"), [], "an addition alone does not bring it back");
    feed(fold, [cluster.state()], 12_000);
    t.ok(fold.verified);
    t.equal(fold.retired, undefined);
    t.equal(fold.definition("web"), "yes");
    t.strictSame(membersOf(fold, "web"), ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "all of it at once");
  },
);

t.test(
  "after a restart, additions of another cluster under the name do not act before its state is heard",
  async (t) => {
    const { cluster } = verified();
    const other = rebuilt(cluster);
    other.state("syncing");
    const fold = other.fold({ known: { uid: "uid-of-east", adoptions: 0 } });
    feed(fold, other.session());
    feed(fold, [other.add("web", "10.9.9.9")]);
    t.strictSame(membersOf(fold, "web"), []);
    t.equal(fold.foreign, "uid-of-the-new");
  },
);

t.test("another cluster under the name is told with the remedy", async (t) => {
  const { cluster, fold } = verified();
  feed(fold, [rebuilt(cluster).state()]);
  t.notOk(fold.verified);
  t.equal(fold.foreign, "uid-of-the-new");
  t.match(fold.reason, /uid uid-of-the-new.*uid-of-east is known.*adopt-cluster east/);
});

t.test(
  "what an adopted cluster does not have leaves with the cause adopted, whatever its watcher saw",
  async (t) => {
    const { cluster, fold } = verified();
    const other = rebuilt(cluster);
    other.listed = { pods: 1, nodes: 1 };
    feed(fold, [
      other.state("syncing"),
      other.remove("web", "10.0.0.1", "vanished"),
      other.add("web", "10.7.7.7"),
      other.state(),
    ]);
    t.notOk(fold.verified);
    t.strictSame(membersOf(fold, "web"), ["10.0.0.1", "10.0.0.2"], "nothing acts before it is adopted");
    fold.adopt("uid-of-the-new");
    t.notOk(fold.verified, "its watcher must confirm first");
    other.lose("web", "10.0.0.2");
    feed(fold, [{ kind: "interrupted", reason: "test" }, ...other.session(), other.state()]);
    t.ok(fold.verified);
    t.equal(fold.uid, "uid-of-the-new");
    t.strictSame(membersOf(fold, "web"), ["10.7.7.7"]);
    const removals = fold.groups.get("web")?.removals;
    t.equal(removals?.get("10.0.0.1")?.cause, "adopted");
    t.equal(removals?.get("10.0.0.2")?.cause, "adopted");
    t.equal(fold.absencesHeld, undefined, "its lists are measured by no others");
    t.equal(fold.absenceCause, "adopted");
    feed(fold, [{ kind: "interrupted", reason: "test" }, ...other.session(), other.state()]);
    t.equal(fold.absenceCause, "vanished", "later absences are weighed as always");
  },
);
