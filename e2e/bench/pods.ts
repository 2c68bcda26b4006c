import type { Rig } from "./rig.ts";

/** Something that makes pods with an address come and go. Times: milliseconds since 1970. */
export interface PodSource {
  readonly name: string;
  /** Where the clock starts, in words. */
  readonly from: string;
  defineGroup(group: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** A running pod. @returns where the clock starts */
  add(name: string, labels: Readonly<Record<string, string>>, address: string): Promise<number>;
  /** @returns where the clock starts */
  remove(name: string): Promise<number>;
}

const NAMESPACE = "default";

/** Pods of the simulator: the time is that of the commit itself. */
export function simulatedPods({ kubernetes: { cluster } }: Rig): PodSource {
  return {
    name: "simulated API server",
    from: "From the API server's commit",
    defineGroup: async (group, matchLabels) =>
      cluster.applyGroup("", group, { podSelector: { matchLabels } }),
    add: async (name, labels, address) =>
      cluster.createPod({ namespace: NAMESPACE, name, labels, nodeName: "node-1", addresses: [address] }).at,
    remove: async (name) => cluster.deletePod(NAMESPACE, name).at,
  };
}

/** The n-th address of the pool: 10.64.0.1 and following. */
export function addressAt(n: number): string {
  const value = n + 1;
  return `10.${String(64 + (value >>> 16))}.${String((value >>> 8) & 255)}.${String(value & 255)}`;
}
