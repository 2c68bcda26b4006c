import { KubernetesError, requestJson, type KubernetesTransport } from "./transport.ts";
import { leasePath } from "./resources.ts";

/** Annotation of the watcher's Lease. It stays there across takeovers, restarts and upgrades, until it is taken away. */
const ANNOTATION = "podgate.dev/phase";

/**
 * What an operator asks of a cluster's watcher. `synced`: publish what the cluster holds. `maintenance`: publish no
 * change. `draining`: publish that no group has a member.
 */
export type AskedPhase = "synced" | "maintenance" | "draining";

export interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** A word that nobody knows freezes, too: somebody meant something by it. */
export function askedPhase({ metadata }: Annotated): AskedPhase {
  const word = metadata.annotations?.[ANNOTATION];
  if (word === undefined || word === "" || word === "synced") return "synced";
  return word === "draining" ? "draining" : "maintenance";
}

/** What is asked for now; where there is no Lease yet, nothing. @throws KubernetesError */
export async function readAskedPhase(
  transport: KubernetesTransport,
  { namespace, name }: LeasePlace,
  signal: AbortSignal,
): Promise<AskedPhase> {
  const path = leasePath(namespace, name);
  const lease = await requestJson(transport, { method: "GET", path, signal }).catch(absent);
  return lease === undefined ? "synced" : askedPhase(lease as Annotated);
}

export interface LeasePlace {
  readonly namespace: string;
  readonly name: string;
}

/** So often somebody else may write the Lease between reading and writing it. */
const TRIES = 10;

/** Sets the annotation; the Lease is made where no watcher has run yet. @throws KubernetesError */
export async function askForPhase(
  transport: KubernetesTransport,
  { namespace, name }: LeasePlace,
  phase: AskedPhase,
  signal: AbortSignal,
): Promise<void> {
  const path = leasePath(namespace, name);
  for (let left = TRIES; ; left -= 1) {
    try {
      const found = await requestJson(transport, { method: "GET", path, signal }).catch(absent);
      const body = JSON.stringify(withPhase(found ?? newLease(namespace, name), phase));
      const request = found === undefined ? { path: leasePath(namespace) } : { path };
      await requestJson(transport, {
        ...request,
        method: found === undefined ? "POST" : "PUT",
        body,
        signal,
      });
      return;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.kind !== "conflict" || left <= 1) throw error;
    }
  }
}

const newLease = (namespace: string, name: string) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, namespace },
  spec: {},
});

function withPhase(lease: unknown, phase: AskedPhase): object {
  const { metadata, ...rest } = lease as Annotated;
  const { [ANNOTATION]: _, ...others } = metadata.annotations ?? {};
  const annotations = phase === "synced" ? others : { ...others, [ANNOTATION]: phase };
  return { ...rest, metadata: { ...metadata, annotations } };
}

function absent(error: unknown): undefined {
  if (error instanceof KubernetesError && error.kind === "not-found") return undefined;
  throw error;
}
