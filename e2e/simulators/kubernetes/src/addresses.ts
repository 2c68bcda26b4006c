/** Gives out pod addresses the way CNI plugins do: the next free one of a range, which comes round again. */
export class AddressPool {
  readonly #size: number;
  readonly #first: number;
  readonly #dualStack: boolean;
  readonly #taken = new Set<number>();
  #next = 0;

  /** @param first an IPv4 address; a dual-stack pod gets `fd00::/64` with the same number besides */
  constructor(first: string, size: number, dualStack = false) {
    this.#first = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    this.#size = size;
    this.#dualStack = dualStack;
  }

  /** @throws Error when none is free */
  take(): { readonly slot: number; readonly addresses: readonly string[] } {
    for (let tried = 0; tried < this.#size; tried += 1) {
      const slot = this.#next;
      this.#next = (this.#next + 1) % this.#size;
      if (this.#taken.has(slot)) continue;
      this.#taken.add(slot);
      const address = ipv4(this.#first + slot);
      return { slot, addresses: this.#dualStack ? [address, `fd00::${(slot + 1).toString(16)}`] : [address] };
    }
    throw new Error(`all ${String(this.#size)} addresses are taken`);
  }

  release(slot: number): void {
    this.#taken.delete(slot);
  }
}

/** `10.0.0.1` of 167772161. */
export const ipv4 = (value: number): string =>
  [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
