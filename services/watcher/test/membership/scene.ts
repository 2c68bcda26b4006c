import type { NamespaceFact } from "../../src/facts/namespace-fact.ts";
import type { NodeFact } from "../../src/facts/node-fact.ts";
import type { PodFact } from "../../src/facts/pod-fact.ts";
import type { Change } from "../../src/membership/change.ts";
import type { GroupDefinition } from "../../src/membership/group-definition.ts";
import { Membership } from "../../src/membership/membership.ts";

export function pod(uid: string, rest: Partial<PodFact> = {}): PodFact {
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

export function group(name: string, rest: Partial<GroupDefinition> = {}): GroupDefinition {
  return {
    group: name,
    source: { kind: "ClusterAddressGroup", name, uid: name, createdAt: 1, generation: 1 },
    addresses: "pod",
    nodeAddressType: "InternalIP",
    podSelector: { matchLabels: { app: "web" } },
    ...rest,
  };
}

export const node = (name: string, ...internal: string[]): NodeFact => ({
  uid: `node-${name}`,
  name,
  labels: {},
  internal,
  external: [],
  resourceVersion: "1",
});
export const namespace = (name: string, labels: Record<string, string> = {}): NamespaceFact => ({
  uid: `ns-${name}`,
  name,
  labels,
  resourceVersion: "1",
});

export function membership(...groups: GroupDefinition[]): Membership {
  const made = new Membership();
  made.setGroups(groups.length > 0 ? groups : [group("web")], 0);
  return made;
}

/** `+ group address` and `-cause group address`, in order. */
export const brief = (changes: readonly Change[]): string[] =>
  changes.map((c) => `${c.op === "add" ? "+" : `-${c.cause}`} ${c.group} ${c.address}`);
