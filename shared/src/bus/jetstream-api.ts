import type { Connection } from "./connection.ts";
import { BusError, type StoredMessage, type StreamInfo } from "./bus.ts";
import { apiError, type ApiError } from "./nats-errors.ts";
import { differences, firstSequenceAt, unfitness, type WireConfig } from "./stream-wire.ts";

const STREAM_NOT_FOUND = 10059;
const MESSAGE_NOT_FOUND = 10037;
const STREAM_NAME_IN_USE = 10058;

interface StreamAnswer {
  readonly config: WireConfig;
  readonly created: string;
  readonly state: { readonly messages: number; readonly first_seq: number; readonly last_seq: number };
}

interface MessageAnswer {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly data?: string;
    readonly hdrs?: string;
    readonly time: string;
  };
}

export interface ApiStreamInfo extends StreamInfo {
  readonly subjects: readonly string[];
}

export interface ApiMessage extends StoredMessage {
  /** `KV-Operation` of a deleted key, or undefined. */
  readonly operation: string | undefined;
}

/** JetStream's request and reply subjects (NATS ADR-1 and the JetStream wire API) over one connection. */
export class JetStreamApi {
  readonly #connection: Connection;
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async streamInfo(stream: string, wanted?: WireConfig): Promise<ApiStreamInfo | undefined> {
    const answer = await this.#ask<StreamAnswer>(`STREAM.INFO.${stream}`, undefined, [STREAM_NOT_FOUND]);
    return answer && toInfo(answer, wanted);
  }

  async createStream(config: WireConfig, nowMs: number): Promise<StreamInfo> {
    const name = String(config["name"]);
    const held = await this.streamInfo(name, config);
    if (held !== undefined) return held;
    const answer = await this.#ask<StreamAnswer>(
      `STREAM.CREATE.${name}`,
      { ...config, first_seq: firstSequenceAt(nowMs) },
      [STREAM_NAME_IN_USE],
    );
    const info = answer ? toInfo(answer, config) : await this.streamInfo(name, config);
    if (info === undefined) throw new BusError("no-stream", `stream ${name} vanished while it was made`);
    return info;
  }

  /**
   * Reads from the stream's leader only. Direct Get would be answered by any replica, also by one that lags, and
   * a publisher decides on this answer whether it was replaced.
   */
  async message(
    stream: string,
    by: { seq: number } | { last_by_subj: string },
  ): Promise<ApiMessage | undefined> {
    const answer = await this.#ask<MessageAnswer>(`STREAM.MSG.GET.${stream}`, by, [MESSAGE_NOT_FOUND]);
    if (answer === undefined) return undefined;
    const { subject, seq, data, hdrs, time } = answer.message;
    return {
      subject,
      sequence: seq,
      data: Uint8Array.from(Buffer.from(data ?? "", "base64")),
      storedAt: Date.parse(time),
      operation: hdrs === undefined ? undefined : operationIn(Buffer.from(hdrs, "base64").toString("latin1")),
    };
  }

  /** Publishes into a stream. @throws BusError */
  async publish(
    subject: string,
    data: Uint8Array,
    header: Readonly<Record<string, string>>,
  ): Promise<{ sequence: number }> {
    const reply = await this.#connection.request(subject, data, header);
    const answer = reply.json<{ error?: ApiError; seq?: number }>();
    if (answer.error) throw apiError(answer.error, `publish to ${subject}`);
    if (typeof answer.seq !== "number") throw new BusError("unknown", `publish to ${subject}: odd answer`);
    return { sequence: answer.seq };
  }

  async createConsumer(stream: string, name: string, filter: string): Promise<{ readonly pending: number }> {
    const config = {
      name,
      deliver_policy: "last_per_subject",
      ack_policy: "none",
      replay_policy: "instant",
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 60e9,
      filter_subject: filter,
    };
    const answer = await this.#ask<{ num_pending: number }>(`CONSUMER.CREATE.${stream}.${name}.${filter}`, {
      stream_name: stream,
      config,
      action: "create",
    });
    return { pending: answer?.num_pending ?? 0 };
  }

  async consumerPending(stream: string, name: string): Promise<number> {
    const answer = await this.#ask<{ num_pending: number }>(`CONSUMER.INFO.${stream}.${name}`);
    return answer?.num_pending ?? 0;
  }

  /** @throws BusError; undefined for the error codes in `absent` */
  async #ask<T>(call: string, body?: unknown, absent: readonly number[] = []): Promise<T | undefined> {
    const data = new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body));
    const reply = await this.#connection.request(`$JS.API.${call}`, data);
    const answer = reply.json<{ error?: ApiError } & T>();
    if (answer.error === undefined) return answer;
    if (absent.includes(answer.error.err_code ?? 0)) return undefined;
    throw apiError(answer.error, call);
  }
}

function toInfo(answer: StreamAnswer, wanted?: WireConfig): ApiStreamInfo {
  return {
    subjects: Array.isArray(answer.config["subjects"]) ? answer.config["subjects"].map(String) : [],
    created: answer.created,
    firstSequence: answer.state.first_seq,
    lastSequence: answer.state.last_seq,
    messages: answer.state.messages,
    differences: differences(answer.config, wanted),
    unfit: unfitness(answer.config),
  };
}

const operationIn = (headers: string): string | undefined => /^KV-Operation: *(\w+)/m.exec(headers)?.[1];
