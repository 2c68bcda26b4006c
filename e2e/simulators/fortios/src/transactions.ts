import type { Configuration } from "./configuration.ts";
import { cliRefusal, Refusal } from "./refusal.ts";

/** One request that was taken into a transaction, to be done again at its commit. */
export interface Operation {
  readonly method: string;
  /** After `/api/v2/cmdb`, decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly vdom: string;
}

interface Open {
  readonly id: number;
  readonly vdom: string;
  readonly user: string;
  /** Milliseconds since 1970; after that it is as if it had never been. */
  readonly deadline: number;
  /** What the configuration would be. */
  readonly draft: Configuration;
  readonly operations: Operation[];
  /** `<vdom>/<table>` it has touched. */
  readonly tables: Set<string>;
}

const DEFAULT_TIMEOUT = 300;
/** The code a locked table answers with is not known; this one is "generic failure". */
const LOCKED = -160;

/** Batch transactions (6.4.0 and later): a table that one has touched is closed to everybody else until it ends. */
export class Transactions {
  readonly #open = new Map<number, Open>();
  #nextId = 1;

  start(vdom: string, user: string, timeout: number | undefined, now: number, draft: Configuration): number {
    const id = this.#nextId;
    this.#nextId += 1;
    const deadline = now + (timeout ?? DEFAULT_TIMEOUT) * 1000;
    this.#open.set(id, { id, vdom, user, deadline, draft, operations: [], tables: new Set() });
    return id;
  }

  /** @throws Refusal 404 where there is no such open transaction */
  get(id: number, now: number): Open {
    this.expire(now);
    const open = this.#open.get(id);
    if (open === undefined) throw new Refusal(404);
    return open;
  }

  end(id: number): void {
    this.#open.delete(id);
  }

  list(now: number): { "transaction-id": number; vdom: string; "expires-in": number }[] {
    this.expire(now);
    return [...this.#open.values()].map((open) => ({
      "transaction-id": open.id,
      vdom: open.vdom,
      "expires-in": Math.ceil((open.deadline - now) / 1000),
    }));
  }

  /** A write is about to touch a table; `id` is its transaction, if it is in one. @throws Refusal if it is closed */
  touch(id: number | undefined, table: string, now: number): void {
    this.expire(now);
    for (const open of this.#open.values()) {
      if (open.id !== id && open.tables.has(table)) {
        throw cliRefusal(LOCKED, `table is locked by transaction ${String(open.id)}`);
      }
    }
    if (id !== undefined) this.get(id, now).tables.add(table);
  }

  expire(now: number): void {
    for (const open of this.#open.values()) if (open.deadline <= now) this.#open.delete(open.id);
  }

  clear(): void {
    this.#open.clear();
  }
}

/** The operations as CLI lines, as `transaction-show` gives them. */
export function cliLines(operations: readonly Operation[]): string[] {
  return operations.flatMap(({ method, segments, body }) => {
    const [path = "", name = "", key] = segments;
    const edit = key ?? (typeof body["name"] === "string" ? body["name"] : "");
    const sets = Object.entries(body).map(([field, value]) => `set ${field} ${JSON.stringify(value)}`);
    const inner = method === "DELETE" ? [`delete "${edit}"`] : [`edit "${edit}"`, ...sets, "next"];
    return [`config ${path} ${name}`, ...inner, "end"];
  });
}
