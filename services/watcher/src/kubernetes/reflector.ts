import type { Clock } from "@podgate/shared/runtime/clock";
import { backoff } from "@podgate/shared/runtime/backoff";
import type { Random } from "@podgate/shared/runtime/random";
import { Freshness } from "./freshness.ts";
import { ResourceReader } from "./resource-reader.ts";
import { isOlder, newest } from "./resource-version.ts";
import { KubernetesError, type KubernetesErrorKind, type KubernetesTransport } from "./transport.ts";
import { Watchdog } from "./watchdog.ts";
import type { WatchEvent } from "./watch-event.ts";

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
  /** Asked before a list or a DELETED is believed; what it throws is a failure like any other. */
  readonly confirm?: (signal: AbortSignal) => Promise<void>;
  readonly watchSeconds?: number;
  readonly silentMs?: number;
  readonly pageSize?: number;
}

/** The server ends each watch after this long (most with a bookmark shortly before); the next one resumes. */
const WATCH_SECONDS = 40;
/** A streamed list ends when it is complete; a watchdog ends it when it stops. */
const LIST_SECONDS = 600;
/** No byte for this long: the connection is dead, whatever the socket says. */
const SILENT_MS = 45_000;
const PAGE = 1000;
const RETRY = { baseMs: 200, capMs: 5000 };
/** What lasted this long worked: the next failure is the first one. */
const HEALTHY_MS = 10_000;
/** A watch that ended sooner was none: without a pause there would be no end of them. */
const SHORTEST_MS = 1000;

/** After these the set is read anew; after others the watch resumes where it was. */
const STARTS_ANEW: ReadonlySet<KubernetesErrorKind> = new Set(["gone", "parse", "invalid", "not-found"]);
/** A connection that broke may be back at once. */
const MAY_PASS: ReadonlySet<KubernetesErrorKind> = new Set(["unreachable", "server"]);

/**
 * Keeps a sink equal to one resource of the API server: a streamed list (a paged one where the server has none),
 * then watches that resume at the last resourceVersion. 410, a parse error and a failure in the middle of a list
 * are answered with a new list, which is a replacement: what vanished unseen is removed.
 */
export class Reflector<Fact> {
  readonly #options: ReflectorOptions<Fact>;
  readonly #reader: ResourceReader;
  readonly #freshness: Freshness;
  /** Where the next watch begins; empty = a list is needed. */
  #version = "";
  /** No list may be older. */
  #minimum = "";
  #lists = 0;
  #watches = 0;
  #uids = new Set<string>();
  #streams = true;
  /** The last watch did not end as it should: the server may be another one, or have gone back. */
  #suspect = false;

  constructor(options: ReflectorOptions<Fact>) {
    const { transport, path, clock, silentMs = SILENT_MS } = options;
    this.#options = options;
    this.#reader = new ResourceReader(transport, path, clock, silentMs);
    this.#freshness = new Freshness(clock, () => options.onChange());
  }

  /** A list was read and the watch after it is, as far as can be known, alive. */
  get fresh(): boolean {
    return this.#freshness.fresh;
  }

  /** The newest that was seen. */
  get resourceVersion(): string {
    return newest([this.#minimum, this.#version]);
  }

  /** Objects in the resource now. */
  get listed(): number {
    return this.#uids.size;
  }

  /** Lists read so far: one per start is right. */
  get lists(): number {
    return this.#lists;
  }

  /** Watches opened so far: one every 40 s is right. */
  get watches(): number {
    return this.#watches;
  }

  /**
   * Until the signal, whatever fails.
   *
   * @param minimum a list older than this resourceVersion is refused. One of another resource serves too, as all
   *   that live in one etcd count by its revision; only `--etcd-servers-overrides` for a resource watched here
   *   would break that.
   */
  async run(minimum: string, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    this.#minimum = minimum;
    let failures = 0;
    while (!signal.aborted) {
      const began = clock.monotonic();
      let failed = false;
      try {
        if (this.#version === "") await this.#list(signal);
        else await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) break;
        failed = true;
        this.#fail(error);
      }
      if (clock.monotonic() - began >= HEALTHY_MS) failures = 0;
      if (!failed) continue;
      await clock.sleep(backoff(failures, RETRY, random), signal).catch(() => undefined);
      failures += 1;
    }
    this.#freshness.stop();
  }

  async #list(signal: AbortSignal): Promise<void> {
    if (this.#streams) {
      try {
        await this.#streamedList(signal);
        return;
      } catch (error) {
        // What a server without streamed lists says to the question.
        const refused = error instanceof KubernetesError && error.kind === "invalid";
        if (!refused) throw error;
        this.#streams = false;
      }
    }
    await this.#pagedList(signal);
  }

  /** sendInitialEvents without a resourceVersion is a consistent read. */
  async #streamedList(signal: AbortSignal): Promise<void> {
    const { extract } = this.#options;
    const query = {
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      timeoutSeconds: String(LIST_SECONDS),
    };
    const facts = new Map<string, Fact>();
    const events = this.#reader.watch(query, () => undefined, signal);
    for await (const { type, object, version, endsInitial } of events) {
      if (endsInitial) {
        await this.#replace([...facts.values()], version, signal);
        return;
      }
      if (type === "BOOKMARK") continue;
      const fact = extract(object);
      if (type === "DELETED") facts.delete(this.#uid(fact));
      else facts.set(this.#uid(fact), fact);
    }
    throw new KubernetesError("unreachable", "the streamed list ended early");
  }

  async #pagedList(signal: AbortSignal): Promise<void> {
    const facts: Fact[] = [];
    let next: string | undefined = "";
    let version = "";
    while (next !== undefined) {
      const page = await this.#reader.page(this.#options.pageSize ?? PAGE, next, signal);
      for (const item of page.items) {
        const fact = this.#options.extract(item);
        this.#uid(fact);
        facts.push(fact);
      }
      ({ next, version } = page);
    }
    await this.#replace(facts, version, signal);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, watchSeconds = WATCH_SECONDS } = this.#options;
    if (this.#suspect) await this.#requireReached(signal);
    this.#suspect = true;
    const query = { resourceVersion: this.#version, timeoutSeconds: String(watchSeconds) };
    const opened = (): void => {
      this.#watches += 1;
      this.#freshness.sees();
    };
    const began = clock.monotonic();
    let heard = false;
    for await (const event of this.#reader.watch(query, opened, signal)) {
      heard = true;
      await this.#take(event, signal);
    }
    this.#freshness.pauses();
    const lasted = clock.monotonic() - began;
    if (lasted < SHORTEST_MS) throw new KubernetesError("unreachable", "the watch ended at once");
    this.#suspect = !heard || lasted < watchSeconds * 1000 - SHORTEST_MS;
  }

  /** A watch from a version that the server has not reached, because its data went back, is silent for ever. */
  async #requireReached(signal: AbortSignal): Promise<void> {
    const { version } = await this.#reader.page(1, "", signal);
    if (isOlder(version, this.#version))
      throw new KubernetesError(
        "gone",
        `the server is at resourceVersion ${version}, before ${this.#version}`,
      );
  }

  async #take({ type, object, version }: WatchEvent, signal: AbortSignal): Promise<void> {
    const { extract, sink } = this.#options;
    if (type !== "BOOKMARK") {
      const fact = extract(object);
      const uid = this.#uid(fact);
      if (type === "DELETED") {
        await this.#confirm(signal);
        this.#uids.delete(uid);
        sink.remove(uid);
      } else {
        this.#uids.add(uid);
        sink.put(fact);
      }
    }
    this.#version = version;
  }

  async #replace(facts: readonly Fact[], version: string, signal: AbortSignal): Promise<void> {
    if (isOlder(version, this.#minimum)) {
      throw new KubernetesError(
        "stale",
        `a list of resourceVersion ${version}, older than ${this.#minimum} seen before: ` +
          "held until the server has caught up (it never does when its data was restored from a backup)",
      );
    }
    await this.#confirm(signal);
    this.#version = version;
    this.#suspect = false;
    this.#uids = new Set(facts.map(this.#options.uidOf));
    this.#lists += 1;
    this.#options.sink.replace(facts);
    this.#freshness.sees();
    // The watch behind it is still to come.
    this.#freshness.pauses();
    this.#options.onChange();
  }

  /** What is not believed was not seen: the set is read anew. */
  async #confirm(signal: AbortSignal): Promise<void> {
    const { confirm, clock, silentMs = SILENT_MS } = this.#options;
    if (confirm === undefined) return;
    const watchdog = new Watchdog(clock, silentMs, signal);
    try {
      await confirm(watchdog.signal);
    } catch (error) {
      this.#startAnew();
      throw watchdog.verdict(error);
    } finally {
      watchdog.stop();
    }
  }

  #uid(fact: Fact): string {
    const uid = this.#options.uidOf(fact);
    if (uid === "") throw new KubernetesError("parse", "an object without a uid");
    return uid;
  }

  #fail(error: unknown): void {
    const known = error instanceof KubernetesError ? error : new KubernetesError("parse", String(error));
    this.#options.onError(known.kind, `${this.#options.path}: ${known.message}`);
    if (STARTS_ANEW.has(known.kind)) this.#startAnew();
    else if (MAY_PASS.has(known.kind)) this.#freshness.pauses();
    else this.#freshness.isBlind();
  }

  #startAnew(): void {
    this.#minimum = newest([this.#minimum, this.#version]);
    this.#version = "";
    this.#freshness.isBlind();
  }
}
