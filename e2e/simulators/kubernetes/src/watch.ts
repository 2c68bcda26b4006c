import type { Failure } from "./failure.ts";
import type { Item } from "./item.ts";
import { apiVersionOf, idOf, type Resource } from "./resource.ts";
import type { Change } from "./store.ts";

export interface WatchOptions {
  readonly resource: Resource;
  readonly namespace: string;
  readonly fits: ((item: Item) => boolean) | undefined;
  readonly bookmarks: boolean;
  /** The state as it is, given as ADDED events before anything else. */
  readonly initial: readonly Item[];
  /** Version of `initial`; a bookmark with it, marked as the end of the list, follows. */
  readonly initialEnd: number | undefined;
  /** Changes up to this version are known to the client. */
  readonly from: number;
  readonly changes: readonly Change[];
  /** When the server ends it, and how often it sends a bookmark: milliseconds. */
  readonly endsAt: number;
  readonly bookmarkEvery: number;
  readonly now: number;
  /**
   * What a bookmark says. As seen on kube-apiserver 1.37.2: the version of the resource's own last change; a
   * resource that has not changed since the server started gets no bookmark.
   */
  readonly lastChange: () => number | undefined;
}

/** A bookmark comes so long before the server ends a watch (real server: 2 s). */
const LAST_BOOKMARK = 2000;

type Queued = { readonly change: Change } | { readonly bookmark: number } | { readonly line: string };

/**
 * One watch, pulled by whoever writes it to the client: `next()` gives line after line until there is none for now,
 * `onReady` tells when there is one again. Time comes in by `tick`.
 */
export class Watch {
  readonly resource: Resource;
  readonly #options: WatchOptions;
  #initial = 0;
  #queue: Queued[] = [];
  #at = 0;
  #nextBookmark: number;
  #ended = false;
  /** Nothing is written any more, and nothing is ended: a dead network. */
  silent = false;
  onReady: () => void = () => undefined;
  onCut: () => void = () => undefined;

  constructor(options: WatchOptions) {
    this.resource = options.resource;
    this.#options = options;
    const last = options.endsAt - LAST_BOOKMARK;
    this.#nextBookmark = Math.min(options.now + options.bookmarkEvery, Math.max(last, options.now));
    for (const change of options.changes) this.push(change);
  }

  /** No line will follow those that are queued. */
  get ended(): boolean {
    return this.#ended && !this.silent;
  }

  /** When `tick` has something to do. */
  get wakeAt(): number {
    const { bookmarks, endsAt } = this.#options;
    return bookmarks ? Math.min(this.#nextBookmark, endsAt) : endsAt;
  }

  /** The next line with its line feed; undefined when there is none for now. */
  next(): string | undefined {
    if (this.silent) return undefined;
    const { initial, initialEnd, resource } = this.#options;
    const item = initial[this.#initial];
    if (item !== undefined) {
      this.#initial += 1;
      return `{"type":"ADDED","object":${item.json(true)}}\n`;
    }
    if (this.#initial === initial.length) {
      this.#initial += 1;
      if (initialEnd !== undefined) return bookmarkLine(resource, initialEnd, true);
    }
    const queued = this.#queue[this.#at];
    if (queued === undefined) return undefined;
    this.#at += 1;
    if (this.#at === this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
    }
    if ("line" in queued) return queued.line;
    if ("bookmark" in queued) return bookmarkLine(resource, queued.bookmark, false);
    return `{"type":"${queued.change.type}","object":${queued.change.item.json(true)}}\n`;
  }

  push(change: Change): void {
    const { resource, namespace, fits, from } = this.#options;
    if (this.#ended || change.version <= from) return;
    if (change.resource !== idOf(resource)) return;
    if (namespace !== "" && change.item.namespace !== namespace) return;
    if (fits !== undefined && !fits(change.item)) return;
    this.#queue.push({ change });
    this.onReady();
  }

  tick(now: number): void {
    const { bookmarks, bookmarkEvery, endsAt, from, lastChange } = this.#options;
    if (bookmarks && now >= this.#nextBookmark && !this.#ended) {
      const version = lastChange();
      if (version !== undefined && version >= from) this.#queue.push({ bookmark: version });
      const last = endsAt - LAST_BOOKMARK;
      const next = now + bookmarkEvery;
      this.#nextBookmark = now >= last ? Number.POSITIVE_INFINITY : Math.min(next, last);
    }
    if (now >= endsAt) this.#ended = true;
    this.onReady();
  }

  /** An ERROR event, then the end. */
  fail(failure: Failure): void {
    this.say(`{"type":"ERROR","object":${failure.json()}}\n`);
    this.end();
  }

  /** Anything at all, as a broken server would send it. */
  say(line: string): void {
    this.#queue.push({ line });
    this.onReady();
  }

  end(): void {
    this.#ended = true;
    this.onReady();
  }

  /** The connection is reset. */
  cut(): void {
    this.#ended = true;
    this.onCut();
  }
}

function bookmarkLine(resource: Resource, version: number, endsInitial: boolean): string {
  const metadata = {
    resourceVersion: String(version),
    ...(endsInitial && { annotations: { "k8s.io/initial-events-end": "true" } }),
  };
  const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
  return `${JSON.stringify({ type: "BOOKMARK", object })}\n`;
}
