/** One request the device got. Times are milliseconds since 1970, `monotonic` is of a clock that never jumps. */
export interface LogEntry {
  readonly id: number;
  /** When it arrived. */
  readonly at: number;
  readonly monotonic: number;
  readonly method: string;
  /** Decoded, without `/api/v2`, as it was asked: `cmdb/firewall/addrgrp/web`. */
  readonly path: string;
  readonly vdom: string;
  /** Without tokens. */
  readonly query: string;
  readonly bodySize: number;
  /** Of writes only; a body that is no JSON is kept as text. */
  readonly body?: unknown;
  readonly status: number;
  /** CLI code, 0 where there was none. */
  readonly error: number;
  readonly changed: boolean;
  /** When the device did what was asked. */
  readonly appliedAt: number;
  readonly source: string;
  readonly userAgent: string;
  /** Name of the API user; empty where the token was not good. */
  readonly token: string;
  /** Kinds of the faults that struck it. */
  readonly faults: readonly string[];
  /** What the client saw: an answer, a reset connection, or nothing. */
  readonly outcome: "reply" | "cut" | "hang";
}

export interface LogFilter {
  /** Entries with a higher id only. */
  readonly since?: number;
  /** Skips so many of those that fit. */
  readonly offset?: number;
  readonly limit?: number;
  readonly methods?: readonly string[];
  /** Part of the path. */
  readonly path?: string;
  readonly vdom?: string;
  readonly changed?: boolean;
  readonly status?: number;
  /** POST, PUT and DELETE only. */
  readonly writes?: boolean;
}

export class RequestLog {
  #entries: LogEntry[] = [];
  #nextId = 1;

  takeId(): number {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  add(entry: LogEntry): void {
    this.#entries.push(entry);
  }

  clear(): void {
    this.#entries = [];
  }

  /** In the order in which they were done. */
  entries(filter: LogFilter = {}): LogEntry[] {
    const found = this.#entries.filter((entry) => fits(entry, filter));
    const { offset = 0, limit = found.length } = filter;
    return offset === 0 && limit >= found.length ? found : found.slice(offset, offset + limit);
  }
}

function fits(entry: LogEntry, filter: LogFilter): boolean {
  if (filter.since !== undefined && entry.id <= filter.since) return false;
  if (filter.methods !== undefined && !filter.methods.includes(entry.method)) return false;
  if (filter.path !== undefined && !entry.path.includes(filter.path)) return false;
  if (filter.vdom !== undefined && entry.vdom !== filter.vdom) return false;
  if (filter.changed !== undefined && entry.changed !== filter.changed) return false;
  if (filter.status !== undefined && entry.status !== filter.status) return false;
  return filter.writes !== true || entry.method !== "GET";
}
