import type { Clock } from "../runtime/clock.ts";
import { backoff } from "../runtime/backoff.ts";
import { BusError, type Bucket, type Entry, type WatchedEntry } from "./bus.ts";
import type { Connection } from "./connection.ts";
import type { ApiMessage, JetStreamApi } from "./jetstream-api.ts";
import { session } from "./session.ts";
import { bucketStream } from "./stream-wire.ts";

const RETRY = { baseMs: 200, capMs: 5000 };
const EXPECTED = "Nats-Expected-Last-Subject-Sequence";
const DELETED = { "KV-Operation": "DEL" };

/** One KV bucket over its stream. Nothing is asked on opening: a cluster's user may not read the bucket's info. */
export class NatsBucket implements Bucket {
  readonly #name: string;
  readonly #stream: string;
  readonly #connection: Connection;
  readonly #api: JetStreamApi;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #closing: AbortSignal;

  constructor(
    name: string,
    connection: Connection,
    api: JetStreamApi,
    runtime: { readonly clock: Clock; readonly random: () => number },
    closing: AbortSignal,
  ) {
    this.#name = name;
    this.#stream = bucketStream(name);
    this.#connection = connection;
    this.#api = api;
    this.#clock = runtime.clock;
    this.#random = runtime.random;
    this.#closing = closing;
  }

  async get(key: string): Promise<Entry | undefined> {
    const message = await this.#last(key);
    if (message === undefined || message.operation !== undefined) return undefined;
    return { key, value: message.data, revision: message.sequence };
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    return (await this.#api.publish(this.#subject(key), value, {})).sequence;
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    try {
      return await this.update(key, value, 0);
    } catch (error) {
      if (!(error instanceof BusError && error.kind === "wrong-last-sequence")) throw error;
      const last = await this.#last(key);
      if (last?.operation === undefined) throw error;
      return this.update(key, value, last.sequence);
    }
  }

  async update(key: string, value: Uint8Array, revision: number): Promise<number> {
    const header = { [EXPECTED]: String(revision) };
    return (await this.#api.publish(this.#subject(key), value, header)).sequence;
  }

  async delete(key: string): Promise<void> {
    await this.#api.publish(this.#subject(key), new Uint8Array(), DELETED);
  }

  async *watch(filter: string, signal: AbortSignal): AsyncGenerator<WatchedEntry, void, undefined> {
    const either = AbortSignal.any([signal, this.#closing]);
    const options = { stream: this.#stream, filter: this.#subject(filter), verified: false, signal: either };
    for (let attempt = 0; !either.aborted; attempt += 1) {
      try {
        for await (const item of session(this.#connection, this.#api, this.#clock, options)) {
          attempt = 0;
          if (item.kind !== "message") continue;
          const key = item.subject.slice(this.#subject("").length);
          const value = item.operation === undefined ? item.data : undefined;
          yield { key, value, revision: item.sequence };
        }
      } catch (error) {
        if (!(error instanceof BusError) || error.kind === "forbidden") throw error;
      }
      if (either.aborted) return;
      await this.#clock.sleep(backoff(attempt, RETRY, this.#random), either).catch(() => undefined);
    }
  }

  #last(key: string): Promise<ApiMessage | undefined> {
    return this.#api.message(this.#stream, { last_by_subj: this.#subject(key) });
  }

  #subject(key: string): string {
    return `$KV.${this.#name}.${key}`;
  }
}
