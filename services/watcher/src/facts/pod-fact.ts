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
