import { list, object, text } from "../facts/json.ts";
import { crdPath } from "./resources.ts";
import { KubernetesError, requestJson, type KubernetesTransport } from "./transport.ts";

/**
 * Resolves while a CustomResourceDefinition serves its resources. One that is being deleted first deletes them,
 * one by one, and their DELETED events look as if somebody had taken each group away. The API server marks the
 * definition before it deletes the first of them, so a read after such an event tells the one from the other.
 *
 * @throws KubernetesError `not-found` when it is missing, not established or being deleted
 */
export async function requireEstablished(
  transport: KubernetesTransport,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const definition = object(await requestJson(transport, { method: "GET", path: crdPath(name), signal }));
  const conditions = list(object(definition["status"])["conditions"]).map(object);
  const is = (type: string): boolean =>
    conditions.some((condition) => condition["type"] === type && condition["status"] === "True");
  const deleted = text(object(definition["metadata"])["deletionTimestamp"]) !== "" || is("Terminating");
  if (!deleted && is("Established")) return;
  const state = deleted ? "is being deleted" : "is not established";
  throw new KubernetesError(
    "not-found",
    `the CustomResourceDefinition ${name} ${state}: its groups stay as they are until it is back`,
  );
}
