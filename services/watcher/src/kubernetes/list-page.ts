import { KubernetesError } from "./transport.ts";
import { object, text } from "../facts/json.ts";

export interface ListPage {
  readonly items: readonly unknown[];
  /** Token of the next page; undefined on the last one. */
  readonly next: string | undefined;
  readonly version: string;
}

/**
 * One page of a list. An answer that is no list must not be taken for an empty one, which would empty groups.
 *
 * @throws KubernetesError `parse`
 */
export function readPage(answer: unknown): ListPage {
  const { items, metadata } = object(answer);
  const version = text(object(metadata)["resourceVersion"]);
  // A nil slice of the server is null.
  const read: unknown = items ?? (items === null ? [] : undefined);
  if (version === "" || !Array.isArray(read)) throw new KubernetesError("parse", "an answer that is no list");
  const token = text(object(metadata)["continue"]);
  return { items: read, next: token === "" ? undefined : token, version };
}
