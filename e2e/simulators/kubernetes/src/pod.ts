import type { Labels } from "./labels.ts";

/** A pod as the simulator keeps it: small, so that 100,000 of them fit; `pod-item.ts` makes the JSON of it. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Name of the ReplicaSet; empty = a pod of its own. */
  readonly owner: string;
  /** Empty until it is scheduled. */
  readonly nodeName: string;
  readonly hostIp: string;
  readonly hostNetwork: boolean;
  /** `status.podIPs`. */
  readonly addresses: readonly string[];
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  /** What its one container is doing; `none` = no status of it yet. */
  readonly container: "none" | "waiting" | "running" | "ready" | "terminated";
  readonly exitCode: number;
  /** `PodReadyToStartContainers`. */
  readonly sandbox: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly terminationGraceSeconds: number;
  /** Set by a deletion: the timestamp it shows (with the grace in it, milliseconds since 1970) and the grace. */
  readonly deletion: { readonly at: number; readonly graceSeconds: number } | undefined;
}

export type PodFields = Partial<Omit<Pod, "uid">> & Pick<Pod, "namespace" | "name">;

const NONE: Labels = {};

/** A running pod unless `fields` say otherwise. */
export function podOf(fields: PodFields, uid: string, now: number): Pod {
  return {
    labels: NONE,
    annotations: NONE,
    owner: "",
    // What runs, runs somewhere.
    nodeName: fields.phase === "Pending" ? "" : "node-1",
    hostIp: "192.0.2.1",
    hostNetwork: false,
    addresses: [],
    phase: "Running",
    container: "ready",
    exitCode: 0,
    sandbox: true,
    createdAt: now,
    generation: 1,
    observedGeneration: 1,
    terminationGraceSeconds: 30,
    deletion: undefined,
    ...fields,
    uid,
  };
}
