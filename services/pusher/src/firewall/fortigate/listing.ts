import { FirewallError } from "../firewall.ts";
import type { Client } from "./client.ts";
import { explained, reasonOfReply } from "./outcome.ts";
import type { Reply } from "./wire/envelope.ts";
import { list, type Query, type Table } from "./wire/request.ts";

/** Rows per page, where a device does not give everything at once. */
const PAGE = 1000;

/**
 * All rows of a table that fit the query. What is incomplete is never taken for everything: a device under load has
 * been seen to count its objects and hold none in the reply (terraform-provider-fortios issue 333).
 *
 * @throws FirewallError `busy` where rows are missing, or the table changed between two pages
 */
export async function listAll<Row>(
  client: Client,
  table: Table,
  fields: readonly string[],
  filter: Query,
  rowsOf: (results: unknown) => Row[],
  signal: AbortSignal,
): Promise<Row[]> {
  const get = async (page: Query): Promise<Page> => {
    const request = list(table, fields, [...filter, ...page]);
    const reply = await client.read(request, signal);
    if (!reply.ok)
      throw new FirewallError(reasonOfReply(reply), `${request.template}: ${explained(reply, client.vdom)}`);
    if (reply.vdom !== undefined && reply.vdom !== client.vdom) {
      const answer = `answered for VDOM ${reply.vdom} when asked for ${client.vdom}`;
      throw new FirewallError("other", `${request.template}: ${answer}: are VDOMs enabled?`);
    }
    if (!Array.isArray(reply.results))
      throw new FirewallError("busy", `${request.template}: a list without rows`);
    return { reply, rows: reply.results };
  };
  const first = await get([]);
  const rows = [...first.rows];
  const { matched, revision, isCut } = first.reply;
  const total = matched ?? rows.length;
  while (rows.length < total) {
    // Asking for more than there is would be an error (FNDN, filtering results).
    const size = Math.min(PAGE, total - rows.length);
    const next = await get([
      ["start", String(rows.length)],
      ["count", String(size)],
    ]);
    const isSame = next.reply.matched === total && next.reply.revision === revision;
    // One that gives the same rows again would be asked for ever.
    const isMore = next.rows.length > 0 && JSON.stringify(next.rows[0]) !== JSON.stringify(rows[0]);
    if (!isMore || !isSame) {
      const state = isSame
        ? `${String(rows.length)} of ${String(total)} rows came`
        : "changed while it was read";
      throw new FirewallError("busy", `cmdb/firewall/${table}: ${state}`);
    }
    rows.push(...next.rows);
  }
  if (matched === undefined && isCut === true) {
    throw new FirewallError("other", `cmdb/firewall/${table}: the device gives a part of the rows only`);
  }
  const found = rowsOf(rows);
  if (found.length !== rows.length) {
    const strange = `${String(rows.length - found.length)} of ${String(rows.length)} rows can't be read`;
    throw new FirewallError("busy", `cmdb/firewall/${table}: ${strange}`);
  }
  return found;
}

interface Page {
  readonly reply: Reply;
  readonly rows: readonly unknown[];
}
