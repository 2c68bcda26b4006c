import { Access } from "./access.ts";
import { customResources, definedBy } from "./custom-resources.ts";
import { Failure, expired } from "./failure.ts";
import { Faults, type Fault } from "./faults.ts";
import { Document, record, type Item, type Json } from "./item.ts";
import { Lists } from "./list.ts";
import { BUILT_IN, CRDS, type Resource } from "./resource.ts";
import { selectorOf } from "./selector.ts";
import { Store, type Backup } from "./store.ts";
import { targetOf, type Target } from "./target.ts";
import { Watch } from "./watch.ts";
import { found404, rfc3339, write } from "./write.ts";

export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface ApiAnswer {
  /** Milliseconds until the client may get it. */
  readonly hold: number;
  /** The connection is reset after so many bytes. */
  readonly truncate: number | undefined;
  readonly content: Content;
}

export type Content =
  | { readonly kind: "reply"; readonly status: number; readonly body: Iterable<string> }
  | { readonly kind: "watch"; readonly watch: Watch }
  | { readonly kind: "cut" }
  | { readonly kind: "hang" };

export interface ApiServerOptions {
  readonly token?: string;
  /** `v1.37.2` */
  readonly version?: string;
  /** Answers `sendInitialEvents`; false = a server without it (before 1.32, or the feature switched off). */
  readonly streamsLists?: boolean;
  /** Milliseconds between bookmarks of a watch; the real server sends one about once a minute. */
  readonly bookmarkEvery?: number;
  /** Tells the uids of one simulator from those of another: 8 hex digits. */
  readonly uidPrefix?: string;
  /** Changes that can be resumed from. */
  readonly history?: number;
}

export const DEFAULT_TOKEN = "simulator-token";
/** A watch without timeoutSeconds ends after 30 to 60 minutes. */
const WATCH_SECONDS = 1800;
const REVIEW_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/**
 * The API server as far as a client that lists, watches, holds a Lease and writes statuses sees it: a state machine.
 * No I/O, no clock, no chance.
 */
export class ApiServer {
  readonly store: Store;
  readonly access: Access;
  readonly faults = new Faults();
  streamsLists: boolean;
  bookmarkEvery: number;
  /** Objects that lists leave out though they are there, and no event tells of it: a cache that is not whole. */
  hides: (resource: Resource, item: Item) => boolean = () => false;
  readonly version: string;
  /** Requests so far by verb and resource: `list pods`. */
  readonly requests = new Map<string, number>();
  readonly #lists: Lists;
  readonly #watches = new Set<Watch>();
  readonly #uidPrefix: string;
  #uids = 0;
  #served: readonly Resource[] = BUILT_IN;

  constructor(options: ApiServerOptions = {}) {
    this.store = new Store(options.history);
    this.access = new Access(options.token ?? DEFAULT_TOKEN);
    this.streamsLists = options.streamsLists ?? true;
    this.bookmarkEvery = options.bookmarkEvery ?? 60_000;
    this.version = options.version ?? "v1.37.2";
    this.#uidPrefix = options.uidPrefix ?? "00000000";
    this.#lists = new Lists(this.store, (resource, item) => this.hides(resource, item));
    this.store.subscribe((change) => {
      for (const watch of this.#watches) watch.push(change);
    });
  }

  /** Open watches. */
  get watches(): readonly Watch[] {
    return [...this.#watches];
  }

  newUid(): string {
    this.#uids += 1;
    return `${this.#uidPrefix}-0000-4000-8000-${this.#uids.toString(16).padStart(12, "0")}`;
  }

  handle(request: ApiRequest, now: number): ApiAnswer {
    const url = new URL(request.url, "http://simulator");
    let struck: readonly Fault[] = [];
    const of = (kind: Fault["kind"]): Fault | undefined => struck.find((fault) => fault.kind === kind);
    const answer = (content: Content): ApiAnswer => ({
      content,
      hold: of("slow")?.ms ?? 0,
      truncate: of("truncate")?.bytes,
    });
    const reply = (status: number, body: Iterable<string>): ApiAnswer =>
      answer({ kind: "reply", status, body });
    try {
      this.access.authenticate(request.headers["authorization"]);
      if (url.pathname === "/version") return reply(200, [JSON.stringify({ gitVersion: this.version })]);
      if (url.pathname === REVIEW_PATH) return reply(201, [this.access.review(parse(request.body))]);
      const target = targetOf(request.method, url, this.#served);
      const { verb, resource, subresource, namespace, name } = target;
      const counted = `${verb} ${resource.plural}${subresource === "" ? "" : `/${subresource}`}`;
      this.requests.set(counted, (this.requests.get(counted) ?? 0) + 1);
      struck = this.faults.strike(verb, resource.plural);
      if (of("cut")) return answer({ kind: "cut" });
      if (of("hang")) return answer({ kind: "hang" });
      const refused = of("status");
      if (refused) throw new Failure(refused.status ?? 500, refused.message ?? "simulated failure");
      this.access.authorize(verb, resource, subresource, namespace, name);
      if (verb === "list") return reply(200, this.#lists.page(target));
      if (verb === "get") return reply(200, [found404(this.store, resource, namespace, name).json(true)]);
      if (verb === "watch") {
        const watch = this.#watch(target, now);
        watch.silent = of("silent") !== undefined;
        if (of("garbage")) watch.say("{no JSON\n");
        return answer({ kind: "watch", watch });
      }
      const contentType = request.headers["content-type"] ?? "application/json";
      const body = verb === "delete" ? {} : parse(request.body);
      const item = this.#write(target, body, contentType, now);
      return reply(verb === "create" ? 201 : 200, [item.json(true)]);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return reply(error.code, [error.json()]);
    }
  }

  /** A request of the cluster itself: all rights, no faults, not counted. */
  own(method: string, path: string, body: string, now: number): { status: number; text: string } {
    try {
      const target = targetOf(method, new URL(path, "http://simulator"), this.#served);
      const { resource, namespace, name, verb } = target;
      const item =
        verb === "get"
          ? found404(this.store, resource, namespace, name)
          : this.#write(target, parse(body), "application/merge-patch+json", now);
      return { status: 200, text: item.json(true) };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { status: error.code, text: error.json() };
    }
  }

  /** The watch is over: its client went away, or it was written to its end. */
  forget(watch: Watch): void {
    this.#watches.delete(watch);
  }

  /** History is gone: the next resume and the next page are answered with 410. Open watches go on. */
  compact(): void {
    this.store.compact();
    this.#lists.expire();
  }

  /** Every connection is reset, and older resourceVersions are not known any more. */
  restart(): void {
    this.store.restart();
    this.#lists.expire();
    this.cutWatches();
  }

  /** etcd restored from a backup: resourceVersions go back. */
  restore(backup: Backup): void {
    this.store.restore(backup);
    this.#lists.expire();
    this.#served = [...BUILT_IN, ...customResources(this.store)];
    this.cutWatches();
  }

  /** Resets open watches, of one resource (`pods`) or all. */
  cutWatches(resource?: string): void {
    for (const watch of this.#of(resource)) watch.cut();
  }

  /** Open watches say nothing from now on, and don't end: a dead network. */
  silenceWatches(resource?: string): void {
    for (const watch of this.#of(resource)) watch.silent = true;
  }

  /** Open watches get an ERROR event with 410. */
  expireWatches(resource?: string): void {
    for (const watch of this.#of(resource)) watch.fail(expired(1, this.store.version));
  }

  #of(resource?: string): Watch[] {
    return this.watches.filter((watch) => resource === undefined || watch.resource.plural === resource);
  }

  #watch({ resource, namespace, query }: Target, now: number): Watch {
    const asked = query.get("resourceVersion") ?? "";
    if (!/^\d*$/.test(asked)) throw new Failure(500, `strconv.ParseUint: parsing "${asked}": invalid syntax`);
    const flag = (name: string): boolean => ["1", "true"].includes(query.get(name) ?? "");
    const streams = flag("sendInitialEvents");
    if (streams) this.#checkStreaming(resource, query);
    const from = Number(asked);
    const seconds = Number(query.get("timeoutSeconds") ?? WATCH_SECONDS);
    const whole = streams || from === 0;
    const fits = selectorOf(query);
    const changes = whole ? [] : this.store.since(from);
    const state = whole
      ? this.store.list(resource, namespace).filter((item) => !this.hides(resource, item))
      : [];
    const watch = new Watch({
      resource,
      namespace,
      fits,
      bookmarks: flag("allowWatchBookmarks"),
      initial: fits ? state.filter(fits) : state,
      initialEnd: streams ? this.store.version : undefined,
      from: whole ? this.store.version : from,
      changes: changes ?? [],
      endsAt: now + seconds * 1000,
      bookmarkEvery: this.bookmarkEvery,
      now,
      lastChange: () => this.store.lastOf(resource),
    });
    if (changes === undefined) watch.fail(expired(asked, this.store.oldest));
    else this.#watches.add(watch);
    return watch;
  }

  #checkStreaming(resource: Resource, query: URLSearchParams): void {
    const wrong = (why: string): Failure =>
      new Failure(422, `${resource.kind}.meta.k8s.io "" is invalid: ${why}`);
    if (!this.streamsLists) {
      throw wrong(
        "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
      );
    }
    if (query.get("resourceVersionMatch") !== "NotOlderThan") {
      throw wrong(
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
      );
    }
    if (!["1", "true"].includes(query.get("allowWatchBookmarks") ?? "")) {
      throw wrong("allowWatchBookmarks: Forbidden: sendInitialEvents requires allowWatchBookmarks");
    }
  }

  #write(target: Target, body: Json, contentType: string, now: number): Item {
    const { resource, name, verb } = target;
    const context = { store: this.store, newUid: () => this.newUid(), now };
    if (resource !== CRDS) return write(context, target, body, contentType);
    if (verb === "delete") this.#terminate(found404(this.store, CRDS, "", name), now);
    const item = write(context, target, body, contentType);
    this.#served = [...BUILT_IN, ...customResources(this.store)];
    if (verb !== "create") return item;
    return this.store.put(CRDS, (version) => new Document(established(item, now), version), now).item;
  }

  /** As the real server: marked as being deleted, then its objects go, then their watches end. */
  #terminate(definition: Item, now: number): void {
    const object = JSON.parse(definition.json(true)) as Json;
    const metadata = { ...record(object["metadata"]), deletionTimestamp: rfc3339(now) };
    this.store.put(CRDS, (version) => new Document({ ...object, metadata }, version), now);
    for (const resource of definedBy(definition)) {
      for (const item of this.store.list(resource)) {
        const last = JSON.parse(item.json(true)) as Json;
        this.store.delete(resource, (version) => new Document(last, version), now);
      }
      for (const watch of this.#of(resource.plural)) watch.end();
    }
  }
}

function established(definition: Item, now: number): Json {
  const conditions = ["NamesAccepted", "Established"].map((type) => ({
    type,
    status: "True",
    lastTransitionTime: rfc3339(now),
  }));
  return { ...(JSON.parse(definition.json(true)) as Json), status: { conditions } };
}

function parse(body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch {
    throw new Failure(400, "the body is not JSON");
  }
}
