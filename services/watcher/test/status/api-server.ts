import { definitionFact, type DefinitionFact } from "../../src/kubernetes/group-definitions.ts";
import type {
  KubernetesRequest,
  KubernetesResponse,
  KubernetesTransport,
} from "../../src/kubernetes/transport.ts";
import type { Loser } from "../../src/membership/conflicts.ts";
import type { StatusSource } from "../../src/status/status-loop.ts";

interface Resource {
  metadata: { name: string; uid: string; generation: number; creationTimestamp: string };
  spec: object;
  status?: Record<string, unknown>;
}

/** ClusterAddressGroups with their status subresource, and Events: as much of an API server as the loop needs. */
export class ApiServer implements KubernetesTransport, StatusSource {
  readonly resources = new Map<string, Resource>();
  readonly #facts = new Map<string, DefinitionFact>();
  readonly writes: { path: string; status: Record<string, unknown> }[] = [];
  readonly events: { reason: string; involvedObject: { name: string }; metadata: { namespace: string } }[] =
    [];
  readonly counts = new Map<string, number>();
  shared: string[] = [];
  losers: Loser[] = [];
  fresh = true;
  refusing = false;
  /** The watch does not bring back what was written. */
  lagging = false;

  define(name: string, spec: object = {}): void {
    const metadata = { name, uid: `uid-${name}`, generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" };
    const status = this.resources.get(name)?.status;
    this.resources.set(name, { metadata, spec: { podSelector: {}, ...spec }, ...(status && { status }) });
    this.#bringBack(name);
  }

  readonly membership = {
    membersOf: (group: string): number => this.counts.get(group) ?? 0,
    sharedNamespaces: (): readonly string[] => this.shared,
  };

  definitions(): { fact: DefinitionFact; loser: Loser | undefined }[] {
    return [...this.#facts.values()].map((fact) => ({
      fact,
      loser: this.losers.find(({ definition }) => definition.source.uid === fact.uid),
    }));
  }

  async open(request: KubernetesRequest): Promise<KubernetesResponse> {
    if (this.refusing) return answer(403, { message: "forbidden" });
    const body = JSON.parse(request.body ?? "{}") as { status: Record<string, unknown> };
    if (request.method === "POST") {
      this.events.push(body as never);
      return answer(201, {});
    }
    const name = request.path.split("/").at(-2) ?? "";
    const resource = this.resources.get(name);
    if (resource === undefined) return answer(404, { message: "not found" });
    const merged = { ...resource.status, ...body.status };
    const kept = Object.entries(merged).filter(([, value]) => value !== null);
    // As the API server: fields come back in another order.
    resource.status = Object.fromEntries(kept.toReversed());
    this.writes.push({ path: request.path, status: body.status });
    if (!this.lagging) this.#bringBack(name);
    return answer(200, resource);
  }

  status(name: string): Record<string, unknown> {
    return this.resources.get(name)?.status ?? {};
  }

  condition(name: string, type: string): Record<string, unknown> | undefined {
    const conditions = this.status(name)["conditions"] as Record<string, unknown>[] | undefined;
    return conditions?.find((condition) => condition["type"] === type);
  }

  #bringBack(name: string): void {
    this.#facts.set(name, definitionFact("ClusterAddressGroup", structuredClone(this.resources.get(name))));
  }
}

function answer(status: number, body: unknown): KubernetesResponse {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return {
    status,
    body: (async function* () {
      yield bytes;
    })(),
  };
}
