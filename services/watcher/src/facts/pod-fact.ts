import { canonicalAddress } from "@podgate/shared/contract/address";
import { list, object, strings, text, type Json } from "./json.ts";

/** What is kept of a pod. Addresses are canonical; everything else of the object is dropped at the door. */
export interface PodFact {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical addresses of `status.podIPs`; empty until the kubelet reports them. */
  readonly addresses: readonly string[];
  readonly nodeName: string;
  readonly hostNetwork: boolean;
  /** `status.phase` is Succeeded or Failed. */
  readonly finished: boolean;
  /** Set while `metadata.deletionTimestamp` is. */
  readonly terminating: boolean;
  /** Seconds of `metadata.deletionGracePeriodSeconds`; 0 when not terminating. */
  readonly graceSeconds: number;
  /** Every container that was started has terminated. */
  readonly containersStopped: boolean;
  /** The CNI says the address is free: its address annotation is present and empty. */
  readonly released: boolean;
  readonly resourceVersion: string;
}

const CALICO = ["cni.projectcalico.org/podIPs", "cni.projectcalico.org/podIP"];
const AWS = "vpc.amazonaws.com/pod-ips";

export interface PodReading {
  readonly fact: PodFact;
  /** Texts in `status.podIPs` that are no usable address. */
  readonly rejected: readonly string[];
}

/** Cuts a Pod of the API (plain JSON) to its fact. */
export function podFact(value: unknown): PodReading {
  const pod = object(value);
  const metadata = object(pod["metadata"]);
  const spec = object(pod["spec"]);
  const status = object(pod["status"]);
  const phase = text(status["phase"]);
  const grace = metadata["deletionGracePeriodSeconds"];
  const { addresses, rejected } = addressesOf(
    list(status["podIPs"]).map((entry) => text(object(entry)["ip"])),
  );
  const fact: PodFact = {
    uid: text(metadata["uid"]),
    namespace: text(metadata["namespace"]),
    name: text(metadata["name"]),
    labels: strings(metadata["labels"]),
    addresses,
    nodeName: text(spec["nodeName"]),
    hostNetwork: spec["hostNetwork"] === true,
    finished: phase === "Succeeded" || phase === "Failed",
    terminating: text(metadata["deletionTimestamp"]) !== "",
    graceSeconds: typeof grace === "number" ? grace : 0,
    containersStopped: stopped(status),
    released: released(strings(metadata["annotations"])),
    resourceVersion: text(metadata["resourceVersion"]),
  };
  return { fact, rejected };
}

/** True only if something ran, and nothing that ran is still running: sidecars (init containers) included. */
function stopped(status: Json): boolean {
  const of = (field: string): Json[] => list(status[field]).map(object);
  const states = (field: string): Json[] => of(field).map((container) => object(container["state"]));
  const main = states("containerStatuses");
  const others = [...states("initContainerStatuses"), ...states("ephemeralContainerStatuses")];
  return (
    main.length > 0 &&
    main.every((state) => state["terminated"] !== undefined) &&
    others.every((state) => state["running"] === undefined)
  );
}

/** The CNI empties its annotation at the very moment the address is free (Calico and the AWS VPC CNI do). */
function released(annotations: Readonly<Record<string, string>>): boolean {
  return [...CALICO, AWS].some((name) => annotations[name] === "");
}

export function addressesOf(texts: readonly string[]): { addresses: string[]; rejected: string[] } {
  const addresses = new Set<string>();
  const rejected: string[] = [];
  for (const each of texts) {
    if (each === "") continue;
    try {
      addresses.add(canonicalAddress(each));
    } catch {
      rejected.push(each);
    }
  }
  return { addresses: [...addresses], rejected };
}
