import type { Profile } from "./profile.ts";
import type { Refusal } from "./refusal.ts";

/** Who answers. */
export interface Identity {
  readonly serial: string;
  readonly profile: Profile;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Where a request went. */
export interface Place {
  readonly method: string;
  readonly vdom: string;
  readonly path: string;
  readonly name: string;
}

const tail = ({ serial, profile }: Identity): JsonObject => ({
  serial,
  version: profile.version,
  build: profile.build,
});

export interface ListFacts {
  readonly size: number;
  readonly matched: number;
  /** Index, in the whole table, of the last row returned. */
  readonly nextIndex: number;
}

export function readEnvelope(
  identity: Identity,
  place: Place,
  revision: string,
  results: Json,
  list?: ListFacts,
): JsonObject {
  const { profile } = identity;
  return {
    http_method: place.method,
    ...(list !== undefined && profile.counts ? { size: list.size } : {}),
    ...(list !== undefined && profile.limitReached ? { limit_reached: false } : {}),
    ...(list !== undefined && profile.counts
      ? { matched_count: list.matched, next_idx: list.nextIndex }
      : {}),
    revision,
    results,
    vdom: place.vdom,
    path: place.path,
    name: place.name,
    status: "success",
    http_status: 200,
    ...tail(identity),
  };
}

export interface WriteFacts {
  readonly revision: string;
  readonly oldRevision?: string;
  readonly changed: boolean;
  readonly mkey?: string | number;
  readonly childPath?: string;
  readonly childMkey?: string;
}

export function writeEnvelope(identity: Identity, place: Place, facts: WriteFacts): JsonObject {
  return {
    http_method: place.method,
    revision: facts.revision,
    revision_changed: facts.changed,
    ...(facts.oldRevision === undefined ? {} : { old_revision: facts.oldRevision }),
    ...(facts.mkey === undefined || facts.mkey === "" ? {} : { mkey: facts.mkey }),
    ...(facts.childPath === undefined ? {} : { child_path: facts.childPath }),
    ...(facts.childMkey === undefined || facts.childMkey === "" ? {} : { child_mkey: facts.childMkey }),
    status: "success",
    http_status: 200,
    vdom: place.vdom,
    path: place.path,
    name: place.name,
    ...tail(identity),
  };
}

/** 500 and 424 carry code and text; 404 the key; 403 neither path nor name; 400 neither revision nor key. */
export function errorEnvelope(
  identity: Identity,
  place: Place,
  refusal: Refusal,
  facts: { readonly revision: string; readonly mkey?: string },
): JsonObject {
  const { status } = refusal;
  const withRevision = status !== 400 && status !== 403 && status !== 405;
  return {
    http_method: place.method,
    ...(withRevision ? { revision: facts.revision } : {}),
    ...(place.method === "GET" || !withRevision ? {} : { revision_changed: false }),
    ...(refusal.cli === undefined ? {} : { cli_error: refusal.cli }),
    ...(refusal.code === undefined ? {} : { error: refusal.code }),
    status: "error",
    http_status: status,
    vdom: place.vdom,
    ...(status === 403 ? {} : { path: place.path, name: place.name }),
    ...(facts.mkey === undefined || !withRevision ? {} : { mkey: facts.mkey }),
    ...tail(identity),
  };
}

/** Monitor replies often carry no `http_status`. */
export function monitorEnvelope(
  identity: Identity,
  place: Place,
  action: string,
  results: Json,
  httpStatus: boolean,
): JsonObject {
  return {
    http_method: place.method,
    results,
    vdom: place.vdom,
    path: place.path,
    name: place.name,
    ...(action === "" ? {} : { action }),
    status: "success",
    ...(httpStatus ? { http_status: 200 } : {}),
    ...tail(identity),
  };
}
