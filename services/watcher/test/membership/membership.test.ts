import fc from "fast-check";
import t from "tap";
import type { PodFact } from "../../src/facts/pod-fact.ts";
import type { Change } from "../../src/membership/change.ts";
import type { GroupDefinition } from "../../src/membership/group-definition.ts";
import { Membership } from "../../src/membership/membership.ts";

function pod(uid: string, rest: Partial<PodFact> = {}): PodFact {
  return {
    uid,
    namespace: "shop",
    name: uid,
    labels: { app: "web" },
    addresses: ["10.0.0.1"],
    nodeName: "n1",
    hostNetwork: false,
    finished: false,
    terminating: false,
    graceSeconds: 0,
    containersStopped: false,
    released: false,
    resourceVersion: "7",
    ...rest,
  };
}

function group(name: string, rest: Partial<GroupDefinition> = {}): GroupDefinition {
  return {
    group: name,
    source: { kind: "ClusterAddressGroup", name, uid: name, createdAt: 1, generation: 1 },
    addresses: "pod",
    nodeAddressType: "InternalIP",
    podSelector: { matchLabels: { app: "web" } },
    ...rest,
  };
}

const node = (name: string, ...internal: string[]) => ({
  uid: `node-${name}`,
  name,
  labels: {},
  internal,
  external: [],
  resourceVersion: "1",
});
const namespace = (name: string, labels: Record<string, string> = {}) => ({
  uid: `ns-${name}`,
  name,
  labels,
  resourceVersion: "1",
});

function membership(...groups: GroupDefinition[]): Membership {
  const made = new Membership();
  made.setGroups(groups.length > 0 ? groups : [group("web")], 0);
  return made;
}

const brief = (changes: readonly Change[]): string[] =>
  changes.map((c) => `${c.op === "add" ? "+" : `-${c.cause}`} ${c.group} ${c.address}`);

t.test("a pod joins when it has an address and leaves when it is deleted", async (t) => {
  const m = membership();
  t.strictSame(brief(m.putPod(pod("a", { addresses: [] }), 0)), []);
  t.strictSame(brief(m.putPod(pod("a"), 1)), ["+ web 10.0.0.1"]);
  t.strictSame(brief(m.putPod(pod("a"), 2)), [], "the same again changes nothing");
  t.strictSame(brief(m.removePod("a", 3)), ["-ended web 10.0.0.1"]);
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
  ["relabelled", { labels: { app: "db" } }, "unselected"],
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
  t.strictSame(brief(m.putPod(pod("b"), 1)), []);
  t.strictSame(brief(m.removePod("a", 2)), []);
  t.match([...m.members()], [{ address: "10.0.0.1", ownerCount: 1, owners: [{ uid: "b" }] }]);
  t.strictSame(brief(m.removePod("b", 3)), ["-ended web 10.0.0.1"]);
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
    t.strictSame(brief(m.removePod("a", 2)), []);
    t.strictSame(brief(m.removePod("b", 3)), ["-ended hosts 192.168.0.7"]);
  },
);

t.test("node mode names the other namespaces on those nodes", async (t) => {
  const m = membership(group("hosts", { addresses: "node" }));
  m.putNode(node("n1", "192.168.0.1"), 0);
  m.putPod(pod("a"), 0);
  m.putPod(pod("b", { namespace: "bank", labels: {}, addresses: ["10.0.0.2"] }), 0);
  t.strictSame(m.sharedNamespaces("hosts", 0), ["bank"]);
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

t.test(
  "whatever happens, the set equals the one calculated from scratch, and changes tell the difference",
  async () => {
    const uid = fc.constantFrom("u1", "u2", "u3", "u4");
    const fact = fc.record({
      uid,
      namespace: fc.constantFrom("shop", "bank"),
      labels: fc.constantFrom({ app: "web" }, { app: "db" }, {}),
      addresses: fc.constantFrom([], ["10.0.0.1"], ["10.0.0.2"], ["10.0.0.1", "2001:db8::1"]),
      nodeName: fc.constantFrom("", "n1", "n2"),
      hostNetwork: fc.boolean(),
      finished: fc.boolean(),
      terminating: fc.boolean(),
      containersStopped: fc.boolean(),
    });
    const operation = fc.oneof(
      fc.record({ op: fc.constant("put" as const), fact }),
      fc.record({ op: fc.constant("remove" as const), uid }),
      fc.record({
        op: fc.constant("replace" as const),
        facts: fc.uniqueArray(fact, { selector: (f) => f.uid }),
      }),
      fc.record({
        op: fc.constant("node" as const),
        name: fc.constantFrom("n1", "n2"),
        ip: fc.constantFrom("192.168.0.1", "192.168.0.2"),
      }),
      fc.record({ op: fc.constant("namespace" as const), env: fc.constantFrom("prod", "test") }),
      fc.record({ op: fc.constant("groups" as const), names: fc.subarray(["web", "db", "hosts", "prod"]) }),
    );
    const definitions = [
      group("web"),
      group("db", {
        podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] },
      }),
      group("hosts", { addresses: "node" }),
      group("prod", { podSelector: {}, namespaceSelector: { matchLabels: { env: "prod" } } }),
    ];
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
        const m = membership(...definitions);
        const pods = new Map<string, PodFact>();
        const nodes = new Map<string, string>();
        let env: string | undefined;
        let names = definitions.map((d) => d.group);
        const told = new Set<string>();
        const make = (f: Partial<PodFact> & { uid: string }): PodFact =>
          pod(f.uid, { ...f, graceSeconds: 30 });
        for (const each of operations) {
          let changes: Change[] = [];
          if (each.op === "put") {
            pods.set(each.fact.uid, make(each.fact));
            changes = m.putPod(make(each.fact), 0);
          } else if (each.op === "remove") {
            pods.delete(each.uid);
            changes = m.removePod(each.uid, 0);
          } else if (each.op === "replace") {
            pods.clear();
            for (const f of each.facts) pods.set(f.uid, make(f));
            changes = m.replacePods([...pods.values()], 0);
          } else if (each.op === "node") {
            nodes.set(each.name, each.ip);
            changes = m.putNode(node(each.name, each.ip), 0);
          } else if (each.op === "namespace") {
            env = each.env;
            changes = m.putNamespace(namespace("shop", { env }), 0);
          } else {
            names = each.names;
            changes = m.setGroups(
              definitions.filter((d) => names.includes(d.group)),
              0,
            );
          }
          for (const c of changes) {
            const key = `${c.group} ${c.address}`;
            if (c.op === "add" ? told.has(key) : !told.delete(key))
              throw new Error(`told twice: ${c.op} ${key}`);
            if (c.op === "add") told.add(key);
          }
          const expected = fromScratch(pods, nodes, env, names);
          const actual = [...m.members()].map(({ group: g, address }) => `${g} ${address}`).toSorted();
          if (JSON.stringify(actual) !== JSON.stringify(expected))
            throw new Error(`${actual.join()} is not ${expected.join()}`);
          if (JSON.stringify([...told].toSorted()) !== JSON.stringify(expected))
            throw new Error("the changes tell another story");
          if (m.count !== expected.length) throw new Error("count");
        }
      }),
      { numRuns: 2000 },
    );
  },
);

/** The rules once more, the slow way. */
function fromScratch(
  pods: Map<string, PodFact>,
  nodes: Map<string, string>,
  env: string | undefined,
  names: string[],
): string[] {
  const members = new Set<string>();
  const alive = [...pods.values()].filter((p) => !p.finished && !(p.terminating && p.containersStopped));
  const runs = alive.filter((p) => !p.hostNetwork && !p.terminating);
  for (const p of alive) {
    const app = p.labels["app"];
    const own = p.hostNetwork
      ? []
      : p.addresses.filter((a) => !p.terminating || !runs.some((o) => o.addresses.includes(a)));
    if (names.includes("web") && app === "web") for (const a of own) members.add(`web ${a}`);
    if (names.includes("db") && app !== "web") for (const a of own) members.add(`db ${a}`);
    if (names.includes("prod") && p.namespace === "shop" && env === "prod")
      for (const a of own) members.add(`prod ${a}`);
    const ip = nodes.get(p.nodeName);
    if (names.includes("hosts") && app === "web" && ip !== undefined) members.add(`hosts ${ip}`);
  }
  return [...members].toSorted();
}
