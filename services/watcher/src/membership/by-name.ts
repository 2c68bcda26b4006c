/** Objects that others refer to by name (nodes, namespaces), told apart by uid. */
export class ByName<Fact extends { readonly uid: string; readonly name: string }> {
  readonly #facts = new Map<string, Fact>();
  readonly #names = new Map<string, string>();
  readonly #same: (a: Fact, b: Fact) => boolean;

  /** @param same whether two facts mean the same to whoever refers to the name */
  constructor(same: (a: Fact, b: Fact) => boolean) {
    this.#same = same;
  }

  get(name: string): Fact | undefined {
    return this.#facts.get(name);
  }

  all(): Iterable<Fact> {
    return this.#facts.values();
  }

  /** @returns whether anything changed that matters */
  put(fact: Fact): boolean {
    const before = this.#facts.get(fact.name);
    // Made anew under its name: the end of the old one, when it is told late, must not take the new one along.
    if (before !== undefined && before.uid !== fact.uid) this.#names.delete(before.uid);
    this.#facts.set(fact.name, fact);
    this.#names.set(fact.uid, fact.name);
    return before === undefined || !this.#same(before, fact);
  }

  /** @returns it, if it was still the one that has its name */
  drop(uid: string): Fact | undefined {
    const name = this.#names.get(uid);
    if (name === undefined) return undefined;
    const fact = this.#facts.get(name);
    this.#names.delete(uid);
    this.#facts.delete(name);
    return fact;
  }

  /** @returns the names for which something changed that matters, and whether they vanished */
  replace(facts: readonly Fact[]): Map<string, "changed" | "vanished"> {
    const changes = new Map<string, "changed" | "vanished">();
    const present = new Set(facts.map(({ name }) => name));
    for (const [name, { uid }] of this.#facts) {
      if (present.has(name)) continue;
      this.drop(uid);
      changes.set(name, "vanished");
    }
    for (const fact of facts) if (this.put(fact)) changes.set(fact.name, "changed");
    return changes;
  }
}
