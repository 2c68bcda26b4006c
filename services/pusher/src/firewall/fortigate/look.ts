import type { Family } from "@podgate/shared/contract/address";
import { FirewallError } from "../firewall.ts";
import type { Client } from "./client.ts";
import { explained, reasonOfReply } from "./outcome.ts";
import { addressRows, groupRows, type AddressRow, type GroupRow } from "./wire/content.ts";
import { isObject } from "./wire/envelope.ts";
import { classify } from "./wire/refusal.ts";
import { addressTable, groupTable, one, usage, type Table } from "./wire/request.ts";

/** Looks at single objects, to settle what an answer left open. All of it throws FirewallError. */
export class Look {
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  address(name: string, family: Family): Promise<AddressRow | undefined> {
    return this.#one(addressTable(family), name, addressRows);
  }

  group(name: string, family: Family): Promise<GroupRow | undefined> {
    return this.#one(groupTable(family), name, groupRows);
  }

  /** Who uses an object, for people; undefined where the device does not tell. Never throws: it only helps. */
  async users(table: Table, name: string): Promise<string | undefined> {
    try {
      const { ok, results } = await this.#client.read(usage(table, name), this.#signal);
      const rows = ok && isObject(results) ? results["currently_using"] : undefined;
      const users = Array.isArray(rows) ? rows.filter(isObject).flatMap(userOf) : [];
      return users.length === 0 ? undefined : users.slice(0, MOST_USERS).join(", ");
    } catch (error) {
      if (error instanceof FirewallError) return undefined;
      throw error;
    }
  }

  async #one<Row extends { readonly name: string }>(
    table: Table,
    name: string,
    rowsOf: (results: unknown) => Row[],
  ): Promise<Row | undefined> {
    const request = one("GET", table, name);
    const reply = await this.#client.read(request, this.#signal);
    if (!reply.ok && classify(reply) === "missing") return undefined;
    if (!reply.ok) {
      throw new FirewallError(
        reasonOfReply(reply),
        `${request.template}: ${explained(reply, this.#client.vdom)}`,
      );
    }
    const row = rowsOf(reply.results).find((each) => each.name === name);
    // Not the same as 404: under load a reply may count its objects and hold none
    // (terraform-provider-fortios issue 333).
    if (row === undefined)
      throw new FirewallError("busy", `${request.template}: an answer without the object`);
    return row;
  }
}

const MOST_USERS = 5;

function userOf({ name, mkey }: Readonly<Record<string, unknown>>): string[] {
  const isKey = typeof mkey === "string" || typeof mkey === "number";
  return typeof name === "string" && isKey ? [`${name} ${String(mkey)}`] : [];
}
