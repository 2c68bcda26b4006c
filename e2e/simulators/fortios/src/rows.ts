import { createHash } from "node:crypto";
import type { Row } from "./field.ts";

export interface Entry {
  readonly row: Row;
  /** Built in. */
  readonly fixed: boolean;
  readonly predefined: boolean;
  readonly digest: bigint;
}

const MODULUS = 1n << 128n;

export function digestOf(row: Row): bigint {
  return BigInt(`0x${createHash("md5").update(JSON.stringify(row)).digest("hex")}`);
}

/** The rows of one table of one VDOM, in order, with a digest of the whole that costs O(1) per change. */
export class Rows {
  #entries: Map<string, Entry>;
  #digest: bigint;
  #predefined: number;

  constructor(entries = new Map<string, Entry>(), digest = 0n, predefinedCount = 0) {
    this.#entries = entries;
    this.#digest = digest;
    this.#predefined = predefinedCount;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Rows that count against the model's limit. */
  get counted(): number {
    return this.#entries.size - this.#predefined;
  }

  get digest(): bigint {
    return this.#digest;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  entries(): Entry[] {
    return [...this.#entries.values()];
  }

  some(holds: (row: Row) => boolean): boolean {
    for (const { row } of this.#entries.values()) if (holds(row)) return true;
    return false;
  }

  set(key: string, entry: Entry): void {
    const before = this.#entries.get(key);
    this.#account(before, entry);
    this.#entries.set(key, entry);
  }

  delete(key: string): void {
    this.#account(this.#entries.get(key), undefined);
    this.#entries.delete(key);
  }

  /** Renames in place; the order stays. */
  rename(from: string, to: string, entry: Entry): void {
    this.#account(this.#entries.get(from), entry);
    this.#entries = new Map(
      [...this.#entries].map(([key, old]) => (key === from ? [to, entry] : [key, old])),
    );
  }

  /** Puts one row before or after another. */
  move(key: string, neighbor: string, where: "before" | "after"): void {
    const keys = this.keys().filter((other) => other !== key);
    keys.splice(keys.indexOf(neighbor) + (where === "after" ? 1 : 0), 0, key);
    const entries = this.#entries;
    this.#entries = new Map(keys.map((other) => [other, entries.get(other) as Entry]));
    // Order is content, too: the digest has to move with it.
    this.#digest = (this.#digest + 1n) % MODULUS;
  }

  copy(): Rows {
    return new Rows(new Map(this.#entries), this.#digest, this.#predefined);
  }

  #account(before: Entry | undefined, after: Entry | undefined): void {
    this.#digest = (this.#digest - (before?.digest ?? 0n) + (after?.digest ?? 0n) + MODULUS) % MODULUS;
    this.#predefined += (after?.predefined === true ? 1 : 0) - (before?.predefined === true ? 1 : 0);
  }
}
