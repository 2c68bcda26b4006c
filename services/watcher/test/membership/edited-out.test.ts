import t from "tap";
import type { Owner } from "@podgate/shared/contract/event";
import type { PodFact } from "../../src/facts/pod-fact.ts";
import type { Change } from "../../src/membership/change.ts";
import type { Membership } from "../../src/membership/membership.ts";
import { brief, group, membership, namespace, node, pod } from "./scene.ts";

const owner = (uid: string): Owner => ({ kind: "Pod", namespace: "shop", name: uid, uid });
const other = { labels: { app: "db" } };
const running = (m: Membership): Membership => {
  m.putPod(pod("a"), 0);
  return m;
};
const nodeGroup = group("web", { addresses: "node" });

const EDITS: [string, (m: Membership) => Change[], string][] = [
  ["its own labels", (m) => m.putPod(pod("a", other), 1), "relabeled"],
  [
    "the group's selector",
    (m) => m.setGroups([group("web", { podSelector: { matchLabels: { app: "x" } } })], 1),
    "unselected",
  ],
  ["the definition's end", (m) => m.setGroups([], 1), "undefined"],
];
for (const [what, edit, cause] of EDITS) {
  t.test(
    `a pod that ${what} took out of a group is told once more when it ends, and only then`,
    async (t) => {
      const m = running(membership());
      t.strictSame(brief(edit(m)), [`-${cause} web 10.0.0.1`]);
      const { labels } = other;
      t.strictSame(brief(m.putPod(pod("a", { labels, resourceVersion: "8" }), 2)), []);
      t.match(m.removePod("a"), [
        {
          op: "remove",
          again: true,
          cause: "ended",
          group: "web",
          address: "10.0.0.1",
          owners: [owner("a")],
        },
      ]);
      t.strictSame(m.removePod("a"), []);
    },
  );
}

const ENDS: [string, Partial<PodFact>, string][] = [
  ["finishes", { ...other, finished: true }, "ended"],
  ["gets another address", { ...other, addresses: ["10.0.0.2"] }, "changed"],
];
for (const [what, rest, cause] of ENDS) {
  t.test(`a pod that is out of its group and ${what} is told once: ${cause}`, async (t) => {
    const m = running(membership());
    m.putPod(pod("a", other), 1);
    t.strictSame(brief(m.putPod(pod("a", rest), 2)), [`-${cause} web 10.0.0.1`]);
    t.strictSame(m.removePod("a"), []);
  });
}

t.test("an address given on to a pod of no group has left the group of the old one", async (t) => {
  const m = running(membership());
  m.putPod(pod("a", other), 1);
  m.putPod(pod("a", { ...other, terminating: true, graceSeconds: 30 }), 2);
  t.strictSame(brief(m.putPod(pod("b", other), 3)), ["-reused web 10.0.0.1"]);
});

t.test("a list that lacks the pod is no end, unless somebody else has its address", async (t) => {
  const m = running(membership());
  m.putPod(pod("b", { addresses: ["10.0.0.2"] }), 0);
  m.putPod(pod("a", other), 1);
  m.putPod(pod("b", { ...other, addresses: ["10.0.0.2"] }), 1);
  t.strictSame(brief(m.replacePods([pod("c", { ...other, addresses: ["10.0.0.2"] })], 2)), [
    "-reused web 10.0.0.2",
  ]);
});

t.test("a pod that is a member again ends as one", async (t) => {
  const m = running(membership());
  m.putPod(pod("a", other), 1);
  t.strictSame(brief(m.putPod(pod("a"), 2)), ["+ web 10.0.0.1"]);
  t.strictSame(brief(m.removePod("a")), ["-ended web 10.0.0.1"]);
});

t.test("while another pod is a member with the address, nobody's end matters", async (t) => {
  const m = running(membership());
  m.putPod(pod("a", other), 1);
  m.putPod(pod("b"), 2);
  t.strictSame(brief(m.removePod("a")), []);
  t.strictSame(brief(m.removePod("b")), ["-ended web 10.0.0.1"]);
});

const ofBoth = (): Membership => {
  const m = running(membership());
  m.putPod(pod("b", { labels: { app: "web", tier: "front" } }), 0);
  m.setGroups([group("web", { podSelector: { matchLabels: { tier: "front" } } })], 1);
  return m;
};

t.test(
  "an address whose last owner ends leaves by the edit that took out another pod which still runs with it",
  async (t) => {
    const m = ofBoth();
    t.match(m.removePod("b"), [
      { op: "remove", cause: "unselected", address: "10.0.0.1", owners: [owner("a")] },
    ]);
    t.strictSame(brief(m.removePod("a")), ["-ended web 10.0.0.1"]);
  },
);

t.test("the stronger edit counts: a selector's before somebody's own labels", async (t) => {
  t.match(ofBoth().putPod(pod("b", other), 2), [
    { op: "remove", cause: "unselected", owners: [owner("a"), owner("b")] },
  ]);
  const m = ofBoth();
  m.removePod("a");
  t.match(m.putPod(pod("b", other), 2), [{ op: "remove", cause: "relabeled", owners: [owner("b")] }]);
});

t.test(
  "in node mode the last owner's end counts: pods of an earlier selector go on running there",
  async (t) => {
    const m = onNode();
    m.putPod(pod("b"), 0);
    t.strictSame(brief(m.removePod("b")), ["-ended web 192.168.0.1"]);
  },
);

t.test("a node's address waits for the last pod that it was there for", async (t) => {
  const m = membership(nodeGroup);
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  m.putPod(pod("b"), 0);
  m.putPod(pod("a", other), 1);
  t.strictSame(brief(m.putPod(pod("b", other), 2)), ["-relabeled web 192.168.0.1"]);
  t.strictSame(brief(m.removePod("a")), []);
  t.strictSame(brief(m.removePod("b")), ["-ended web 192.168.0.1"]);
});

const onNode = (): Membership => {
  const m = membership(nodeGroup);
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  m.putPod(pod("a", other), 1);
  return m;
};

t.test("the end of a node ends what was there for its pods; a list that lacks it does not", async (t) => {
  t.strictSame(brief(onNode().removeNode("node-n1", 2)), ["-ended web 192.168.0.1"]);
  t.strictSame(brief(onNode().replaceNodes([], 2)), []);
});

t.test(
  "a namespace's labels are an edit, too; pods that a list brings back are not waited for twice",
  async (t) => {
    const m = membership(group("web", { namespaceSelector: { matchLabels: { team: "shop" } } }));
    m.putNamespace(namespace("shop", { team: "shop" }), 0);
    m.putPod(pod("a"), 0);
    t.strictSame(brief(m.putNamespace(namespace("shop"), 1)), ["-unselected web 10.0.0.1"]);
    t.strictSame(brief(m.replacePods([pod("a")], 2)), []);
    t.strictSame(brief(m.removePod("a")), ["-ended web 10.0.0.1"]);
  },
);

t.test("what an earlier watcher noted is taken up, for owners that still have the address", async (t) => {
  const m = membership();
  m.putPod(pod("a", other), 0);
  m.recall("web", "10.0.0.1", [owner("a"), owner("gone")], "relabeled", 1);
  m.recall("web", "10.0.0.9", [owner("a")], "relabeled", 1);
  m.recall("old", "10.0.0.1", [owner("a")], "undefined", 1);
  m.recall("seen", "10.0.0.1", [owner("a")], "ended", 1);
  t.strictSame(brief(m.removePod("a")), ["-ended web 10.0.0.1", "-ended old 10.0.0.1"]);
});

t.test(
  "a node's address is not taken up: the stream names one of the pods that it was there for",
  async (t) => {
    const m = membership(nodeGroup);
    m.putNode(node("n1", "192.168.0.1"), 0);
    m.putPod(pod("a", other), 0);
    m.recall("web", "192.168.0.1", [owner("a")], "relabeled", 1);
    t.strictSame(m.removePod("a"), []);
  },
);

t.test("a pod that leaves group after group does not fill the memory", async (t) => {
  const m = running(membership());
  for (let i = 0; i < 100; i += 1) m.setGroups([group(`g${i}`)], i);
  t.equal(m.removePod("a").filter((change) => change.op === "remove" && change.again).length, 16);
});

t.test("what is forgotten for one pod is not told by the end of another", async (t) => {
  const m = membership(nodeGroup);
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  m.putPod(pod("b"), 0);
  m.setGroups([], 1);
  for (let i = 0; i < 20; i += 1) {
    m.setGroups([group(`g${i}`, { addresses: "node", podSelector: { matchLabels: { only: "a" } } })], 2);
    m.putPod(pod("a", { labels: { only: "a" } }), 2);
  }
  const told = brief(m.removePod("b"));
  t.notOk(told.includes("-ended web 192.168.0.1"), "a still runs on that node");
});
