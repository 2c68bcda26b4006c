import type { ApiUser } from "./access.ts";
import { mayWrite } from "./access.ts";
import { cmdb } from "./cmdb.ts";
import type { Call, Outcome } from "./call.ts";
import type { Configuration } from "./configuration.ts";
import { errorEnvelope, type JsonObject } from "./envelope.ts";
import { Refusal } from "./refusal.ts";
import { cliLines, type Transactions } from "./transactions.ts";

export interface TransactionCall {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly user: ApiUser;
  readonly vdom: string;
  readonly now: number;
  readonly transactions: Transactions;
  /** The one that is in force. */
  readonly configuration: Configuration;
  /** Everything else of a call, for the operations that are done at the commit. */
  readonly template: Call;
}

/** `/api/v2/cmdb?action=transaction-…` */
export function transactionCall(call: TransactionCall): Outcome {
  const { template } = call;
  const action = call.query.get("action") ?? "";
  const base = { vdom: call.vdom, path: "", name: "" };
  const envelope = (more: JsonObject): Outcome => ({
    status: 200,
    changed: false,
    error: 0,
    body: {
      http_method: call.method,
      ...more,
      status: "success",
      http_status: 200,
      ...base,
      action,
      serial: template.identity.serial,
      version: template.identity.profile.version,
      build: template.identity.profile.build,
    },
  });
  try {
    if (!template.identity.profile.transactions) throw new Refusal(404);
    if (!mayWrite(call.user, "fwgrp.address") && !mayWrite(call.user, "fwgrp.policy")) throw new Refusal(403);
    return perform(call, action, envelope);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const place = { method: call.method, ...base };
    const body = errorEnvelope(template.identity, place, error, { revision: "" });
    return { status: error.status, body, changed: false, error: error.code ?? 0 };
  }
}

function perform(call: TransactionCall, action: string, envelope: (more: JsonObject) => Outcome): Outcome {
  const { transactions, now, method } = call;
  const shows = call.template.identity.profile.transactionShow;
  switch (`${method} ${action}`) {
    case "POST transaction-start": {
      const timeout = Number(call.body["timeout"] ?? Number.NaN);
      const draft = call.configuration.copy(() => {});
      const seconds = Number.isFinite(timeout) ? timeout : undefined;
      const id = transactions.start(call.vdom, call.user.name, seconds, now, draft);
      return envelope({ results: { "transaction-id": id } });
    }
    case "POST transaction-abort":
      transactions.get(idOf(call), now);
      transactions.end(idOf(call));
      return envelope({});
    case "POST transaction-commit":
      return commit(call, envelope);
    case "GET transaction-show":
      if (!shows) throw new Refusal(400, -10_000);
      return envelope({ results: cliLines(transactions.get(idOf(call), now).operations) });
    case "GET transaction-list":
      if (!shows) throw new Refusal(400, -10_000);
      return envelope({ results: transactions.list(now) });
    default:
      throw new Refusal(400, -10_000);
  }
}

function idOf({ query, body }: TransactionCall): number {
  return Number(
    query.get("transaction-id") ?? body["transaction-id"] ?? body["transaction_id"] ?? Number.NaN,
  );
}

/** First on a copy: if one of them can no longer be done, none is, and the transaction stays open. */
function commit(call: TransactionCall, envelope: (more: JsonObject) => Outcome): Outcome {
  const open = call.transactions.get(idOf(call), call.now);
  let changed = false;
  for (const configuration of [call.configuration.copy(() => {}), call.configuration]) {
    for (const operation of open.operations) {
      const vdom = configuration.vdom(operation.vdom);
      if (vdom === undefined) throw new Refusal(404);
      const outcome = cmdb({ ...call.template, ...operation, vdom, configuration, tentative: false });
      if (outcome.status !== 200) return outcome;
      changed ||= outcome.changed;
    }
  }
  call.transactions.end(open.id);
  return { ...envelope({}), changed };
}
