import { addressesOf } from "./addresses.ts";
import { interning } from "./interning.ts";
import { list, object, strings, text, type Json } from "./json.ts";

/**
 * What is kept of a pod; everything else of the object is dropped at the door. There may be 100,000 of them, so
 * texts and labels that many pods share are kept once.
 */
export interface PodFact {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical addresses of `status.podIPs`; empty until the kubelet reports them. May change in place. */
  readonly addresses: readonly string[];
  /** Empty until it is scheduled. */
  readonly nodeName: string;
  readonly hostNetwork: boolean;
  /** `status.phase` is Succeeded or Failed. */
  readonly finished: boolean;
  /** Set while `metadata.deletionTimestamp` is. */
  readonly terminating: boolean;
  /** Seconds of `metadata.deletionGracePeriodSeconds`; 0 when not terminating. */
  readonly graceSeconds: number;
  /** Every container has terminated, and no sidecar or debugging container runs. */
  readonly containersStopped: boolean;
  /** The CNI says the address is free: its address annotation is present and empty. */
  readonly released: boolean;
  readonly resourceVersion: string;
}

/**
 * Where CNIs write a pod's addresses, and empty the text at the very moment they are free: Calico
 * (libcalico-go, conversion.go) and the AWS VPC CNI (with ANNOTATE_POD_IP).
 */
const CNI_ADDRESSES = [
  "cni.projectcalico.org/podIP",
  "cni.projectcalico.org/podIPs",
  "vpc.amazonaws.com/pod-ips",
];

export interface PodReading {
  readonly fact: PodFact;
  /** Texts in `status.podIPs` that are no usable address. */
  readonly rejected: readonly string[];
}

/** Cuts a Pod of the API (plain JSON) to its fact. What is missing or of another shape reads as empty. */
export function podFact(value: unknown): PodReading {
  const pod = object(value);
  const metadata = object(pod["metadata"]);
  const spec = object(pod["spec"]);
  const status = object(pod["status"]);
  const phase = status["phase"];
  const grace = metadata["deletionGracePeriodSeconds"];
  const terminating = text(metadata["deletionTimestamp"]) !== "";
  const { addresses, rejected } = addressesOf(
    list(status["podIPs"]).map((entry) => text(object(entry)["ip"])),
  );
  const fact: PodFact = {
    uid: text(metadata["uid"]),
    namespace: interning.text(text(metadata["namespace"])),
    name: text(metadata["name"]),
    labels: interning.labels(strings(metadata["labels"])),
    addresses,
    nodeName: interning.text(text(spec["nodeName"])),
    hostNetwork: spec["hostNetwork"] === true,
    finished: phase === "Succeeded" || phase === "Failed",
    terminating,
    graceSeconds: terminating && typeof grace === "number" ? Math.max(0, grace) : 0,
    containersStopped: stopped(status, list(spec["containers"]).length),
    released: released(object(metadata["annotations"])),
    resourceVersion: text(metadata["resourceVersion"]),
  };
  return { fact, rejected };
}

/**
 * Every container has a status that says `terminated` (one that waits may have a stale status and be running by
 * now), and none of the others (init containers, sidecars among them, and ephemeral ones) says `running`.
 */
function stopped(status: Json, containers: number): boolean {
  const states = (field: string): Json[] =>
    list(status[field]).map((container) => object(object(container)["state"]));
  const main = states("containerStatuses");
  if (main.length === 0 || main.length < containers) return false;
  if (!main.every((state) => state["terminated"] !== undefined)) return false;
  const others = [...states("initContainerStatuses"), ...states("ephemeralContainerStatuses")];
  return others.every((state) => state["running"] === undefined);
}

function released(annotations: Json): boolean {
  return CNI_ADDRESSES.some((name) => annotations[name] === "");
}
