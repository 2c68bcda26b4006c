import type { Verb } from "./target.ts";

/** Something that goes wrong with requests that fit. */
export interface Fault {
  /**
   * `status`: refused with `status`. `cut`: connection reset at once. `hang`: never answered. `slow`: answered
   * `ms` later. `silent`: a watch that opens and then says nothing. `truncate`: reset after `bytes` of the answer.
   * `garbage`: a watch whose first line is no JSON.
   */
  readonly kind: "status" | "cut" | "hang" | "slow" | "silent" | "truncate" | "garbage";
  readonly verbs?: readonly Verb[];
  /** As in the URL: `pods`. */
  readonly resource?: string;
  readonly status?: number;
  readonly message?: string;
  readonly ms?: number;
  readonly bytes?: number;
  /** How many requests it strikes; all, if not given. */
  readonly times?: number;
}

export class Faults {
  readonly #left = new Map<Fault, number>();

  /** @returns takes it away again */
  add(fault: Fault): () => void {
    this.#left.set(fault, fault.times ?? Number.POSITIVE_INFINITY);
    return () => this.#left.delete(fault);
  }

  clear(): void {
    this.#left.clear();
  }

  /** Those that strike this request; each is used up by one. */
  strike(verb: Verb, resource: string): Fault[] {
    const struck: Fault[] = [];
    for (const [fault, left] of this.#left) {
      if (fault.verbs !== undefined && !fault.verbs.includes(verb)) continue;
      if (fault.resource !== undefined && fault.resource !== resource) continue;
      struck.push(fault);
      if (left <= 1) this.#left.delete(fault);
      else this.#left.set(fault, left - 1);
    }
    return struck;
  }
}
