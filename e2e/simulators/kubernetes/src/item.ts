export type Json = { readonly [field: string]: unknown };

/** An object of the API server at one resourceVersion. Never changed: a change makes a new one. */
export interface Item {
  /** `namespace/name`, or `name` where there is no namespace: the order of lists. */
  readonly key: string;
  readonly namespace: string;
  readonly version: number;
  /** As JSON. Items of built-in lists leave `kind` and `apiVersion` out (`typed` false), as the real server does. */
  json(typed: boolean): string;
}

export const keyOf = (namespace: string, name: string): string =>
  namespace === "" ? name : `${namespace}/${name}`;

export const record = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** An object that is kept as it was written. */
export class Document implements Item {
  readonly key: string;
  readonly namespace: string;
  readonly version: number;
  readonly object: Json;

  /** @param object whose `metadata.resourceVersion` is set to the version */
  constructor(object: Json, version: number) {
    const metadata = record(object["metadata"]);
    this.namespace = typeof metadata["namespace"] === "string" ? metadata["namespace"] : "";
    this.key = keyOf(this.namespace, String(metadata["name"]));
    this.version = version;
    this.object = { ...object, metadata: { ...metadata, resourceVersion: String(version) } };
  }

  json(typed: boolean): string {
    if (typed) return JSON.stringify(this.object);
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = this.object;
    return JSON.stringify(rest);
  }
}
