import { addressesOf } from "./addresses.ts";
import { interning } from "./interning.ts";
import { list, object, strings, text } from "./json.ts";

/**
 * What is kept of a node. Several InternalIPs are usual (dual-stack, several interfaces). Readiness and cordons
 * are not kept on purpose: the pods of such a node still talk.
 */
export interface NodeFact {
  readonly uid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical addresses of `status.addresses` by type. */
  readonly internal: readonly string[];
  readonly external: readonly string[];
  readonly resourceVersion: string;
}

export interface NodeReading {
  readonly fact: NodeFact;
  /** Texts among its InternalIPs and ExternalIPs that are no usable address. */
  readonly rejected: readonly string[];
}

/** Cuts a Node of the API (plain JSON) to its fact. */
export function nodeReading(value: unknown): NodeReading {
  const node = object(value);
  const metadata = object(node["metadata"]);
  const entries = list(object(node["status"])["addresses"]).map(object);
  const of = (type: string) =>
    addressesOf(entries.filter((entry) => entry["type"] === type).map((entry) => text(entry["address"])));
  const internal = of("InternalIP");
  const external = of("ExternalIP");
  const fact: NodeFact = {
    uid: text(metadata["uid"]),
    name: interning.text(text(metadata["name"])),
    labels: strings(metadata["labels"]),
    internal: internal.addresses,
    external: external.addresses,
    resourceVersion: text(metadata["resourceVersion"]),
  };
  return { fact, rejected: [...internal.rejected, ...external.rejected] };
}
