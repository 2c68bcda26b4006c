import { parseCidr, type Cidr } from "@podgate/shared/contract/address";
import type { FoldedGroup } from "./standing.ts";
import type { Member } from "./session.ts";

/** Answers that are kept; addresses come again and again. */
const MOST_ANSWERS = 200_000;

/** What of a group a cluster may put on firewalls. */
export interface Sieved {
  readonly members: ReadonlyMap<string, Member>;
  /** Address → why not. */
  readonly refused: ReadonlyMap<string, string>;
}

const NOBODY: ReadonlyMap<string, string> = new Map();

/** The ranges one cluster's addresses must be in. */
export class Ranges {
  readonly #cidrs: readonly Cidr[];
  readonly #fault: string;
  readonly #answers = new Map<string, boolean>();

  /** @param cidrs empty = any address is allowed */
  constructor(cluster: string, cidrs: readonly string[]) {
    this.#cidrs = cidrs.map((text) => parseCidr(text));
    this.#fault = `outside the ranges of cluster ${cluster} (${cidrs.join(", ")})`;
  }

  sieve({ members }: FoldedGroup): Sieved {
    if (this.#cidrs.length === 0) return { members, refused: NOBODY };
    const allowed = new Map<string, Member>();
    const refused = new Map<string, string>();
    for (const [address, member] of members) {
      if (this.#allows(address)) allowed.set(address, member);
      else refused.set(address, this.#fault);
    }
    return { members: allowed, refused };
  }

  #allows(address: string): boolean {
    let answer = this.#answers.get(address);
    if (answer === undefined) {
      if (this.#answers.size >= MOST_ANSWERS) this.#answers.clear();
      this.#answers.set(address, (answer = this.#cidrs.some((cidr) => cidr.contains(address))));
    }
    return answer;
  }
}
