import { isDeepStrictEqual } from "node:util";
import { Failure } from "./failure.ts";
import { Document, keyOf, record, type Item, type Json } from "./item.ts";
import { mergePatch } from "./merge-patch.ts";
import { apiVersionOf, idOf, NAMESPACES, type Resource } from "./resource.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

export interface WriteContext {
  readonly store: Store;
  readonly newUid: () => string;
  readonly now: number;
}

/** RFC 3339 to the second, as the server writes times. */
export const rfc3339 = (now: number): string => new Date(now).toISOString().replace(/\.\d+Z$/, "Z");

/** POST, PUT, PATCH (merge patch) and DELETE of one object. @returns it as it is afterwards. @throws Failure */
export function write(context: WriteContext, target: Target, body: unknown, contentType: string): Item {
  switch (target.verb) {
    case "create":
      return create(context, target.resource, target.namespace, record(body));
    case "update":
      return change(context, target, () => record(body));
    case "patch":
      if (!contentType.startsWith("application/merge-patch+json")) {
        throw new Failure(415, `only application/merge-patch+json is simulated, not ${contentType}`);
      }
      return change(context, target, (before) => record(mergePatch(before, body)));
    default:
      return remove(context, target);
  }
}

/** @throws Failure 404 without the namespace, 409 if it exists, 422 without a name */
export function create(context: WriteContext, resource: Resource, namespace: string, body: Json): Item {
  const { store, newUid, now } = context;
  const given = record(body["metadata"]);
  const uid = newUid();
  const prefix = given["generateName"];
  const name = given["name"] ?? (typeof prefix === "string" ? `${prefix}${uid.slice(-5)}` : undefined);
  if (typeof name !== "string" || name === "") {
    throw new Failure(
      422,
      `${resource.kind} "" is invalid: metadata.name: Required value: name or generateName is required`,
    );
  }
  if (resource.namespaced && store.get(NAMESPACES, namespace) === undefined) {
    throw new Failure(404, `namespaces "${namespace}" not found`);
  }
  if (store.get(resource, keyOf(namespace, name)) !== undefined) {
    throw new Failure(409, `${idOf(resource)} "${name}" already exists`, "AlreadyExists");
  }
  const { status, ...rest } = body;
  const object: Json = {
    ...rest,
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    metadata: {
      ...given,
      name,
      ...(resource.namespaced && { namespace }),
      uid,
      creationTimestamp: rfc3339(now),
      ...(resource.custom && { generation: 1 }),
    },
    // A status in a POST is dropped where it has a path of its own.
    ...(status !== undefined && !resource.statusSubresource && { status }),
  };
  return store.put(resource, (version) => new Document(object, version), now).item;
}

function change(
  { store, now }: WriteContext,
  { resource, namespace, name, subresource, verb }: Target,
  edit: (before: Json) => Json,
): Item {
  const found = found404(store, resource, namespace, name);
  const before = record(JSON.parse(found.json(true)));
  const wanted = edit(before);
  const own = record(before["metadata"]);
  const metadata = record(wanted["metadata"]);
  const expected = metadata["resourceVersion"];
  if (verb === "update" && resource.conditionalUpdate && (expected === undefined || expected === "")) {
    throw invalid(
      resource,
      name,
      "metadata.resourceVersion: Invalid value: 0: must be specified for an update",
    );
  }
  if (metadata["name"] !== name) {
    throw new Failure(400, "the name of the object does not match the name on the URL");
  }
  if (expected !== undefined && expected !== "" && expected !== own["resourceVersion"]) {
    throw new Failure(
      409,
      `Operation cannot be fulfilled on ${idOf(resource)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    );
  }
  if (metadata["uid"] !== undefined && metadata["uid"] !== own["uid"]) {
    throw new Failure(409, `Precondition failed: UID in precondition: ${JSON.stringify(metadata["uid"])}`);
  }
  const after = settled(resource, subresource, before, wanted);
  // Nothing changed: no new version, as the real server does.
  if (isDeepStrictEqual(after, before)) return found;
  return store.put(resource, (version) => new Document(after, version), now).item;
}

/** What of `wanted` this path may change, with the generation that follows from it. */
function settled(resource: Resource, subresource: string, before: Json, wanted: Json): Json {
  const own = record(before["metadata"]);
  if (subresource === "status") {
    return withStatus(before, wanted["status"], own);
  }
  const { resourceVersion, uid, creationTimestamp, generation, namespace } = own;
  const fixed = { resourceVersion, uid, creationTimestamp, generation, namespace };
  const metadata = Object.fromEntries(
    Object.entries({ ...record(wanted["metadata"]), ...fixed }).filter(([, value]) => value !== undefined),
  );
  const next = resource.statusSubresource
    ? withStatus(
        { ...wanted, kind: before["kind"], apiVersion: before["apiVersion"] },
        before["status"],
        metadata,
      )
    : { ...wanted, kind: before["kind"], apiVersion: before["apiVersion"], metadata };
  if (typeof generation !== "number" || isDeepStrictEqual(contentOf(next), contentOf(before))) return next;
  return { ...next, metadata: { ...metadata, generation: generation + 1 } };
}

function withStatus(object: Json, status: unknown, metadata: Json): Json {
  const { status: _status, ...rest } = object;
  return { ...rest, metadata, ...(status !== undefined && { status }) };
}

/** What a generation counts changes of. */
function contentOf({ metadata: _metadata, status: _status, ...content }: Json): Json {
  return content;
}

function remove({ store, now }: WriteContext, { resource, namespace, name }: Target): Item {
  const found = found404(store, resource, namespace, name);
  const object = record(JSON.parse(found.json(true)));
  return store.delete(resource, (version) => new Document(object, version), now).item;
}

/** @throws Failure 404 */
export function found404(store: Store, resource: Resource, namespace: string, name: string): Item {
  const item = store.get(resource, keyOf(namespace, name));
  if (item === undefined) throw new Failure(404, `${idOf(resource)} "${name}" not found`);
  return item;
}

const invalid = (resource: Resource, name: string, why: string): Failure =>
  new Failure(422, `${idOf(resource)} "${name}" is invalid: ${why}`);
