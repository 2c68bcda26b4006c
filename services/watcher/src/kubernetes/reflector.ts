import type { Clock } from "@podgate/shared/runtime/clock";
import { backoff } from "@podgate/shared/runtime/backoff";
import type { Random } from "@podgate/shared/runtime/random";
import { lines } from "./lines.ts";
import { isOlder } from "./resource-version.ts";
import {
  KubernetesError,
  kindOf,
  requestJson,
  requireOk,
  type KubernetesErrorKind,
  type KubernetesTransport,
} from "./transport.ts";

/** What a reflector tells, strictly in order. */
export interface Sink<Fact> {
  /** The whole set anew: what is not in it is gone. */
  replace(facts: readonly Fact[]): void;
  put(fact: Fact): void;
  remove(uid: string): void;
}

export interface ReflectorOptions<Fact> {
  readonly transport: KubernetesTransport;
  /** `/api/v1/pods` */
  readonly path: string;
  /** Cuts an object to its fact at the door. */
  readonly extract: (object: unknown) => Fact;
  readonly uidOf: (fact: Fact) => string;
  readonly sink: Sink<Fact>;
  readonly clock: Clock;
  readonly random: Random;
  /** Every failure, counted by kind; none is swallowed. */
  readonly onError: (kind: KubernetesErrorKind, message: string) => void;
  /** `fresh` changed, or a list was read. */
  readonly onChange: () => void;
  readonly watchSeconds?: number;
  readonly silentMs?: number;
  readonly pageSize?: number;
}

/** The server ends each watch after this long (with a bookmark shortly before); the next one resumes. */
const WATCH_SECONDS = 40;
/** No byte for this long: the connection is dead, whatever the socket says. */
const SILENT_MS = 45_000;
const PAGE = 1000;
const RETRY = { baseMs: 200, capMs: 5000 };
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/**
 * Keeps a sink equal to one resource of the API server: a streamed list (a paged one where the server has none),
 * then watches that resume at the last resourceVersion. 410, a parse error and a failure in the middle of a list
 * are answered with a new list, which is a replacement: what vanished unseen is removed.
 */
export class Reflector<Fact> {
  readonly #options: ReflectorOptions<Fact>;
  #fresh = false;
  #version = "";
  #listed = 0;
  #uids = new Set<string>();
  #streams = true;
  #minimum = "";

  constructor(options: ReflectorOptions<Fact>) {
    this.#options = options;
  }

  /** A list was read and the watch after it is, as far as can be known, alive. */
  get fresh(): boolean {
    return this.#fresh;
  }

  get resourceVersion(): string {
    return this.#version;
  }

  /** Objects in the resource now. */
  get listed(): number {
    return this.#uids.size;
  }

  /** Lists read so far: one per start is right. */
  get lists(): number {
    return this.#listed;
  }

  /** Until the signal. @param minimum a list older than this resourceVersion is refused */
  async run(minimum: string, signal: AbortSignal): Promise<void> {
    const { clock, random, onError } = this.#options;
    this.#minimum = minimum;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.#version === "") await this.#list(signal);
        else await this.#watch(signal);
        failures = 0;
        continue;
      } catch (error) {
        if (signal.aborted) return;
        const known = error instanceof KubernetesError ? error : new KubernetesError("parse", String(error));
        onError(known.kind, `${this.#options.path}: ${known.message}`);
        // Whether it is still true what was seen can be found out by resuming, unless the server says no.
        if (known.kind === "gone" || known.kind === "parse" || known.kind === "invalid") this.#version = "";
        this.#setFresh(false);
        failures += 1;
      }
      await clock.sleep(backoff(failures - 1, RETRY, random), signal).catch(() => undefined);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    if (this.#streams) {
      try {
        await this.#streamedList(signal);
        return;
      } catch (error) {
        const refused = error instanceof KubernetesError && error.kind === "invalid";
        if (!refused) throw error;
        this.#streams = false;
      }
    }
    await this.#pagedList(signal);
  }

  /** sendInitialEvents without a resourceVersion is a consistent read; the watch goes on behind it. */
  async #streamedList(signal: AbortSignal): Promise<void> {
    const query = new URLSearchParams({
      watch: "1",
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: "true",
      timeoutSeconds: String(this.#options.watchSeconds ?? WATCH_SECONDS),
    });
    const facts = new Map<string, Fact>();
    let initial = true;
    for await (const event of this.#events(query, signal)) {
      if (!initial) {
        this.#take(event);
        continue;
      }
      if (event.type === "BOOKMARK" && event.endsInitial) {
        initial = false;
        this.#replace([...facts.values()], event.version);
      } else if (event.type !== "BOOKMARK") {
        const fact = this.#options.extract(event.object);
        facts.set(this.#options.uidOf(fact), fact);
      }
    }
    // Ended before the end of the list: nothing was replaced, so nothing was lost.
    if (initial) throw new KubernetesError("unreachable", "the streamed list ended early");
  }

  async #pagedList(signal: AbortSignal): Promise<void> {
    const facts: Fact[] = [];
    let token = "";
    let version = "";
    do {
      const query = new URLSearchParams({ limit: String(this.#options.pageSize ?? PAGE) });
      if (token !== "") query.set("continue", token);
      const request = { method: "GET" as const, path: `${this.#options.path}?${query.toString()}`, signal };
      const page = await this.#alive(signal, (inner) =>
        requestJson(this.#options.transport, { ...request, signal: inner }),
      );
      const { items, metadata } = page as {
        items?: unknown[];
        metadata?: { continue?: string; resourceVersion?: string };
      };
      for (const item of items ?? []) facts.push(this.#options.extract(item));
      token = metadata?.continue ?? "";
      version = metadata?.resourceVersion ?? "";
    } while (token !== "");
    this.#replace(facts, version);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const query = new URLSearchParams({
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: this.#version,
      timeoutSeconds: String(this.#options.watchSeconds ?? WATCH_SECONDS),
    });
    for await (const event of this.#events(query, signal)) this.#take(event);
  }

  #take({ type, object, version }: WatchEvent): void {
    const { extract, uidOf, sink } = this.#options;
    if (type !== "BOOKMARK") {
      const fact = extract(object);
      const uid = uidOf(fact);
      if (type === "DELETED") {
        this.#uids.delete(uid);
        sink.remove(uid);
      } else {
        this.#uids.add(uid);
        sink.put(fact);
      }
    }
    if (version !== "") this.#version = version;
  }

  #replace(facts: readonly Fact[], version: string): void {
    if (isOlder(version, this.#minimum)) {
      throw new KubernetesError(
        "stale",
        `a list of resourceVersion ${version}, older than ${this.#minimum} seen before`,
      );
    }
    this.#minimum = version;
    this.#version = version;
    this.#uids = new Set(facts.map(this.#options.uidOf));
    this.#listed += 1;
    this.#options.sink.replace(facts);
    this.#setFresh(true);
    this.#options.onChange();
  }

  async *#events(query: URLSearchParams, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const { path, transport } = this.#options;
    const watchdog = new Watchdog(this.#options.clock, this.#options.silentMs ?? SILENT_MS, signal);
    try {
      const what = `watch ${path}`;
      const response = await requireOk(
        await transport.open({ method: "GET", path: `${path}?${query.toString()}`, signal: watchdog.signal }),
        what,
      );
      if (this.#version !== "") this.#setFresh(true);
      for await (const line of lines(watchdog.watched(response.body))) yield readEvent(line);
    } catch (error) {
      throw watchdog.barked ? new KubernetesError("silent", `no byte for ${watchdog.limitMs} ms`) : error;
    } finally {
      watchdog.stop();
    }
  }

  async #alive<T>(signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const watchdog = new Watchdog(this.#options.clock, this.#options.silentMs ?? SILENT_MS, signal);
    try {
      return await run(watchdog.signal);
    } finally {
      watchdog.stop();
    }
  }

  #setFresh(fresh: boolean): void {
    if (this.#fresh === fresh) return;
    this.#fresh = fresh;
    this.#options.onChange();
  }
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: unknown;
  readonly version: string;
  readonly endsInitial: boolean;
}

interface Wire {
  readonly type?: unknown;
  readonly object?: {
    readonly code?: number;
    readonly message?: string;
    readonly metadata?: {
      readonly resourceVersion?: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  };
}

function readEvent(line: string): WatchEvent {
  let wire: Wire;
  try {
    wire = JSON.parse(line) as Wire;
  } catch {
    throw new KubernetesError("parse", "a watch event that is not JSON");
  }
  const { type, object } = wire;
  // 410 and others come as an event inside HTTP 200.
  if (type === "ERROR")
    throw new KubernetesError(kindOf(object?.code ?? 500), object?.message ?? "watch error");
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED" && type !== "BOOKMARK") {
    throw new KubernetesError("parse", `a watch event of type ${String(type)}`);
  }
  return {
    type,
    object,
    version: object?.metadata?.resourceVersion ?? "",
    endsInitial: object?.metadata?.annotations?.[INITIAL_EVENTS_END] === "true",
  };
}

/** Aborts a request that has been silent for too long. */
class Watchdog {
  readonly limitMs: number;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  #cancel: () => void;
  barked = false;

  constructor(clock: Clock, limitMs: number, signal: AbortSignal) {
    this.#clock = clock;
    this.limitMs = limitMs;
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    this.#cancel = this.#arm();
  }

  async *watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.#cancel();
      yield chunk;
      this.#cancel = this.#arm();
    }
  }

  stop(): void {
    this.#cancel();
    this.#controller.abort();
  }

  #arm(): () => void {
    return this.#clock.timer(this.limitMs, () => {
      this.barked = true;
      this.#controller.abort();
    });
  }
}
