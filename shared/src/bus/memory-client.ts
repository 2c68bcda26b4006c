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
} from "./bus.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import type { MemoryBusServer } from "./memory.ts";
import type { MemoryMessage, Put } from "./memory-stream.ts";
import { Queue } from "./queue.ts";
import { bucketWire, refuseDifferences, streamWire } from "./stream-wire.ts";

interface Session {
  readonly stream: string;
  readonly items: Queue<Delivery>;
  failure: BusError | undefined;
  wake: () => void;
}

/** One client of the in-memory server. */
export class MemoryClient implements Bus {
  readonly #server: MemoryBusServer;
  readonly user: string;
  readonly #sessions = new Set<Session>();
  readonly #connections = new Set<(connected: boolean) => void>();
  readonly #notices = new Set<{ readonly subject: string; readonly run: () => void }>();
  readonly #pending = new Set<(error: BusError) => void>();
  readonly #closing = new AbortController();
  #connected: boolean;

  constructor(server: MemoryBusServer, user: string) {
    this.#server = server;
    this.user = user;
    this.#connected = server.online;
  }

  async streamInfo(stream: string): Promise<StreamInfo | undefined> {
    this.#ready();
    return this.#server.info(stream);
  }

  async createStream(config: StreamConfig): Promise<StreamInfo> {
    this.#ready();
    return this.#server.create(streamWire(config));
  }

  async publish(message: Publication): Promise<{ readonly sequence: number }> {
    return { sequence: (await this.put(message, message.stream)).sequence };
  }

  /** Also the buckets' way in. */
  async put(put: Put, stream?: string): Promise<MemoryMessage> {
    this.#ready();
    return this.#unlessCut(this.#server.publish(this.user, put, stream));
  }

  async readMessage(stream: string, sequence: number): Promise<StoredMessage | undefined> {
    this.#ready();
    return plain(this.#server.stream(stream).at(sequence));
  }

  async lastMessage(stream: string, subject: string): Promise<StoredMessage | undefined> {
    return plain(await this.last(stream, subject));
  }

  async last(stream: string, subject: string): Promise<MemoryMessage | undefined> {
    this.#ready();
    return this.#server.stream(stream).last(subject);
  }

  async *consume(stream: string, signal: AbortSignal): AsyncGenerator<Delivery, void, undefined> {
    if (signal.aborted || this.#closing.signal.aborted) return;
    try {
      this.#ready();
    } catch (error) {
      if (error instanceof BusError && error.kind === "unknown")
        throw new BusError("interrupted", error.message);
      throw error;
    }
    const { created, lastSequence, messages } = this.#server.stream(stream).snapshot();
    const items = new Queue<Delivery>();
    items.push({ kind: "attached", created, lastSequence });
    for (const message of messages) items.push(delivery(message));
    items.push({ kind: "caught-up" });
    const open: Session = { stream, items, failure: undefined, wake: () => undefined };
    this.#sessions.add(open);
    const stop = (): void => open.wake();
    const either = AbortSignal.any([signal, this.#closing.signal]);
    either.addEventListener("abort", stop, { once: true });
    try {
      while (!either.aborted) {
        const item = open.items.shift();
        if (item !== undefined) yield item;
        else if (open.failure !== undefined) throw open.failure;
        else await new Promise<void>((resolve) => (open.wake = resolve));
      }
    } finally {
      this.#sessions.delete(open);
      either.removeEventListener("abort", stop);
    }
  }

  async createBucket(config: BucketConfig): Promise<StreamInfo> {
    this.#ready();
    return this.#server.create(bucketWire(config));
  }

  async bucket(config: BucketConfig, options?: { readonly create?: boolean }): Promise<Bucket> {
    if (options?.create) refuseDifferences(config, await this.createBucket(config));
    return new MemoryBucket(config.name, this, this.#server.clock, this.#closing.signal);
  }

  notify(subject: string): void {
    if (this.#connected) this.#server.notify(subject);
  }

  onNotify(subject: string, run: () => void): () => void {
    const notice = { subject, run };
    this.#notices.add(notice);
    return () => this.#notices.delete(notice);
  }

  get connected(): boolean {
    return this.#connected;
  }

  onConnection(run: (connected: boolean) => void): () => void {
    this.#connections.add(run);
    return () => this.#connections.delete(run);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.cut();
    this.#server.forget(this);
  }

  // ---- called by the server ----

  cut(): void {
    for (const open of this.#sessions) interrupt(open, "the connection to NATS was lost");
    for (const reject of this.#pending) reject(new BusError("unknown", "the connection to NATS was lost"));
    this.#set(false);
  }

  restored(): void {
    if (!this.#closing.signal.aborted) this.#set(true);
  }

  stored(stream: string, message: MemoryMessage): void {
    for (const open of this.#sessions) {
      if (open.stream !== stream) continue;
      open.items.push(delivery(message));
      open.wake();
    }
  }

  interrupt(stream: string, reason: string): void {
    for (const open of this.#sessions) if (open.stream === stream) interrupt(open, reason);
  }

  notified(subject: string): void {
    for (const notice of this.#notices) if (notice.subject === subject) notice.run();
  }

  #ready(): void {
    if (this.#closing.signal.aborted) throw new BusError("closed", "the connection to NATS was closed");
    if (!this.#connected) throw new BusError("unknown", "not connected to NATS");
    this.#server.check(this.user);
  }

  /** A request on the wire fails when the connection goes, whatever becomes of it at the server. */
  async #unlessCut<T>(answer: Promise<T>): Promise<T> {
    const { promise: cut, reject } = Promise.withResolvers<never>();
    this.#pending.add(reject);
    try {
      return await Promise.race([answer, cut]);
    } finally {
      this.#pending.delete(reject);
    }
  }

  #set(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const run of this.#connections) run(connected);
  }
}

function interrupt(open: Session, reason: string): void {
  open.items.drain();
  open.failure ??= new BusError("interrupted", `${open.stream}: ${reason}`);
  open.wake();
}

function plain(message: MemoryMessage | undefined): StoredMessage | undefined {
  if (message === undefined) return undefined;
  const { subject, sequence, data, storedAt } = message;
  return { subject, sequence, data, storedAt };
}

const delivery = ({ subject, sequence, data, storedAt }: MemoryMessage): Delivery => ({
  kind: "message",
  subject,
  sequence,
  data,
  storedAt,
});
