import { inScope, type ApiUser } from "./access.ts";
import type { Call, Outcome } from "./call.ts";
import { cmdb } from "./cmdb.ts";
import { errorEnvelope } from "./envelope.ts";
import type { Fault } from "./fault.ts";
import { monitor } from "./monitor.ts";
import { cliRefusal, Refusal } from "./refusal.ts";
import type { State } from "./state.ts";
import { tableId } from "./table.ts";
import { ROW_TABLES } from "./tables/registry.ts";
import { transactionCall } from "./transaction-calls.ts";
import type { Body } from "./write.ts";

/** An authenticated request, for one VDOM. */
export interface Ask {
  readonly kind: "cmdb" | "monitor";
  readonly method: string;
  /** Decoded, after the kind. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** `null`: it could not be read. */
  readonly body: Body | null;
  readonly user: ApiUser;
  readonly vdom: string;
  readonly now: number;
  readonly faults: readonly Fault[];
  /** `X-TRANSACTION-ID` */
  readonly transaction: number | undefined;
}

export function dispatch(state: State, ask: Ask): Outcome {
  try {
    return answer(state, ask);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const [path = "", name = ""] = ask.segments;
    const place = { method: ask.method, vdom: ask.vdom, path, name };
    const body = errorEnvelope(state.identity, place, error, { revision: "" });
    return { status: error.status, body, changed: false, error: error.code ?? 0 };
  }
}

function answer(state: State, ask: Ask): Outcome {
  const { kind, method, query, user, now, transaction } = ask;
  // A VDOM that does not exist is answered as one out of scope (fixed choice).
  if (state.configuration.vdom(ask.vdom) === undefined || !inScope(user, ask.vdom)) throw new Refusal(403);
  if (ask.body === null) throw new Refusal(400);
  const refused = ask.faults.find((fault) => fault.kind === "refuse");
  if (refused !== undefined) {
    const { code, cli } = cliRefusal(refused.code ?? -361);
    throw new Refusal(refused.status ?? 500, code, cli);
  }
  if (kind === "cmdb" && ask.segments.every((part) => part === "")) {
    const { configuration, transactions } = state;
    const template = callOf(state, ask, ask.body, configuration);
    return transactionCall({
      method,
      query,
      body: ask.body,
      user,
      vdom: ask.vdom,
      now,
      transactions,
      configuration,
      template,
    });
  }
  const isWrite = kind === "cmdb" && method !== "GET";
  if (isWrite)
    state.transactions.touch(transaction, `${ask.vdom}/${ask.segments.slice(0, 2).join(".")}`, now);
  const open = transaction === undefined ? undefined : state.transactions.get(transaction, now);
  const call = callOf(state, ask, ask.body, open?.draft ?? state.configuration);
  const outcome = kind === "cmdb" ? cmdb({ ...call, tentative: open !== undefined }) : monitor(call);
  if (open === undefined || !isWrite || outcome.status !== 200) return outcome;
  open.operations.push({ method, segments: ask.segments, query, body: ask.body, vdom: ask.vdom });
  return { ...outcome, changed: false };
}

function callOf(state: State, ask: Ask, body: Body, configuration: State["configuration"]): Call {
  const vdom = configuration.vdom(ask.vdom);
  if (vdom === undefined) throw new Refusal(403);
  const struck = (kind: Fault["kind"]): Fault | undefined => ask.faults.find((fault) => fault.kind === kind);
  const full = struck("table-full") === undefined ? [] : ROW_TABLES.map(tableId);
  return {
    method: ask.method,
    segments: ask.segments,
    query: ask.query,
    body,
    user: ask.user,
    vdom,
    now: ask.now,
    identity: state.identity,
    world: state.world(new Set(full)),
    settings: state.settings,
    configuration,
    feeds: state.feeds,
    reading: {
      extraFields: struck("extra-fields") !== undefined,
      emptyResults: struck("empty-results") !== undefined,
      notFoundFor: struck("not-found")?.ms ?? 0,
      bornAt: (table, key) => state.chronicle.bornAt(ask.vdom, table, key),
    },
    tentative: false,
  };
}
