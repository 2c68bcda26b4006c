import { mayRead, mayWrite } from "./access.ts";
import type { Call, Outcome } from "./call.ts";
import { readChild, writeChild } from "./child-table.ts";
import { singleton } from "./configuration.ts";
import {
  errorEnvelope,
  readEnvelope,
  writeEnvelope,
  type Json,
  type ListFacts,
  type Place,
  type WriteFacts,
} from "./envelope.ts";
import { flag, list, meta, projection, shown } from "./query.ts";
import { FULL, IN_USE, PROTECTED, Refusal } from "./refusal.ts";
import { defaultsOf, schemaOf } from "./schema.ts";
import { tableId, type Table } from "./table.ts";
import { tableOf } from "./tables/registry.ts";
import type { Vdom } from "./vdom.ts";
import { clone, create, move, purge, remove, update, type Written } from "./write.ts";

/** `/cmdb/<path>/<name>[/<mkey>[/<child>[/<child mkey>]]]` for one VDOM. */
export function cmdb(call: Call): Outcome {
  const [path = "", name = "", ...below] = call.segments;
  const table = tableOf(`${path}.${name}`, call.identity.profile);
  const place: Place = { method: call.method, vdom: call.vdom.name, path, name };
  // A last empty part is a slash too many: the request is about the collection.
  const keys = below.at(-1) === "" ? below.slice(0, -1) : below;
  try {
    if (table === undefined) throw new Refusal(404);
    authorize(call, table);
    return call.method === "GET" ? read(call, table, place, keys) : write(call, table, place, keys);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const refusal = mapped(error, call);
    const revision = table === undefined ? "" : revisionOf(call, table);
    const facts = keys[0] === undefined ? { revision } : { revision, mkey: keys[0] };
    const body = errorEnvelope(call.identity, place, refusal, facts);
    return { status: refusal.status, body, changed: false, error: refusal.code ?? 0 };
  }
}

/** Neither a duplicate nor a missing or invalid attribute: 500 on every build. */
const OTHER: ReadonlySet<number> = new Set([IN_USE, FULL, -580, PROTECTED]);

/** Old builds answer 424 where newer ones answer 500. */
function mapped(refusal: Refusal, call: Call): Refusal {
  const isOld = call.world.switches.failedDependency && refusal.status === 500;
  return isOld && !OTHER.has(refusal.code ?? 0) ? new Refusal(424, refusal.code, refusal.cli) : refusal;
}

function authorize(call: Call, table: Table): void {
  if (call.method !== "GET") {
    if (!mayWrite(call.user, table.access)) throw new Refusal(403);
    if (table.readOnly === true) throw new Refusal(405);
  } else if (!mayRead(call.user, table.access) && table.mkey !== undefined) {
    throw new Refusal(403);
  }
}

function revisionOf(call: Call, table: Table): string {
  return call.configuration.revision(call.vdom.name, table, call.world.switches.revisionScope);
}

function ok(body: unknown, changed = false): Outcome {
  return { status: 200, body, changed, error: 0 };
}

function read(call: Call, table: Table, place: Place, keys: readonly string[]): Outcome {
  const { identity, query, world, vdom } = call;
  const revision = revisionOf(call, table);
  const action = query.get("action");
  if (action === "schema") return ok(readEnvelope(identity, place, revision, schemaOf(world, table)));
  if (action === "default") return ok(readEnvelope(identity, place, revision, defaultsOf(world, table)));
  if (action !== null) throw new Refusal(400, -10_000);
  const [key, ...path] = keys;
  if (table.mkey === undefined)
    return ok(readEnvelope(identity, place, revision, readSingleton(call, table)));
  if (key === undefined) {
    const listing = list(world, vdom, table, query);
    const size = vdom.rows(tableId(table)).size;
    const rows = call.reading.emptyResults ? [] : listing.rows.map((row) => dressed(call, row));
    return ok(
      readEnvelope(identity, place, revision, rows, {
        size,
        matched: listing.matched,
        nextIndex: listing.nextIndex,
      }),
    );
  }
  if (path.length > 0) {
    const { field, rows } = readChild(world, vdom, table, key, path);
    const children = rows.map((child) => shown(field.fields, child, field.mkey));
    return ok(readEnvelope(identity, place, revision, children, counts(vdom, table, key, children.length)));
  }
  const row = vdom.rows(tableId(table)).get(key)?.row;
  if (row === undefined || tooYoung(call, table, key)) throw new Refusal(404);
  const single: { [name: string]: Json } = {
    ...shown(projection(table, query.get("format")), row, table.mkey),
    ...(flag(query, "with_meta") ? meta(vdom, table, key) : {}),
  };
  return ok(readEnvelope(identity, place, revision, [dressed(call, single)], counts(vdom, table, key, 1)));
}

function counts(vdom: Vdom, table: Table, key: string, matched: number): ListFacts {
  const rows = vdom.rows(tableId(table));
  return { size: rows.size, matched, nextIndex: rows.keys().indexOf(key) };
}

/** Without the right to read, a singleton is answered with most of it left out (EXP ha-config-no-access). */
function readSingleton(call: Call, table: Table): Json {
  const row = singleton(table, call.world, call.settings);
  if (!mayRead(call.user, table.access)) return {};
  return shown(table.fields, row, "");
}

function tooYoung(call: Call, table: Table, key: string): boolean {
  const { notFoundFor } = call.reading;
  return notFoundFor > 0 && call.now - call.reading.bornAt(tableId(table), key) < notFoundFor;
}

function dressed(call: Call, row: { [name: string]: Json }): { [name: string]: Json } {
  if (!call.reading.extraFields) return row;
  return {
    ...row,
    "custom-tags": [],
    "display-with": "unknown-to-you",
    q_future: { nested: [1, null, "x"] },
  };
}

function write(call: Call, table: Table, place: Place, keys: readonly string[]): Outcome {
  const oldRevision = revisionOf(call, table);
  const [key, ...path] = keys;
  const written = key === undefined ? onCollection(call, table) : onObject(call, table, key, path);
  const revision = revisionOf(call, table);
  const changed = written.changed && !call.tentative;
  const facts: WriteFacts = {
    revision: call.tentative ? oldRevision : revision,
    ...(call.tentative ? {} : { oldRevision }),
    changed,
    mkey: table.mkeyType === "integer" ? Number(written.mkey) : written.mkey,
    ...(path[0] === undefined ? {} : { childPath: path.filter((_, at) => at % 2 === 0).join("/") }),
    ...("childMkey" in written ? { childMkey: String(written.childMkey) } : {}),
  };
  return ok(writeEnvelope(call.identity, place, facts), revision !== oldRevision);
}

function onCollection(call: Call, table: Table): Written {
  const { method, query, world, vdom, body } = call;
  if (method === "POST") {
    if (query.get("action") !== null) throw new Refusal(400, -10_000);
    return create(world, vdom, table, body);
  }
  if (method === "DELETE" && world.switches.purge === "purge") return purge(vdom, table);
  throw new Refusal(405);
}

function onObject(call: Call, table: Table, key: string, path: readonly string[]): Written {
  const { method, query, world, vdom, body } = call;
  if (path.length > 0) {
    if (method !== "POST" && method !== "PUT" && method !== "DELETE") throw new Refusal(405);
    return writeChild(world, vdom, table, key, path, method, body);
  }
  const action = query.get("action");
  if (method === "POST") {
    const nkey = query.get("nkey");
    if (action === "clone" && nkey !== null) return clone(world, vdom, table, key, nkey);
    throw new Refusal(404);
  }
  if (method === "PUT") {
    if (action === "move") return moved(call, table, key);
    if (action !== null) throw new Refusal(400, -10_000);
    return update(world, vdom, table, key, body);
  }
  if (method === "DELETE") return remove(vdom, table, key);
  throw new Refusal(405);
}

function moved(call: Call, table: Table, key: string): Written {
  for (const where of ["before", "after"] as const) {
    const neighbor = call.query.get(where);
    if (neighbor !== null) return move(call.vdom, table, key, neighbor, where);
  }
  throw new Refusal(400, -10_002);
}
