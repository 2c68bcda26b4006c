import { list, object, strings, text } from "./json.ts";
import { addressesOf } from "./pod-fact.ts";

/** What is kept of a node. Several InternalIPs are usual (dual-stack, several interfaces). */
export interface NodeFact {
  readonly uid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical addresses of `status.addresses` by type. */
  readonly internal: readonly string[];
  readonly external: readonly string[];
  readonly resourceVersion: string;
}

/** Cuts a Node of the API (plain JSON) to its fact. */
export function nodeFact(value: unknown): NodeFact {
  const node = object(value);
  const metadata = object(node["metadata"]);
  const entries = list(object(node["status"])["addresses"]).map(object);
  const of = (type: string): string[] =>
    addressesOf(entries.filter((entry) => entry["type"] === type).map((entry) => text(entry["address"])))
      .addresses;
  return {
    uid: text(metadata["uid"]),
    name: text(metadata["name"]),
    labels: strings(metadata["labels"]),
    internal: of("InternalIP"),
    external: of("ExternalIP"),
    resourceVersion: text(metadata["resourceVersion"]),
  };
}
