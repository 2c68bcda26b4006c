import {
  KubernetesError,
  type KubernetesRequest,
  type KubernetesResponse,
  type KubernetesTransport,
} from "../../src/kubernetes/transport.ts";

interface Lease {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels?: object;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The Leases of an API server: create, read, replace under optimistic concurrency. */
export class LeaseStore {
  lease: Lease | undefined;
  writes = 0;
  #revision = 0;

  /** The server as one client sees it; what is between them is switched by `fault`. */
  client(): KubernetesTransport & { fault: "down" | "mute" | undefined } {
    const open = (request: KubernetesRequest): Promise<KubernetesResponse> =>
      client.fault === "mute" ? never(request.signal) : this.#open(request, client.fault === "down");
    const client = { fault: undefined as "down" | "mute" | undefined, open };
    return client;
  }

  /** Somebody else changes the object. */
  touch(): void {
    if (this.lease === undefined) return;
    const resourceVersion = String((this.#revision += 1));
    this.lease = { ...this.lease, metadata: { ...this.lease.metadata, resourceVersion } };
  }

  async #open({ method, body = "{}" }: KubernetesRequest, down: boolean): Promise<KubernetesResponse> {
    if (down) throw new KubernetesError("unreachable", "API server: ECONNREFUSED");
    if (method === "GET")
      return this.lease === undefined ? answer(404, { message: "no lease" }) : answer(200, this.lease);
    const sent = JSON.parse(body) as Lease;
    const stale = this.lease?.metadata.resourceVersion !== sent.metadata.resourceVersion;
    if (method === "POST" ? this.lease !== undefined : stale) return answer(409, { message: "conflict" });
    const resourceVersion = String((this.#revision += 1));
    this.writes += 1;
    this.lease = { ...sent, metadata: { ...sent.metadata, resourceVersion } };
    return answer(200, this.lease);
  }
}

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new KubernetesError("aborted", "aborted")));
  });
}

function answer(status: number, value: unknown): KubernetesResponse {
  return { status, body: bytes(JSON.stringify(value)) };
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
