import type { ClusterStatus, GroupStatus, TargetStatus } from "@podgate/shared/contract/status";
import { definitionFact, type DefinitionFact } from "../../src/kubernetes/group-definitions.ts";

export const CLUSTER = "east";

export function definition(name: string, spec: object = {}, rest: object = {}): DefinitionFact {
  return definitionFact("ClusterAddressGroup", {
    metadata: { name, uid: `uid-${name}`, generation: 3, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { podSelector: {}, ...spec },
    ...rest,
  });
}

export const inStep = (members: number): GroupStatus => ({
  firewallGroup: "web",
  desired: members,
  applied: members,
  inSync: true,
});

export function target(
  name: string,
  groups: Record<string, GroupStatus>,
  rest: Partial<TargetStatus> = {},
): TargetStatus {
  return {
    v: 1,
    cluster: CLUSTER,
    target: name,
    mode: "enforce",
    groups,
    appliedSequence: 1,
    lastSuccess: 1,
    updatedAt: 1,
    ...rest,
  };
}

export const pusher = (rest: Partial<ClusterStatus> = {}): ClusterStatus => ({
  v: 1,
  cluster: CLUSTER,
  reads: 1,
  verified: true,
  unrouted: {},
  updatedAt: 1,
  ...rest,
});
