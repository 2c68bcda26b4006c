import type { Clock } from "@podgate/shared/runtime/clock";
import type { DefinitionFact } from "../kubernetes/group-definitions.ts";
import { requestJson, type KubernetesTransport } from "../kubernetes/transport.ts";
import type { GroupEvent } from "./group-events.ts";

/** At most so many at once, and one more every so often: what is dropped still stands in the status. */
const BURST = 20;
const REFILL_MS = 3000;

/** Writes Kubernetes Events (`v1`) on group definitions. */
export class EventRecorder {
  readonly #transport: KubernetesTransport;
  readonly #clock: Clock;
  #tokens = BURST;
  #refilled: number;

  constructor(transport: KubernetesTransport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
    this.#refilled = clock.monotonic();
  }

  /** @returns whether it was written, or dropped for the rate. @throws KubernetesError */
  async record(on: DefinitionFact, event: GroupEvent, signal: AbortSignal): Promise<boolean> {
    if (!this.#allowed()) return false;
    // Of a cluster-scoped object they stand in `default` (the API server refuses any other namespace).
    const namespace = on.namespace ?? "default";
    const now = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const body = JSON.stringify({
      apiVersion: "v1",
      kind: "Event",
      metadata: { generateName: `${on.name}.`, namespace },
      involvedObject: {
        apiVersion: "podgate.dev/v1alpha1",
        kind: on.kind,
        name: on.name,
        uid: on.uid,
        ...(on.namespace !== undefined && { namespace: on.namespace }),
      },
      ...event,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: "podgate-watcher" },
      reportingComponent: "podgate-watcher",
      reportingInstance: "",
    });
    await requestJson(this.#transport, {
      method: "POST",
      path: `/api/v1/namespaces/${namespace}/events`,
      body,
      signal,
    });
    return true;
  }

  #allowed(): boolean {
    const now = this.#clock.monotonic();
    const more = Math.floor((now - this.#refilled) / REFILL_MS);
    this.#refilled += more * REFILL_MS;
    this.#tokens = Math.min(BURST, this.#tokens + more);
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }
}
