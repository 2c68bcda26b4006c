type Labels = Readonly<Record<string, string>>;

/** Ever used entries of two generations: bounded, and what is in use stays. */
class Memo<Value> {
  readonly #limit: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, make: () => Value): Value {
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    const value = this.#old.get(key) ?? make();
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }
}

/**
 * One copy of equal texts and of equal label sets. The pods of a ReplicaSet carry the same labels, and thousands
 * of pods name the same node; parsed anew, each would keep its own. A miss costs memory, never correctness, so
 * it is bounded: lists come sorted by namespace and name, which keeps equal ones together.
 */
export class Interning {
  readonly #texts = new Memo<string>(8192);
  readonly #labels = new Memo<Labels>(4096);

  text(value: string): string {
    return this.#texts.get(value, () => value);
  }

  labels(value: Labels): Labels {
    const entries = Object.entries(value);
    if (entries.length === 0) return NONE;
    // NUL is in no label key and no label value.
    const key = entries.map((entry) => entry.join("\0")).join("\0");
    return this.#labels.get(key, () =>
      Object.fromEntries(entries.map(([name, text]) => [name, this.text(text)])),
    );
  }
}

const NONE: Labels = {};

/** What all facts share; a cache that no caller can tell from its absence. */
export const interning = new Interning();
