/**
 * What can go wrong with a request. `before` = the device did nothing; `after` = it did what was asked.
 * slow: held `ms` longer. reset-before, reset-after: the connection is reset. reply-lost: done, but no answer ever
 * comes. status-before, status-after: an HTML page with `status` (429, 502, 503). refuse: CLI code `code` (HTTP
 * `status`, 500). not-found: a GET of one object made less than `ms` ago says 404. empty-results: a list counts its
 * objects but holds none. table-full: no row can be made. extra-fields: rows carry attributes nobody knows.
 */
export const FAULT_KINDS = [
  "slow",
  "reset-before",
  "reset-after",
  "reply-lost",
  "status-before",
  "status-after",
  "refuse",
  "not-found",
  "empty-results",
  "table-full",
  "extra-fields",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Methods it strikes; absent: every one. */
  readonly methods?: readonly string[];
  /** Part of the path (decoded) it strikes; absent: every one. */
  readonly path?: string;
  readonly vdom?: string;
  /** How many requests it strikes before it is over; 0 = until it is cleared. Absent: 1. */
  readonly times?: number;
  /** How many requests that fit pass first. */
  readonly after?: number;
  readonly ms?: number;
  readonly status?: number;
  readonly code?: number;
}

interface Armed {
  readonly id: number;
  readonly fault: Fault;
  passed: number;
  struck: number;
}

/** What a fault is matched with. */
export interface Struck {
  readonly method: string;
  readonly path: string;
  readonly vdom: string;
}

export class Faults {
  #armed: Armed[] = [];
  #nextId = 1;

  /** @returns its id, for `clear` */
  add(fault: Fault): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#armed.push({ id, fault, passed: 0, struck: 0 });
    return id;
  }

  clear(id?: number): void {
    this.#armed = id === undefined ? [] : this.#armed.filter((armed) => armed.id !== id);
  }

  list(): (Fault & { id: number; struck: number })[] {
    return this.#armed.map(({ id, fault, struck }) => ({ ...fault, id, struck }));
  }

  /** The faults that strike this request; each is used up by it. */
  strike(request: Struck): readonly Fault[] {
    const hit: Fault[] = [];
    for (const armed of this.#armed) {
      if (!fits(armed.fault, request)) continue;
      if (armed.passed < (armed.fault.after ?? 0)) {
        armed.passed += 1;
        continue;
      }
      armed.struck += 1;
      hit.push(armed.fault);
    }
    this.#armed = this.#armed.filter(
      ({ fault, struck }) => (fault.times ?? 1) === 0 || struck < (fault.times ?? 1),
    );
    return hit;
  }
}

function fits(fault: Fault, { method, path, vdom }: Struck): boolean {
  if (fault.methods !== undefined && !fault.methods.includes(method)) return false;
  if (fault.path !== undefined && !path.includes(fault.path)) return false;
  return fault.vdom === undefined || fault.vdom === vdom;
}
