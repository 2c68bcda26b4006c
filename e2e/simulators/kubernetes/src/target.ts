import { Failure } from "./failure.ts";
import type { Resource } from "./resource.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

/** What a request is about. */
export interface Target {
  readonly resource: Resource;
  readonly namespace: string;
  /** Empty for a collection. */
  readonly name: string;
  readonly subresource: "" | "status";
  readonly verb: Verb;
  readonly query: URLSearchParams;
}

const VERBS: Readonly<Record<string, Verb>> = {
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** @throws Failure 404 for what is not served, 405 for what cannot be done there */
export function targetOf(method: string, url: URL, served: readonly Resource[]): Target {
  const [root, ...rest] = url.pathname.split("/").slice(1).map(decodeURIComponent);
  const [group, version, parts] =
    root === "api" ? ["", rest[0], rest.slice(1)] : [rest[0], rest[1], rest.slice(2)];
  const [namespace, plural, name = "", subresource = "", ...more] =
    parts[0] === "namespaces" && parts.length > 2 && parts[2] !== "status" ? parts.slice(1) : ["", ...parts];
  const resource = served.find(
    (each) => each.group === group && each.version === version && each.plural === plural,
  );
  const isKnown = root === "api" || root === "apis";
  if (!isKnown || resource === undefined || more.length > 0) throw notServed();
  if (subresource !== "" && (subresource !== "status" || !resource.statusSubresource)) throw notServed();
  const query = url.searchParams;
  const watching = query.get("watch") === "1" || query.get("watch") === "true";
  const reading: Verb = name !== "" ? "get" : watching ? "watch" : "list";
  const verb = method === "GET" ? reading : VERBS[method];
  const collection = verb === "create" || verb === "list" || verb === "watch";
  if (verb === undefined || collection !== (name === "")) {
    throw new Failure(405, "the server does not allow this method on the requested resource");
  }
  if (verb === "create" && resource.namespaced && namespace === "") throw notServed();
  return { resource, namespace: namespace ?? "", name, subresource, verb, query };
}

const notServed = (): Failure => new Failure(404, "the server could not find the requested resource");
