import t from "tap";
import type { Owner } from "@podgate/shared/contract/event";
import type { Membership } from "../../src/membership/membership.ts";
import { brief, group, membership, node, pod } from "./scene.ts";

const owner = (uid: string): Owner => ({ kind: "Pod", namespace: "shop", name: uid, uid });
const other = { labels: { app: "db" } };

/** A node with pods a and b of the group; a list lacks b. */
function lacking(): Membership {
  const m = membership(group("web", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.replacePods([pod("a"), pod("b")], 0);
  m.replacePods([pod("a")], 1);
  return m;
}

t.test("a node's last listed pod ends: whoever a list lacked before may still run there", async (t) => {
  t.strictSame(brief(lacking().removePod("a")), ["-vanished web 192.168.0.1"]);
  t.strictSame(brief(lacking().putPod(pod("a", { finished: true }), 2)), ["-vanished web 192.168.0.1"]);
  t.strictSame(brief(lacking().replacePods([pod("a", { finished: true })], 2)), [
    "-vanished web 192.168.0.1",
  ]);
});

t.test("who is missing is told as an owner, for a watcher that takes over", async (t) => {
  const m = lacking();
  t.match([...m.members()], [{ address: "192.168.0.1", ownerCount: 2, owners: [owner("a"), owner("b")] }]);
  t.match(m.removePod("a"), [{ op: "remove", owners: [owner("a"), owner("b")] }]);
  const full = membership(group("web", { addresses: "node" }));
  full.putNode(node("n1", "192.168.0.1"), 0);
  const pods = ["a", "b", "c", "d", "e", "f", "g"].map((uid) => pod(uid));
  full.replacePods(pods, 0);
  full.replacePods(pods.slice(0, 4), 1);
  t.match([...full.members()], [{ ownerCount: 7, owners: ["a", "b", "c", "d", "e"].map(owner) }]);
});

t.test("whoever goes with the last one is told once", async (t) => {
  const [change, ...rest] = lacking().replacePods([], 2);
  t.match(change, { op: "remove", cause: "vanished", ownerCount: 2, owners: [owner("a"), owner("b")] });
  t.strictSame(rest, []);
});

t.test("an address that leaves names all who left with it, not the last only", async (t) => {
  const m = membership(group("web", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.replacePods([pod("a"), pod("b"), pod("c")], 0);
  t.match(m.replaceNodes([], 1), [
    { op: "remove", cause: "vanished", ownerCount: 3, owners: [owner("c"), owner("a"), owner("b")] },
  ]);
});

t.test("of whom something is heard again is not missing", async (t) => {
  const back = lacking();
  back.putPod(pod("b"), 2);
  t.strictSame(brief(back.removePod("b")), ["+ web 192.168.0.1"]);
  t.strictSame(brief(back.removePod("a")), ["-ended web 192.168.0.1"]);
  const listed = lacking();
  listed.replacePods([pod("a"), pod("b", { finished: true })], 2);
  t.strictSame(brief(listed.removePod("a")), ["-ended web 192.168.0.1"]);
  const ended = lacking();
  ended.removePod("b");
  t.strictSame(brief(ended.removePod("a")), ["-ended web 192.168.0.1"]);
});

t.test("an edit goes as an edit, and what ends the whole node or takes its address as that", async (t) => {
  t.strictSame(brief(lacking().putPod(pod("a", other), 2)), ["-relabeled web 192.168.0.1"]);
  t.strictSame(brief(lacking().removeNode("node-n1", 2)), ["-ended web 192.168.0.1"]);
  t.strictSame(brief(lacking().putNode(node("n1", "192.168.0.9"), 2)), [
    "-changed web 192.168.0.1",
    "+ web 192.168.0.9",
  ]);
});

t.test("an hour later nobody is missing, and who comes to the address after it left is alone", async (t) => {
  const m = lacking();
  m.tick(3_600_002);
  t.strictSame(brief(m.removePod("a")), ["-ended web 192.168.0.1"]);
  const again = lacking();
  again.removePod("a");
  again.putPod(pod("c"), 2);
  t.strictSame(brief(again.removePod("c")), ["-ended web 192.168.0.1"]);
});

t.test("owners that only the stream names are missing, too, where the address is a node's", async (t) => {
  const m = membership(group("web", { addresses: "node" }), group("pods"));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  for (const uid of ["a", "b"]) m.miss("web", "192.168.0.1", owner(uid), 0);
  m.miss("pods", "10.0.0.1", owner("b"), 0);
  t.strictSame(brief(m.removePod("a")), ["-vanished web 192.168.0.1", "-ended pods 10.0.0.1"]);
});
