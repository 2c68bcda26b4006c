import {
  BusError,
  type Bucket,
  type BucketConfig,
  type Bus,
  type Delivery,
  type Publication,
  type StoredMessage,
  type StreamConfig,
  type StreamInfo,
  type WatchedEntry,
} from "@podgate/shared/bus/bus";
import type { MemoryBusServer } from "@podgate/shared/bus/memory";
import type { Process } from "../process.ts";
import type { Tamper } from "../tamper.ts";
import type { Timeline } from "../timeline.ts";
import { Inbox } from "./inbox.ts";
import { Link } from "./link.ts";

export interface BusPortOptions {
  readonly process: Process;
  readonly timeline: Timeline;
  readonly server: MemoryBusServer;
  readonly user: string;
  readonly tamper: Tamper;
  /** Milliseconds from one end of the connection to the other. */
  readonly delay: () => number;
  /** Milliseconds until a lost connection is made anew. */
  readonly reconnectMs: () => number;
}

/** As the real adapter: without an answer by then, a request fails with `unknown`. */
const REQUEST_MS = 5000;

/** A process' connection to the in-memory server: with time on the way, and lost with all that is on it. */
export class BusPort implements Bus {
  readonly #options: BusPortOptions;
  readonly #inner: Bus;
  readonly #out: Link;
  readonly #in: Link;
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #lost = new Set<(error: BusError) => void>();
  readonly #closing = new AbortController();
  /** Rises with each connection. */
  #generation = 0;
  #connected = false;

  constructor(options: BusPortOptions) {
    this.#options = options;
    const { process, timeline, server, user, delay } = options;
    this.#inner = server.connect(user);
    this.#out = new Link(timeline, delay);
    this.#in = new Link(timeline, delay);
    this.#inner.onConnection((connected) => {
      if (connected) this.#connectSoon();
      else this.#lose();
    });
    if (this.#inner.connected) this.#connectSoon();
    // The kernel still sends what was written.
    process.onDeath(() => this.#out.send(() => void this.#inner.close()));
  }

  get connected(): boolean {
    return this.#connected;
  }

  onConnection(run: (connected: boolean) => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  streamInfo(stream: string): Promise<StreamInfo | undefined> {
    return this.#request("streamInfo", () => this.#inner.streamInfo(stream));
  }

  createStream(config: StreamConfig): Promise<StreamInfo> {
    return this.#request("createStream", () => this.#inner.createStream(config));
  }

  publish(message: Publication): Promise<{ readonly sequence: number }> {
    return this.#request("publish", () => this.#inner.publish(message));
  }

  readMessage(stream: string, sequence: number): Promise<StoredMessage | undefined> {
    return this.#request("readMessage", () => this.#inner.readMessage(stream, sequence));
  }

  lastMessage(stream: string, subject: string): Promise<StoredMessage | undefined> {
    return this.#request("lastMessage", () => this.#inner.lastMessage(stream, subject));
  }

  createBucket(config: BucketConfig): Promise<StreamInfo> {
    return this.#request("createBucket", () => this.#inner.createBucket(config));
  }

  consume(stream: string, signal: AbortSignal): AsyncIterable<Delivery> {
    return this.#sequence(
      "consume",
      (either) => this.#inner.consume(stream, either),
      signal,
      (error) => (error.kind === "unknown" ? new BusError("interrupted", error.message) : error),
    );
  }

  async bucket(config: BucketConfig, options?: { readonly create?: boolean }): Promise<Bucket> {
    const inner = options?.create
      ? await this.#request("bucket", () => this.#inner.bucket(config, options))
      : await this.#inner.bucket(config);
    return {
      get: (key) => this.#request("get", () => inner.get(key)),
      put: (key, value) => this.#request("put", () => inner.put(key, value)),
      create: (key, value) => this.#request("create", () => inner.create(key, value)),
      update: (key, value, revision) => this.#request("update", () => inner.update(key, value, revision)),
      delete: (key) => this.#request("delete", () => inner.delete(key)),
      watch: (filter, signal) => this.#watch(inner, filter, signal),
    };
  }

  notify(subject: string): void {
    if (this.#options.process.state === "dead" || !this.#connected) return;
    this.#out.send(() => this.#inner.notify(subject));
  }

  onNotify(subject: string, run: () => void): () => void {
    return this.#inner.onNotify(subject, () => this.#in.send(() => this.#options.process.deliver(run)));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#lose(new BusError("closed", "the connection to NATS was closed"));
    await this.#inner.close();
  }

  #request<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.#options.process.call<T>(`bus.${name}`, ({ resolve, reject }) => {
      if (this.#closing.signal.aborted)
        return reject(new BusError("closed", "the connection to NATS was closed"));
      if (!this.#connected) return reject(new BusError("unknown", "not connected to NATS"));
      const generation = this.#generation;
      let isOver = false;
      const over = (then: () => void): void => {
        if (isOver) return;
        isOver = true;
        this.#lost.delete(lost);
        cancel();
        then();
      };
      const lost = (error: BusError): void => over(() => reject(error));
      this.#lost.add(lost);
      const cancel = this.#options.timeline.after(REQUEST_MS, () =>
        over(() => reject(new BusError("unknown", `${name}: no answer in time`))),
      );
      this.#out.send(() => {
        // It was on a connection that is gone.
        if (generation !== this.#generation) return;
        const back = (then: () => void): void => {
          if (!this.#options.tamper.losesBusReply(name)) this.#in.send(() => over(then));
        };
        run().then(
          (value) => back(() => resolve(value)),
          (error: unknown) => back(() => reject(error as Error)),
        );
      });
    });
  }

  async *#watch(
    bucket: Bucket,
    filter: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchedEntry, void, undefined> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    while (!either.aborted) {
      try {
        yield* this.#sequence("watch", (until) => bucket.watch(filter, until), either);
      } catch (error) {
        if (!(error instanceof BusError) || error.kind === "forbidden") throw error;
      }
      await this.#options.process.clock.sleep(200, either).catch(() => undefined);
    }
  }

  /** What the server sends for one request, until the connection is lost. */
  async *#sequence<T>(
    name: string,
    open: (signal: AbortSignal) => AsyncIterable<T>,
    signal: AbortSignal,
    remade: (error: BusError) => BusError = (error) => error,
  ): AsyncGenerator<T, void, undefined> {
    const { process } = this.#options;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    if (either.aborted) return;
    const done = new AbortController();
    const inbox = new Inbox<T>();
    const lost = (error: BusError): void => process.deliver(() => inbox.break(remade(error)));
    try {
      await process.call<void>(`bus.${name}`, ({ resolve, reject }) => {
        if (!this.#connected) return reject(remade(new BusError("unknown", "not connected to NATS")));
        this.#lost.add(lost);
        const generation = this.#generation;
        this.#out.send(() => {
          if (generation === this.#generation && !done.signal.aborted)
            void this.#pump(open(done.signal), inbox, remade);
        });
        resolve();
      });
      yield* inbox.read(either);
    } finally {
      this.#lost.delete(lost);
      done.abort();
    }
  }

  async #pump<T>(
    items: AsyncIterable<T>,
    inbox: Inbox<T>,
    remade: (error: BusError) => BusError,
  ): Promise<void> {
    const { process } = this.#options;
    const generation = this.#generation;
    const arrive = (run: () => void): void =>
      this.#in.send(() => {
        if (generation === this.#generation) process.deliver(run);
      });
    try {
      for await (const item of items) arrive(() => inbox.push(item));
      arrive(() => inbox.end());
    } catch (error) {
      const failure = error instanceof BusError ? remade(error) : new BusError("other", String(error));
      arrive(() => inbox.end(failure));
    }
  }

  #connectSoon(): void {
    const { timeline, reconnectMs } = this.#options;
    const generation = this.#generation;
    timeline.after(reconnectMs(), () => {
      if (generation === this.#generation && this.#inner.connected) this.#set(true);
    });
  }

  #lose(error = new BusError("unknown", "the connection to NATS was lost")): void {
    this.#generation += 1;
    const pending = [...this.#lost];
    this.#lost.clear();
    for (const lost of pending) lost(error);
    this.#set(false);
  }

  #set(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    this.#options.process.deliver(() => {
      for (const run of this.#listeners) run(connected);
    });
  }
}
