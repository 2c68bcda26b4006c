import type { Item } from "./item.ts";
import { idOf, type Resource } from "./resource.ts";

/** One change of one object; the versions of all changes together are one row of numbers. */
export interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** See `idOf`. */
  readonly resource: string;
  /** As it is after the change; of a deletion the last state, with the version of the deletion. */
  readonly item: Item;
  /** When it was committed: milliseconds since 1970, as the caller's clock gave it. */
  readonly at: number;
}

export interface Backup {
  readonly version: number;
  readonly items: ReadonlyMap<string, ReadonlyMap<string, Item>>;
}

/** How many changes can be resumed from; the real watch cache keeps 100 to 102,400 of each resource. */
const HISTORY = 100_000;

/** What etcd and the watch cache are to a real server: objects, one global version, and the changes that led here. */
export class Store {
  #version = 1;
  #oldest = 1;
  #items = new Map<string, Map<string, Item>>();
  #sorted = new Map<string, readonly Item[]>();
  #history: Change[] = [];
  readonly #limit: number;
  #lastOf = new Map<string, number>();
  readonly #listeners = new Set<(change: Change) => void>();

  constructor(limit = HISTORY) {
    this.#limit = limit;
  }

  get version(): number {
    return this.#version;
  }

  /** A watch can begin at this version or a later one. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Version of the resource's last change since the server started; undefined if there was none. */
  lastOf(resource: Resource): number | undefined {
    return this.#lastOf.get(idOf(resource));
  }

  get(resource: Resource, key: string): Item | undefined {
    return this.#items.get(idOf(resource))?.get(key);
  }

  count(resource: Resource): number {
    return this.#items.get(idOf(resource))?.size ?? 0;
  }

  /** All of them in the order of their keys, of one namespace or of all (`""`). */
  list(resource: Resource, namespace = ""): readonly Item[] {
    const id = idOf(resource);
    let all = this.#sorted.get(id);
    if (all === undefined) {
      all = [...(this.#items.get(id)?.values() ?? [])].toSorted((a, b) => (a.key < b.key ? -1 : 1));
      this.#sorted.set(id, all);
    }
    return namespace === "" ? all : all.filter((item) => item.namespace === namespace);
  }

  put(resource: Resource, make: (version: number) => Item, at: number): Change {
    const id = idOf(resource);
    const item = make(this.#version + 1);
    const items = this.#items.get(id) ?? new Map<string, Item>();
    this.#items.set(id, items);
    const type = items.has(item.key) ? "MODIFIED" : "ADDED";
    items.set(item.key, item);
    return this.#commit({ version: item.version, type, resource: id, item, at });
  }

  delete(resource: Resource, make: (version: number) => Item, at: number): Change {
    const id = idOf(resource);
    const item = make(this.#version + 1);
    this.#items.get(id)?.delete(item.key);
    return this.#commit({ version: item.version, type: "DELETED", resource: id, item, at });
  }

  /** What came after a version; undefined if that is not known any more. */
  since(version: number): readonly Change[] | undefined {
    if (version < this.#oldest) return undefined;
    let [low, high] = [0, this.#history.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#history[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return this.#history.slice(low);
  }

  /** Forgets the history: who comes with an older version gets 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history = [];
  }

  /** Something is written that nobody here can read. */
  advance(): void {
    this.#version += 1;
  }

  /** What a server process knows and etcd does not. */
  restart(): void {
    this.compact();
    this.#lastOf = new Map();
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  backup(): Backup {
    const items = new Map([...this.#items].map(([id, of]) => [id, new Map(of)]));
    return { version: this.#version, items };
  }

  /** As etcd restored from a backup: versions go back with it, and nothing is told to anybody. */
  restore({ version, items }: Backup): void {
    this.#items = new Map([...items].map(([id, of]) => [id, new Map(of)]));
    this.#sorted = new Map();
    this.#version = version;
    this.restart();
  }

  #commit(change: Change): Change {
    this.#version = change.version;
    this.#sorted.delete(change.resource);
    this.#lastOf.set(change.resource, change.version);
    this.#history.push(change);
    if (this.#history.length > this.#limit * 2) {
      this.#oldest = this.#history[this.#limit - 1]?.version ?? this.#version;
      this.#history = this.#history.slice(this.#limit);
    }
    for (const listener of this.#listeners) listener(change);
    return change;
  }
}
