import type { Clock } from "../runtime/clock.ts";
import { BusError, type Bucket, type Entry, type WatchedEntry } from "./bus.ts";
import type { MemoryClient } from "./memory-client.ts";
import { type MemoryMessage } from "./memory-stream.ts";
import { bucketStream } from "./stream-wire.ts";
import { covers } from "./subjects.ts";

const RETRY_MS = 200;

/** A KV bucket of the in-memory server. */
export class MemoryBucket implements Bucket {
  readonly #name: string;
  readonly #client: MemoryClient;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;

  constructor(name: string, client: MemoryClient, clock: Clock, closing: AbortSignal) {
    this.#name = name;
    this.#client = client;
    this.#clock = clock;
    this.#closing = closing;
  }

  async get(key: string): Promise<Entry | undefined> {
    const message = await this.#last(key);
    if (message === undefined || message.deleted) return undefined;
    return { key, value: message.data, revision: message.sequence };
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    return (await this.#client.put({ subject: this.#subject(key), data: value })).sequence;
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    const last = await this.#last(key);
    return this.update(key, value, last?.deleted === true ? last.sequence : 0);
  }

  async update(key: string, value: Uint8Array, revision: number): Promise<number> {
    const put = { subject: this.#subject(key), data: value, expectSubjectSequence: revision };
    return (await this.#client.put(put)).sequence;
  }

  async delete(key: string): Promise<void> {
    await this.#client.put({ subject: this.#subject(key), data: new Uint8Array(), deleted: true });
  }

  async *watch(filter: string, signal: AbortSignal): AsyncGenerator<WatchedEntry, void, undefined> {
    const either = AbortSignal.any([signal, this.#closing]);
    const stream = bucketStream(this.#name);
    while (!either.aborted) {
      try {
        for await (const item of this.#client.consume(stream, either)) {
          if (item.kind !== "message" || !covers(this.#subject(filter), item.subject)) continue;
          // An empty value can only be a deletion: Podgate stores none.
          const value = item.data.length === 0 ? undefined : item.data;
          yield { key: item.subject.slice(this.#subject("").length), value, revision: item.sequence };
        }
      } catch (error) {
        if (!(error instanceof BusError) || error.kind === "forbidden") throw error;
      }
      if (!either.aborted) await this.#clock.sleep(RETRY_MS, either).catch(() => undefined);
    }
  }

  #last(key: string): Promise<MemoryMessage | undefined> {
    return this.#client.last(bucketStream(this.#name), this.#subject(key));
  }

  #subject(key: string): string {
    return `$KV.${this.#name}.${key}`;
  }
}
