import t from "tap";
import type { PodFact } from "../../src/facts/pod-fact.ts";
import type { Membership } from "../../src/membership/membership.ts";
import { brief, group, membership, namespace, node, pod } from "./scene.ts";

t.test("a pod joins when it has an address and leaves when it is deleted", async (t) => {
  const m = membership();
  t.strictSame(brief(m.putPod(pod("a", { addresses: [] }), 0)), []);
  t.strictSame(brief(m.putPod(pod("a"), 1)), ["+ web 10.0.0.1"]);
  t.strictSame(brief(m.putPod(pod("a"), 2)), [], "the same again changes nothing");
  t.strictSame(brief(m.removePod("a")), ["-ended web 10.0.0.1"]);
  t.equal(m.count, 0);
});

const GONE: [string, Partial<PodFact>, string][] = [
  ["completed", { finished: true }, "ended"],
  [
    "terminating with its containers stopped",
    { terminating: true, graceSeconds: 30, containersStopped: true },
    "ended",
  ],
  [
    "terminating with its address freed by the CNI",
    { terminating: true, graceSeconds: 30, released: true },
    "ended",
  ],
  ["relabeled", { labels: { app: "db" } }, "relabeled"],
  ["given another address in place", { addresses: ["10.0.0.9"] }, "changed"],
];
for (const [what, rest, cause] of GONE) {
  t.test(`a pod that is ${what} leaves at once: ${cause}`, async (t) => {
    const m = membership();
    m.putPod(pod("a"), 0);
    t.equal(brief(m.putPod(pod("a", rest), 1))[0], `-${cause} web 10.0.0.1`);
  });
}

t.test(
  "a terminating pod stays for its grace and a margin, counted from first sight, never extended",
  async (t) => {
    const m = membership();
    m.putPod(pod("a"), 0);
    t.strictSame(brief(m.putPod(pod("a", { terminating: true, graceSeconds: 30 }), 1000)), []);
    t.equal(m.nextDeadline(), 41_000);
    m.putPod(pod("a", { terminating: true, graceSeconds: 60 }), 2000);
    t.equal(m.nextDeadline(), 41_000, "a longer grace does not extend it");
    m.putPod(pod("a", { terminating: true, graceSeconds: 0 }), 3000);
    t.equal(m.nextDeadline(), 11_000, "a shorter one does shorten it");
    t.strictSame(brief(m.tick(10_999)), []);
    t.strictSame(brief(m.tick(11_000)), ["-ended web 10.0.0.1"]);
    t.equal(m.nextDeadline(), undefined);
  },
);

t.test("host-network pods are in no pod group, but their node is in a node group", async (t) => {
  const m = membership(group("web"), group("hosts", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  t.strictSame(brief(m.putPod(pod("a", { hostNetwork: true, addresses: ["192.168.0.1"] }), 0)), [
    "+ hosts 192.168.0.1",
  ]);
  t.strictSame([...m.notCounting(0)], [["host network", 1]]);
});

t.test("dual-stack gives both addresses", async (t) => {
  const m = membership();
  t.strictSame(brief(m.putPod(pod("a", { addresses: ["10.0.0.1", "2001:db8::1"] }), 0)), [
    "+ web 10.0.0.1",
    "+ web 2001:db8::1",
  ]);
});

t.test("an address with two owners stays until the last one goes", async (t) => {
  const m = membership();
  m.putPod(pod("a"), 0);
  t.match(m.putPod(pod("b"), 1), [{ op: "add", ownerCount: 2, owners: [{ uid: "a" }, { uid: "b" }] }]);
  t.match(m.removePod("a"), [{ op: "add", ownerCount: 1, owners: [{ uid: "b" }] }], "owners are told");
  t.match([...m.members()], [{ address: "10.0.0.1", ownerCount: 1, owners: [{ uid: "b" }] }]);
  t.strictSame(brief(m.removePod("b")), ["-ended web 10.0.0.1"]);
});

t.test("a pod made anew under the same name is another owner", async (t) => {
  const m = membership();
  m.putPod(pod("u1", { name: "web-0" }), 0);
  t.strictSame(brief(m.replacePods([pod("u2", { name: "web-0", addresses: ["10.0.0.2"] })], 1)), [
    "-vanished web 10.0.0.1",
    "+ web 10.0.0.2",
  ]);
});

t.test("an address given on while its old pod still terminates is reused, in every group", async (t) => {
  const m = membership(group("web"), group("db", { podSelector: { matchLabels: { app: "db" } } }));
  m.putPod(pod("a", { terminating: true, graceSeconds: 30 }), 0);
  t.strictSame(brief(m.putPod(pod("b", { labels: { app: "db" } }), 1)), [
    "-reused web 10.0.0.1",
    "+ db 10.0.0.1",
  ]);
});

t.test("a relist: what is absent vanished, what somebody else holds was reused", async (t) => {
  const m = membership();
  m.putPod(pod("a"), 0);
  m.putPod(pod("b", { addresses: ["10.0.0.2"] }), 0);
  t.strictSame(
    brief(m.replacePods([pod("c", { labels: { app: "db" }, addresses: ["10.0.0.2"] })], 1)).toSorted(),
    ["-reused web 10.0.0.2", "-vanished web 10.0.0.1"],
  );
});

t.test("a relabelled namespace takes its pods along without a pod event", async (t) => {
  const m = membership(group("web", { namespaceSelector: { matchLabels: { env: "prod" } } }));
  m.putPod(pod("a"), 0);
  t.equal(m.count, 0, "an unknown namespace selects nothing");
  t.strictSame(brief(m.putNamespace(namespace("shop", { env: "prod" }), 1)), ["+ web 10.0.0.1"]);
  t.strictSame(brief(m.putNamespace(namespace("shop", { env: "test" }), 2)), ["-unselected web 10.0.0.1"]);
});

t.test("an AddressGroup selects in its own namespace only", async (t) => {
  const m = membership(group("shop/web", { onlyNamespace: "shop" }));
  m.putPod(pod("a"), 0);
  m.putPod(pod("b", { namespace: "other", addresses: ["10.0.0.2"] }), 0);
  t.strictSame(
    [...m.members()].map(({ address }) => address),
    ["10.0.0.1"],
  );
});

t.test(
  "a node is in the group until its last matching pod goes, and follows its own addresses",
  async (t) => {
    const m = membership(group("hosts", { addresses: "node" }));
    m.putNode(node("n1", "192.168.0.1"), 0);
    t.strictSame(brief(m.putPod(pod("a"), 0)), ["+ hosts 192.168.0.1"]);
    m.putPod(pod("b", { addresses: ["10.0.0.2"] }), 0);
    t.strictSame(brief(m.putNode(node("n1", "192.168.0.7"), 1)), [
      "-changed hosts 192.168.0.1",
      "+ hosts 192.168.0.7",
    ]);
    t.match(m.removePod("a"), [{ op: "add", address: "192.168.0.7", owners: [{ uid: "b" }] }]);
    t.strictSame(brief(m.removePod("b")), ["-ended hosts 192.168.0.7"]);
  },
);

t.test("node mode names the other namespaces on those nodes", async (t) => {
  const m = membership(group("hosts", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  m.putPod(pod("b", { namespace: "bank", labels: {}, addresses: ["10.0.0.2"] }), 0);
  t.strictSame(m.sharedNamespaces("hosts", 0), ["bank"]);
});

t.test("an address given on stays given on, also when its new pod goes again", async (t) => {
  const m = membership();
  m.putPod(pod("a", { terminating: true, graceSeconds: 30 }), 0);
  t.match(m.putPod(pod("b"), 1), [{ op: "add", ownerCount: 1, owners: [{ uid: "b" }] }]);
  t.strictSame(brief(m.removePod("b")), ["-ended web 10.0.0.1"]);
  t.strictSame(brief(m.putPod(pod("a", { terminating: true, graceSeconds: 30 }), 2)), []);
  t.equal(m.count, 0);
});

t.test("two running pods of one address both hold it until one of them terminates", async (t) => {
  const m = membership();
  m.putPod(pod("a"), 0);
  m.putPod(pod("b"), 0);
  t.match([...m.members()], [{ ownerCount: 2 }]);
  m.putPod(pod("a", { terminating: true, graceSeconds: 30 }), 1);
  t.match([...m.members()], [{ ownerCount: 1, owners: [{ uid: "b" }] }]);
});

t.test("in one list, a pod that has just finished takes no address from one that terminates", async (t) => {
  const m = membership();
  m.putPod(pod("old"), 0);
  const now = [pod("young", { terminating: true, graceSeconds: 30 }), pod("old", { finished: true })];
  m.replacePods(now, 1);
  t.match([...m.members()], [{ address: "10.0.0.1", owners: [{ uid: "young" }] }]);
});

const prod = { namespaceSelector: { matchLabels: { env: "prod" } } };
const LEAVING: [string, (m: Membership) => unknown][] = [
  ["is deleted", (m) => m.removeNamespace("ns-shop")],
  ["is lacked by a list", (m) => brief(m.replaceNamespaces([namespace("bank")], 1))],
];
for (const [what, go] of LEAVING) {
  t.test(`a namespace that ${what} stays while its pods are listed`, async (t) => {
    const m = membership(group("web", prod));
    m.putNamespace(namespace("shop", { env: "prod" }), 0);
    m.putPod(pod("a"), 0);
    m.putPod(pod("b", { addresses: ["10.0.0.2"] }), 0);
    t.notOk(((go(m) ?? []) as unknown[]).length, "nobody leaves");
    m.putPod(pod("c", { addresses: ["10.0.0.3"] }), 1);
    t.strictSame(brief(m.removePod("a")), ["-ended web 10.0.0.1"]);
    m.removePod("b");
    t.strictSame(brief(m.putPod(pod("c", { labels: {}, addresses: ["10.0.0.3"] }), 2)), [
      "-relabeled web 10.0.0.3",
    ]);
    m.removePod("c");
    t.strictSame(
      m.putPod(pod("d"), 3),
      [],
      "and goes with the last: who comes then waits to hear of the new one",
    );
    t.strictSame(brief(m.putNamespace({ ...namespace("shop", { env: "prod" }), uid: "anew" }, 4)), [
      "+ web 10.0.0.1",
    ]);
  });

  t.test(`a namespace that ${what} and comes again under its name is as the new one is`, async (t) => {
    const m = membership(group("web", prod));
    m.putNamespace(namespace("shop", { env: "prod" }), 0);
    m.putPod(pod("a"), 0);
    go(m);
    t.strictSame(brief(m.putNamespace({ ...namespace("shop", { env: "test" }), uid: "anew" }, 1)), [
      "-unselected web 10.0.0.1",
    ]);
    m.removePod("a");
    t.strictSame(brief(m.putNamespace({ ...namespace("shop", { env: "prod" }), uid: "anew" }, 2)), []);
    t.strictSame(brief(m.putPod(pod("b"), 3)), ["+ web 10.0.0.1"]);
  });
}

t.test("a namespace made anew under its name is not taken along by the end of the old one", async (t) => {
  const m = membership(group("web", { namespaceSelector: { matchLabels: { env: "prod" } } }));
  m.putNamespace({ ...namespace("shop", { env: "prod" }), uid: "old" }, 0);
  m.putPod(pod("a"), 0);
  t.strictSame(m.putNamespace({ ...namespace("shop", { env: "prod" }), uid: "new" }, 1), []);
  m.removeNamespace("old");
  m.removePod("a");
  t.strictSame(brief(m.putPod(pod("b"), 3)), ["+ web 10.0.0.1"]);
});

t.test("a node that is deleted has ended; one that a list lacks has vanished", async (t) => {
  const m = membership(group("hosts", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  t.strictSame(brief(m.removeNode("node-n1", 1)), ["-ended hosts 192.168.0.1"]);
  m.putNode(node("n1", "192.168.0.1"), 2);
  t.strictSame(brief(m.replaceNodes([], 3)), ["-vanished hosts 192.168.0.1"]);
});

t.test("two nodes that swap their addresses change owners, and no address leaves", async (t) => {
  const m = membership(group("hosts", { addresses: "node" }));
  m.replaceNodes([node("n1", "192.168.0.1"), node("n2", "192.168.0.2")], 0);
  m.putPod(pod("a", { nodeName: "n1" }), 0);
  m.putPod(pod("b", { nodeName: "n2", addresses: ["10.0.0.2"] }), 0);
  const changes = m.replaceNodes([node("n1", "192.168.0.2"), node("n2", "192.168.0.1")], 1);
  t.notMatch(changes, [{ op: "remove" }]);
  t.strictSame(Object.fromEntries([...m.members()].map(({ address, owners }) => [address, owners[0]?.uid])), {
    "192.168.0.1": "b",
    "192.168.0.2": "a",
  });
});

t.test("ExternalIPs are used where the group asks for them; a node without one gives none", async (t) => {
  const m = membership(group("hosts", { addresses: "node", nodeAddressType: "ExternalIP" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  t.strictSame(brief(m.putPod(pod("a"), 0)), []);
  t.match(m.explain("shop", "a", 0), [{ member: false, reason: "node n1 has no ExternalIP" }]);
  const known = { ...node("n1", "192.168.0.1"), external: ["203.0.113.9", "2001:db8::9"] };
  t.strictSame(brief(m.putNode(known, 1)), ["+ hosts 203.0.113.9", "+ hosts 2001:db8::9"]);
});

t.test("a group that turns from pods to nodes leaves the pods' addresses as unselected", async (t) => {
  const m = membership(group("web"));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  t.strictSame(brief(m.setGroups([group("web", { addresses: "node" })], 1)), [
    "-unselected web 10.0.0.1",
    "+ web 192.168.0.1",
  ]);
});

t.test(
  "a pod in a list of its own with other labels was relabeled; an edit of what selects it was not",
  async (t) => {
    const m = membership(group("web", { namespaceSelector: { matchLabels: { env: "prod" } } }));
    m.replaceNamespaces([namespace("shop", { env: "prod" })], 0);
    m.replacePods([pod("a"), pod("b", { addresses: ["10.0.0.2"] })], 0);
    t.strictSame(brief(m.replacePods([pod("a", { labels: {} }), pod("b", { addresses: ["10.0.0.2"] })], 1)), [
      "-relabeled web 10.0.0.1",
    ]);
    t.strictSame(brief(m.replaceNamespaces([namespace("shop", { env: "test" })], 2)), [
      "-unselected web 10.0.0.2",
    ]);
  },
);

t.test("a pod that runs has its own addresses and its node's, whatever selects it", async (t) => {
  const m = membership(group("web"), group("hosts", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a", { labels: {} }), 0);
  m.putPod(pod("b", { finished: true, addresses: ["10.0.0.2"] }), 0);
  const end = (name: string, uid: string, address: string) => m.endOf(name, { uid }, address, 0);
  t.equal(end("web", "a", "10.0.0.1"), undefined);
  t.equal(end("hosts", "a", "192.168.0.1"), undefined);
  t.equal(end("web", "a", "10.0.0.2"), "changed");
  t.equal(end("web", "b", "10.0.0.2"), "ended");
  t.equal(end("web", "c", "10.0.0.1"), "vanished", "nobody knows it");
  m.replaceNodes([], 0);
  t.equal(end("hosts", "a", "192.168.0.1"), "vanished", "nobody knows its node");
  t.equal(end("gone", "a", "192.168.0.1"), "vanished");
  t.equal(end("web", "a", "10.0.0.2"), "changed", "which says nothing of its own address");
});

t.test("an event shows five owners and counts all", async (t) => {
  const m = membership(group("hosts", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  const pods = Array.from({ length: 8 }, (_, at) => pod(`p${at}`, { addresses: [`10.0.1.${at}`] }));
  const [change] = m.replacePods(pods, 0);
  t.equal(change?.owners.length, 5);
  t.equal(change?.ownerCount, 8);
});

t.test("a definition that goes takes its members along; one that comes brings them", async (t) => {
  const m = membership();
  m.putPod(pod("a"), 0);
  t.strictSame(brief(m.setGroups([group("shop")], 1)), ["-undefined web 10.0.0.1", "+ shop 10.0.0.1"]);
});

t.test("explain says why for each group", async (t) => {
  const m = membership(group("web"), group("db", { podSelector: { matchLabels: { app: "db" } } }));
  m.putPod(pod("a"), 0);
  t.match(m.explain("shop", "a", 0), [
    { group: "web", member: true },
    { group: "db", member: false, reason: /podSelector/ },
  ]);
});
