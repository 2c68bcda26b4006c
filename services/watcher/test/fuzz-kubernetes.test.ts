import fc from "fast-check";
import t from "tap";
import { canonicalAddress } from "@podgate/shared/contract/address";
import { groupName } from "@podgate/shared/contract/names";
import { seededRandom } from "@podgate/shared/runtime/random";
import { VirtualClock } from "../../../shared/test/bus/virtual-clock.ts";
import { deepJson, junk, nastyText, spoiled } from "../../../shared/test/junk.ts";
import { namespaceFact } from "../src/facts/namespace-fact.ts";
import { nodeReading } from "../src/facts/node-fact.ts";
import { podFact } from "../src/facts/pod-fact.ts";
import { definitionFact } from "../src/kubernetes/group-definitions.ts";
import {
  ADDRESS_GROUPS,
  CLUSTER_ADDRESS_GROUPS,
  NAMESPACES,
  NODES,
  PODS,
} from "../src/kubernetes/resources.ts";
import { KubernetesError } from "../src/kubernetes/transport.ts";
import { readWatchEvent } from "../src/kubernetes/watch-event.ts";
import { ClusterSource } from "../src/publish/cluster-source.ts";
import { ApiServer, CRDS, ESTABLISHED } from "./kubernetes/api-server.ts";

const POD = {
  metadata: {
    uid: "u-1",
    namespace: "shop",
    name: "web-1",
    labels: { app: "web" },
    annotations: { "cni.projectcalico.org/podIP": "10.0.0.9/32" },
    deletionTimestamp: "2026-11-25T00:00:00Z",
    deletionGracePeriodSeconds: 30,
    resourceVersion: "7",
  },
  spec: { nodeName: "n1", hostNetwork: false, containers: [{ name: "main" }] },
  status: {
    phase: "Running",
    podIPs: [{ ip: "10.0.0.9" }, { ip: "2001:db8::9" }],
    containerStatuses: [{ state: { running: {} } }],
    initContainerStatuses: [{ state: { terminated: {} } }],
  },
};
const NODE = {
  metadata: { uid: "n-1", name: "n1", labels: { zone: "a" }, resourceVersion: "7" },
  status: { addresses: [{ type: "InternalIP", address: "192.0.2.1" }] },
};
const DEFINITION = {
  metadata: {
    uid: "g-1",
    name: "web",
    namespace: "shop",
    generation: 1,
    creationTimestamp: "2026-11-25T00:00:00Z",
    resourceVersion: "7",
  },
  spec: {
    podSelector: {
      matchLabels: { app: "web" },
      matchExpressions: [{ key: "tier", operator: "In", values: ["front"] }],
    },
    namespaceSelector: { matchLabels: { team: "shop" } },
    groupName: "web-servers",
    addresses: "Pod",
    nodeAddressType: "InternalIP",
  },
  status: { conditions: [] },
};
const { namespaceSelector: _selector, groupName: _name, ...OWN_SPEC } = DEFINITION.spec;
const OWN = { ...DEFINITION, spec: OWN_SPEC };

function requireCanonical(addresses: readonly string[]): void {
  for (const address of addresses)
    if (canonicalAddress(address) !== address) throw new Error(`${address} is no canonical address`);
}

t.test("a pod, node or namespace of any shape is cut to a fact, with canonical addresses only", (t) => {
  fc.assert(
    fc.property(fc.oneof(spoiled(POD), junk), fc.oneof(spoiled(NODE), junk), (pod, node) => {
      requireCanonical(podFact(pod).fact.addresses);
      const { fact } = nodeReading(node);
      requireCanonical([...fact.internal, ...fact.external]);
      namespaceFact(node);
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test(
  "a group definition of any shape is refused with every fault's field and remedy, or is one for the bus",
  (t) => {
    const field = /^(spec\.\w|metadata\.name: ).*: .{5,}/s;
    const judge = (kind: "ClusterAddressGroup" | "AddressGroup", value: unknown): void => {
      const { definition, faults } = definitionFact(kind, value);
      for (const fault of faults)
        if (!field.test(fault)) throw new Error(`says too little: ${fault.slice(0, 200)}`);
      if (definition === undefined) {
        if (faults.length === 0) throw new Error("refused without a word");
        return;
      }
      if (faults.length > 0) throw new Error("taken with faults");
      const named = groupName.safeParse(definition.group);
      if (!named.success)
        throw new Error(`"${definition.group}" makes its cluster's state message unreadable`);
      if (kind === "AddressGroup" && definition.onlyNamespace === undefined)
        throw new Error("it would select in every namespace");
    };
    fc.assert(
      fc.property(spoiled(DEFINITION), spoiled(OWN), junk, (wide, own, other) => {
        judge("ClusterAddressGroup", wide);
        judge("AddressGroup", own);
        judge("ClusterAddressGroup", other);
        judge("AddressGroup", { ...OWN, spec: other });
      }),
      { numRuns: 2000 },
    );
    t.strictSame(definitionFact("ClusterAddressGroup", DEFINITION).faults, []);
    t.strictSame(definitionFact("AddressGroup", OWN).faults, []);
    t.end();
  },
);

t.test("every fault of a definition is told at once", (t) => {
  const { faults } = definitionFact("ClusterAddressGroup", {
    ...DEFINITION,
    spec: {
      podSelector: { matchLabels: { "-": "x" }, matchExpressions: [{ key: "a", operator: "Near" }] },
      namespaceSelector: [],
      groupName: 7,
      addresses: "pod",
      nodeAddressType: "Hostname",
    },
  });
  for (const path of [
    "spec.podSelector.matchLabels",
    "spec.podSelector.matchExpressions[0].operator",
    "spec.namespaceSelector",
    "spec.groupName",
    "spec.addresses",
    "spec.nodeAddressType",
  ])
    t.ok(
      faults.some((fault) => fault.startsWith(path)),
      path,
    );
  t.end();
});

t.test("a watch line of any kind is an event or a parse error", (t) => {
  const real = { type: "MODIFIED", object: POD };
  const text = fc.oneof(
    spoiled(real).map((value) => JSON.stringify(value) ?? ""),
    junk.map((value) => JSON.stringify(value) ?? ""),
    nastyText,
    fc.constant(deepJson()),
  );
  fc.assert(
    fc.property(text, (line) => {
      try {
        readWatchEvent(line);
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
  t.end();
});

const silent = (): void => undefined;

t.test("an API server that talks junk takes no address away and gives none", async (t) => {
  const clock = new VirtualClock();
  const api = new ApiServer(clock);
  for (const path of [NODES, NAMESPACES, ADDRESS_GROUPS]) api.serve(path);
  for (const path of CRDS) api.single.set(path, ESTABLISHED);
  api.put(CLUSTER_ADDRESS_GROUPS, "web", { spec: { podSelector: {} } });
  api.put(PODS, "a", { status: { phase: "Running", podIPs: [{ ip: "10.0.0.1" }] } });
  const kinds = new Set<string>();
  const source = new ClusterSource({
    transport: api,
    clock,
    random: seededRandom(1),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    staticGroups: [],
    customResources: true,
    onError: (_, kind) => kinds.add(kind),
    onRejectedAddress: silent,
  });
  const stop = new AbortController();
  const run = source.run("", silent, stop.signal);
  const members = (): string[] => [...source.members()].map(({ group, address }) => `${group} ${address}`);
  t.teardown(async () => {
    stop.abort();
    await run;
  });
  await clock.run(1000);
  t.strictSame(members(), ["web 10.0.0.1"]);
  let wrong: string | undefined;
  const look = (after: string): void => {
    if (members().join() !== "web 10.0.0.1") wrong ??= `${members().join()} after ${after.slice(0, 200)}`;
  };
  const lines = fc.sample(
    fc.oneof(
      junk.map((value) => JSON.stringify(value) ?? ""),
      nastyText,
      junk.map((object) => JSON.stringify({ type: "MODIFIED", object })),
      junk.map((metadata) => JSON.stringify({ type: "DELETED", object: { metadata } })),
    ),
    200,
  );
  for (const line of [...lines, deepJson()]) {
    api.say(`${line}\n`);
    await clock.run(6000);
    look(line);
  }
  // Answers of any kind to requests for lists, too.
  const answers = fc.sample(junk, 50);
  for (const value of answers) {
    api.single.set(PODS, value);
    api.endWatches();
    await clock.run(20_000);
    look(JSON.stringify(value));
  }
  api.single.delete(PODS);
  await clock.run(60_000);
  look("all of it");
  t.equal(wrong, undefined);
  t.equal(source.fresh, true, "and it is followed again");
  t.ok(kinds.has("parse"), "what was wrong was counted");
});
