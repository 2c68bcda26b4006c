import t from "tap";
import type { Membership } from "../../src/membership/membership.ts";
import { brief, group, membership, node, pod } from "./scene.ts";

const other = { labels: { app: "db" } };

/** A node with pods a and b of the group; a list lacks b. */
function lacking(): Membership {
  const m = membership(group("web", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.replacePods([pod("a"), pod("b")], 0);
  t.strictSame(brief(m.replacePods([pod("a")], 1)), ["+ web 192.168.0.1"], "other owners are told");
  return m;
}

t.test("a node's last listed pod ends: whoever a list lacked before may still run there", async (t) => {
  t.strictSame(brief(lacking().removePod("a")), ["-vanished web 192.168.0.1"]);
  t.strictSame(brief(lacking().putPod(pod("a", { finished: true }), 2)), ["-vanished web 192.168.0.1"]);
  t.strictSame(brief(lacking().replacePods([pod("a", { finished: true })], 2)), [
    "-vanished web 192.168.0.1",
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
  for (const uid of ["a", "b"]) m.miss("web", "192.168.0.1", { uid }, 0);
  m.miss("pods", "10.0.0.1", { uid: "b" }, 0);
  t.strictSame(brief(m.removePod("a")), ["-vanished web 192.168.0.1", "-ended pods 10.0.0.1"]);
});
