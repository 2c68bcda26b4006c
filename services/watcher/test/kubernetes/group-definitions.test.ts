import t from "tap";
import { definitionFact, staticDefinition } from "../../src/kubernetes/group-definitions.ts";

const resource = (spec: unknown, metadata: object = {}) => ({
  metadata: {
    uid: "u1",
    name: "web",
    generation: 3,
    creationTimestamp: "2026-11-24T00:08:02Z",
    ...metadata,
  },
  spec,
  status: { members: 4 },
});
const web = { podSelector: { matchLabels: { app: "web" } } };

t.test("a ClusterAddressGroup: pods of all namespaces, its own name", async (t) => {
  const fact = definitionFact("ClusterAddressGroup", resource(web));
  t.match(fact, {
    uid: "u1",
    kind: "ClusterAddressGroup",
    generation: 3,
    faults: [],
    status: { members: 4 },
  });
  t.strictSame(fact.definition, {
    group: "web",
    source: {
      kind: "ClusterAddressGroup",
      name: "web",
      uid: "u1",
      createdAt: Date.UTC(2026, 10, 24, 0, 8, 2),
      generation: 3,
    },
    addresses: "pod",
    nodeAddressType: "InternalIP",
    podSelector: { matchLabels: { app: "web" } },
  });
});

t.test("a ClusterAddressGroup: every field", async (t) => {
  const spec = {
    ...web,
    namespaceSelector: { matchLabels: { env: "prod" } },
    addresses: "Node",
    nodeAddressType: "ExternalIP",
    groupName: "WEB servers",
  };
  t.match(definitionFact("ClusterAddressGroup", resource(spec)).definition, {
    group: "WEB servers",
    addresses: "node",
    nodeAddressType: "ExternalIP",
    namespaceSelector: { matchLabels: { env: "prod" } },
  });
});

t.test("an AddressGroup is named by its namespace and selects there only", async (t) => {
  const fact = definitionFact("AddressGroup", resource(web, { namespace: "shop" }));
  t.match(fact.definition, { group: "shop/web", onlyNamespace: "shop" });
});

t.test("an empty podSelector means all pods; a missing one is a fault, never all pods", async (t) => {
  t.match(definitionFact("ClusterAddressGroup", resource({ podSelector: {} })).definition, {
    podSelector: {},
  });
  for (const spec of [{}, undefined, null, "all", []]) {
    const { definition, faults } = definitionFact("ClusterAddressGroup", resource(spec));
    t.equal(definition, undefined);
    t.strictSame(faults, ["spec.podSelector: is missing; name one, or {} for all pods"]);
  }
});

t.test("all faults are named at once, with field, value and remedy", async (t) => {
  const spec = {
    podSelector: { matchLabels: { "-": "x" } },
    namespaceSelector: { matchExpressions: [{ key: "a", operator: "In" }] },
    addresses: "Pods",
    nodeAddressType: 7,
    groupName: "a/b",
  };
  const { definition, faults } = definitionFact("ClusterAddressGroup", resource(spec));
  t.equal(definition, undefined);
  t.equal(faults.length, 5);
  t.match(faults[0], /^spec\.podSelector\.matchLabels: "-" is no label key/);
  t.match(faults[1], /^spec\.namespaceSelector\.matchExpressions\[0\]\.values: In needs at least one value/);
  t.match(faults[2], /^spec\.addresses: "Pods" must be one of Pod, Node$/);
  t.match(faults[3], /^spec\.nodeAddressType: 7 must be one of InternalIP, ExternalIP$/);
  t.match(faults[4], /^spec\.groupName: "a\/b" cannot be a FortiOS group name/);
});

t.test("an AddressGroup cannot reach beyond its namespace or take another name", async (t) => {
  const spec = { ...web, namespaceSelector: {}, groupName: "admins" };
  const { definition, faults } = definitionFact("AddressGroup", resource(spec, { namespace: "shop" }));
  t.equal(definition, undefined);
  t.match(faults, [/^spec\.namespaceSelector: only a Cluster/, /^spec\.groupName: only a Cluster/]);
});

t.test("a name that no FortiOS group can have is a fault", async (t) => {
  const long = definitionFact("AddressGroup", resource(web, { namespace: "shop", name: "w".repeat(75) }));
  t.match(long.faults, [/^metadata\.name: "shop\.w+" cannot be a FortiOS group name \(at most 79/]);
  const odd = definitionFact("ClusterAddressGroup", resource({ ...web, groupName: 7 }));
  t.match(odd.faults, [/^spec\.groupName: 7 must be a text/]);
});

t.test("a static definition is older than any custom resource", async (t) => {
  const { definition } = staticDefinition({ name: "web", ...web });
  t.match(definition, { group: "web", source: { kind: "Static", createdAt: 0, uid: "static-web" } });
  t.match(staticDefinition({ name: "a/b", ...web }).faults, [/^spec\.groupName: "a\/b"/]);
});
