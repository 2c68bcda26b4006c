import { Failure } from "./failure.ts";
import type { Item } from "./item.ts";
import { apiVersionOf, type Resource } from "./resource.ts";
import { selectorOf } from "./selector.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

interface Snapshot {
  readonly items: readonly Item[];
  readonly version: number;
}

/** How many paged lists may be under way; the oldest one's token expires first. */
const MOST_SNAPSHOTS = 32;

/** Lists, whole or in pages. All pages of one list show one moment, as long as that is not compacted. */
export class Lists {
  readonly #store: Store;
  readonly #hides: (resource: Resource, item: Item) => boolean;
  readonly #snapshots = new Map<number, Snapshot>();
  #next = 1;

  /** @param hides what is left out, though it is there */
  constructor(store: Store, hides: (resource: Resource, item: Item) => boolean) {
    this.#store = store;
    this.#hides = hides;
  }

  /** Continue tokens given so far are void: the next page is answered with 410. */
  expire(): void {
    this.#snapshots.clear();
  }

  /** @returns the text of the answer, in pieces. @throws Failure 400, 410 */
  page({ resource, namespace, query }: Target): Iterable<string> {
    const limit = Number(query.get("limit") ?? 0);
    if (!Number.isInteger(limit) || limit < 0) throw new Failure(400, `invalid limit: ${limit}`);
    const token = query.get("continue") ?? "";
    const [id, start] = token === "" ? [this.#take(resource, namespace, query), 0] : tokenParts(token);
    const snapshot = this.#snapshots.get(id);
    if (snapshot === undefined) {
      throw new Failure(
        410,
        "The provided continue parameter is too old to display a consistent list result.",
      );
    }
    const end = limit === 0 ? snapshot.items.length : Math.min(snapshot.items.length, start + limit);
    const left = snapshot.items.length - end;
    if (left === 0) this.#snapshots.delete(id);
    const metadata = {
      resourceVersion: String(snapshot.version),
      ...(left > 0 && { continue: tokenOf(id, end), remainingItemCount: left }),
    };
    const head = { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata };
    return textOf(head, snapshot.items.slice(start, end), resource.custom);
  }

  #take(resource: Target["resource"], namespace: string, query: URLSearchParams): number {
    const fits = selectorOf(query);
    const all = this.#store.list(resource, namespace).filter((item) => !this.#hides(resource, item));
    const id = this.#next;
    this.#next += 1;
    this.#snapshots.set(id, { items: fits ? all.filter(fits) : all, version: this.#store.version });
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > MOST_SNAPSHOTS && oldest !== undefined) this.#snapshots.delete(oldest);
    return id;
  }
}

const tokenOf = (id: number, start: number): string =>
  Buffer.from(`${String(id)} ${String(start)}`).toString("base64url");

function tokenParts(token: string): readonly [number, number] {
  const [, id, start] = /^(\d+) (\d+)$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (id === undefined || start === undefined) throw new Failure(400, "continue key is not valid");
  return [Number(id), Number(start)];
}

function* textOf(head: object, items: readonly Item[], typed: boolean): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"items":[`;
  let first = true;
  for (const item of items) {
    yield first ? item.json(typed) : `,${item.json(typed)}`;
    first = false;
  }
  yield "]}\n";
}
