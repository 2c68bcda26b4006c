import type { NamespaceFact } from "../facts/namespace-fact.ts";
import { ByName } from "./by-name.ts";

/**
 * The namespaces of one cluster. One that is deleted, or that a list lacks, stays while pods of it are listed: Kubernetes
 * deletes a namespace after all that is in it (kubernetes.io, "Namespaces"), so its pods' own ends come first, or the
 * list is not what it should be.
 */
export class Namespaces {
  readonly #facts = new ByName<NamespaceFact>((a, b) => labels(a) === labels(b));
  /** Gone but for so many pods. */
  readonly #leaving = new Map<string, number>();
  readonly #podsIn: (name: string) => number;

  /** @param podsIn how many pods of a namespace are listed */
  constructor(podsIn: (name: string) => number) {
    this.#podsIn = podsIn;
  }

  get(name: string): NamespaceFact | undefined {
    return this.#facts.get(name);
  }

  /** @returns whether anything changed that matters */
  put(fact: NamespaceFact): boolean {
    this.#leaving.delete(fact.name);
    return this.#facts.put(fact);
  }

  /** @returns the names of those in which something changed that matters */
  replace(facts: readonly NamespaceFact[]): Set<string> {
    const present = new Set(facts.map(({ name }) => name));
    const absent = [...this.#facts.all()].filter(({ name }) => !present.has(name));
    for (const { uid } of absent) this.drop(uid);
    return new Set(facts.filter((fact) => this.put(fact)).map(({ name }) => name));
  }

  drop(uid: string): void {
    const fact = this.#facts.drop(uid);
    const pods = fact === undefined ? 0 : this.#podsIn(fact.name);
    if (fact === undefined || pods === 0) return;
    this.#facts.put(fact);
    this.#leaving.set(fact.name, pods);
  }

  podCame(name: string): void {
    const pods = this.#leaving.get(name);
    if (pods !== undefined) this.#leaving.set(name, pods + 1);
  }

  podWent(name: string): void {
    const pods = this.#leaving.get(name);
    if (pods === undefined) return;
    this.#leaving.set(name, pods - 1);
    if (pods > 1) return;
    this.#leaving.delete(name);
    const fact = this.#facts.get(name);
    if (fact !== undefined) this.#facts.drop(fact.uid);
  }
}

const labels = (fact: NamespaceFact): string => JSON.stringify(fact.labels);
