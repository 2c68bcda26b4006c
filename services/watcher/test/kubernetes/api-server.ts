import type { Clock } from "@podgate/shared/runtime/clock";
import { crdPath } from "../../src/kubernetes/resources.ts";
import {
  KubernetesError,
  type KubernetesRequest,
  type KubernetesResponse,
  type KubernetesTransport,
} from "../../src/kubernetes/transport.ts";

export const CRDS = ["clusteraddressgroups.podgate.dev", "addressgroups.podgate.dev"].map(crdPath);
export const ESTABLISHED = {
  metadata: {},
  status: { conditions: [{ type: "Established", status: "True" }] },
};

export interface Stored {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string; readonly name: string };
}

interface Happened {
  readonly path: string;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Stored;
  readonly revision: number;
}

/** A body that is written as things happen. */
class Stream {
  readonly #chunks: Uint8Array[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake: () => void = () => undefined;

  write(text: string): void {
    this.#chunks.push(new TextEncoder().encode(text));
    this.#wake();
  }

  end(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#end?.error !== undefined) throw this.#end.error;
      else if (this.#end !== undefined) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

interface Watch {
  readonly path: string;
  readonly stream: Stream;
}

/**
 * The reading half of an API server, with one revision for everything as in etcd: lists (streamed and paged),
 * watches that resume, bookmarks, compaction. What can go wrong is switched.
 */
export class ApiServer implements KubernetesTransport {
  /** A server without it answers 422 to a streamed list, as Kubernetes does without the WatchList feature. */
  streamsLists = true;
  /** Every request is refused with it. */
  refuses: number | undefined;
  /** No connection comes about. */
  down = false;
  /** Connections come about, and nothing comes over them. */
  mute = false;
  bookmarks = true;
  /** Streamed lists end after this many objects. */
  breaksListAfter = Number.POSITIVE_INFINITY;
  /** Comes between the objects of a streamed list and its end. */
  beforeListEnds = "";
  /** Answers to GET of a single object, by path. */
  readonly single = new Map<string, unknown>();
  readonly requests: string[] = [];
  readonly #clock: Clock;
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #watches = new Set<Watch>();
  #history: Happened[] = [];
  #oldest = 0;
  #revision = 100;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(
    path: string,
    uid: string,
    rest: { readonly metadata?: object; readonly [field: string]: unknown } = {},
  ): void {
    const type = this.#of(path).has(uid) ? "MODIFIED" : "ADDED";
    const revision = (this.#revision += 1);
    const object = {
      ...rest,
      metadata: { ...rest.metadata, uid, name: uid, resourceVersion: String(revision) },
    };
    this.#of(path).set(uid, object);
    this.#happen({ path, type, object, revision });
  }

  remove(path: string, uid: string): void {
    const before = this.#of(path).get(uid);
    if (before === undefined) throw new Error(`there is no ${uid}`);
    this.#of(path).delete(uid);
    const revision = (this.#revision += 1);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } };
    this.#happen({ path, type: "DELETED", object, revision });
  }

  /** Forgets the history: whoever resumes from before gets 410. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#revision += 1;
  }

  /** As after a restore of a backup. */
  goBackTo(revision: number): void {
    this.#revision = revision;
    this.#history = [];
    this.#oldest = 0;
  }

  cutConnections(): void {
    for (const { stream } of this.#watches)
      stream.end(new KubernetesError("unreachable", "API server: ECONNRESET"));
    this.#watches.clear();
  }

  say(text: string): void {
    for (const { stream } of this.#watches) stream.write(text);
  }

  endWatches(): void {
    for (const { stream } of this.#watches) stream.end();
    this.#watches.clear();
  }

  get watches(): number {
    return this.#watches.size;
  }

  get revision(): string {
    return String(this.#revision);
  }

  async open({ path: full, signal }: KubernetesRequest): Promise<KubernetesResponse> {
    this.requests.push(full);
    if (this.down) throw new KubernetesError("unreachable", "API server: ECONNREFUSED");
    if (this.mute) return { status: 200, body: this.#stream(signal, "") };
    if (this.refuses !== undefined) return answer(this.refuses, { message: "refused by the test" });
    const url = new URL(full, "http://api");
    const path = url.pathname;
    if (this.single.has(path)) return answer(200, this.single.get(path));
    if (!this.#objects.has(path)) return answer(404, { message: `no ${path}` });
    const query = url.searchParams;
    if (query.get("watch") === null) return this.#page(path, query);
    if (query.get("sendInitialEvents") !== null) return this.#streamedList(path, signal);
    return this.#watch(path, query, signal);
  }

  /** The resource exists, with nothing in it. */
  serve(path: string): void {
    this.#of(path);
  }

  stopServing(path: string): void {
    this.#objects.delete(path);
  }

  #of(path: string): Map<string, Stored> {
    let objects = this.#objects.get(path);
    if (objects === undefined) this.#objects.set(path, (objects = new Map()));
    return objects;
  }

  #happen(event: Happened): void {
    this.#history.push(event);
    for (const { path, stream } of this.#watches) if (path === event.path) stream.write(line(event));
  }

  #page(path: string, query: URLSearchParams): KubernetesResponse {
    const all = [...this.#of(path).values()];
    const from = Number(query.get("continue") ?? 0);
    const to = from + Number(query.get("limit"));
    const metadata = {
      resourceVersion: this.revision,
      ...(to < all.length && { continue: String(to) }),
    };
    return answer(200, { metadata, items: all.slice(from, to) });
  }

  #streamedList(path: string, signal: AbortSignal): KubernetesResponse {
    if (!this.streamsLists) return answer(422, { message: "sendInitialEvents is forbidden" });
    const all = [...this.#of(path).values()];
    const text = all
      .slice(0, this.breaksListAfter)
      .map((object) => line({ type: "ADDED", object }))
      .join("");
    const stream = this.#stream(signal, text + this.beforeListEnds);
    if (all.length > this.breaksListAfter) stream.end();
    else stream.write(bookmark(this.revision, true));
    return { status: 200, body: stream };
  }

  #watch(path: string, query: URLSearchParams, signal: AbortSignal): KubernetesResponse {
    const from = Number(query.get("resourceVersion"));
    if (from < this.#oldest) {
      const gone = { type: "ERROR", object: { code: 410, message: "too old resource version" } };
      const stream = this.#stream(signal, `${JSON.stringify(gone)}\n`);
      stream.end();
      return { status: 200, body: stream };
    }
    const missed = this.#history.filter((event) => event.path === path && event.revision > from);
    const stream = this.#stream(signal, missed.map(line).join(""));
    const watch = { path, stream };
    this.#watches.add(watch);
    const over = (): void => {
      if (!this.#watches.delete(watch)) return;
      if (this.bookmarks) stream.write(bookmark(this.revision, false));
      stream.end();
    };
    const cancel = this.#clock.timer(Number(query.get("timeoutSeconds")) * 1000, over);
    signal.addEventListener("abort", () => {
      cancel();
      this.#watches.delete(watch);
    });
    return { status: 200, body: stream };
  }

  #stream(signal: AbortSignal, text: string): Stream {
    const stream = new Stream();
    if (text !== "") stream.write(text);
    signal.addEventListener("abort", () => stream.end(new KubernetesError("aborted", "aborted")));
    return stream;
  }
}

const line = ({ type, object }: { type: string; object: object }): string =>
  `${JSON.stringify({ type, object })}\n`;

function bookmark(resourceVersion: string, ends: boolean): string {
  const annotations = ends ? { "k8s.io/initial-events-end": "true" } : {};
  return line({ type: "BOOKMARK", object: { metadata: { resourceVersion, annotations } } });
}

function answer(status: number, value: unknown): KubernetesResponse {
  const stream = new Stream();
  stream.write(JSON.stringify(value));
  stream.end();
  return { status, body: stream };
}
