import {
  type Bucket,
  type BucketConfig,
  type Bus,
  type Delivery,
  type Publication,
  type StoredMessage,
  type StreamConfig,
  type StreamInfo,
} from "./bus.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { JetStreamApi } from "./jetstream-api.ts";
import { NatsBucket } from "./nats-bucket.ts";
import { session } from "./session.ts";
import { EVERY_SUBJECT } from "./subjects.ts";
import { bucketWire, refuseDifferences, streamWire } from "./stream-wire.ts";

/** The real bus. Returns at once and connects in the background, for ever. */
export function natsBus(options: ConnectionOptions): Bus {
  return new NatsBus(options);
}

class NatsBus implements Bus {
  readonly #options: ConnectionOptions;
  readonly #connection: Connection;
  readonly #api: JetStreamApi;
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#connection = new Connection(options);
    this.#api = new JetStreamApi(this.#connection);
  }

  streamInfo(stream: string): Promise<StreamInfo | undefined> {
    return this.#api.streamInfo(stream);
  }

  createStream(config: StreamConfig): Promise<StreamInfo> {
    return this.#api.createStream(streamWire(config), this.#options.clock.now());
  }

  publish(message: Publication): Promise<{ readonly sequence: number }> {
    return this.#api.publish(message.subject, message.data, {
      "Nats-Expected-Stream": message.stream,
      "Nats-Expected-Last-Sequence": String(message.expectLastSequence),
      ...(message.ttlSeconds !== undefined && { "Nats-TTL": `${message.ttlSeconds}s` }),
    });
  }

  async readMessage(stream: string, sequence: number): Promise<StoredMessage | undefined> {
    if (sequence < 1) return undefined;
    return withoutOperation(await this.#api.message(stream, { seq: sequence }));
  }

  async lastMessage(stream: string, subject: string): Promise<StoredMessage | undefined> {
    return withoutOperation(await this.#api.message(stream, { last_by_subj: subject }));
  }

  async *consume(stream: string, signal: AbortSignal): AsyncGenerator<Delivery, void, undefined> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const options = { stream, filter: EVERY_SUBJECT, verified: true, signal: either };
    for await (const item of session(this.#connection, this.#api, this.#options.clock, options)) {
      if (item.kind === "message") {
        const { operation: _, ...message } = item;
        yield message;
      } else {
        yield item;
      }
    }
  }

  createBucket(config: BucketConfig): Promise<StreamInfo> {
    return this.#api.createStream(bucketWire(config), this.#options.clock.now());
  }

  async bucket(config: BucketConfig, options?: { readonly create?: boolean }): Promise<Bucket> {
    if (options?.create) refuseDifferences(config, await this.createBucket(config));
    return new NatsBucket(config.name, this.#connection, this.#api, this.#options, this.#closing.signal);
  }

  notify(subject: string): void {
    if (this.#connection.connected) this.#connection.current().publish(subject);
  }

  onNotify(subject: string, run: () => void): () => void {
    return this.#connection.subscribe(subject, run);
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  onConnection(run: (connected: boolean) => void): () => void {
    return this.#connection.onConnection(run);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection.close();
  }
}

function withoutOperation(
  message: (StoredMessage & { operation?: unknown }) | undefined,
): StoredMessage | undefined {
  if (message === undefined) return undefined;
  const { operation: _, ...rest } = message;
  return rest;
}
