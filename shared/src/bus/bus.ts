/**
 * JetStream as far as Podgate uses it: the lowest port of both services towards the bus. Two implementations
 * pass one contract suite: `nats.ts` (a real server) and `memory.ts` (its twin in this process).
 * Publisher, reader and status are built on this port and nothing else.
 */
export interface Bus {
  streamInfo(stream: string): Promise<StreamInfo | undefined>;
  /**
   * Creates it; an existing one is left alone and returned as it is. A new stream begins at the microseconds
   * since 1970, so that a stream made anew never comes to a sequence of its predecessor.
   * @throws BusError
   */
  createStream(config: StreamConfig): Promise<StreamInfo>;

  /**
   * Stores a message if, and only if, the last sequence of the whole stream is `expectLastSequence`.
   * @throws BusError `wrong-last-sequence` (not stored), `unknown` (may have been stored), or another refusal
   */
  publish(message: Publication): Promise<{ readonly sequence: number }>;

  /** The message at a sequence; undefined if it was replaced, expired, or never was. */
  readMessage(stream: string, sequence: number): Promise<StoredMessage | undefined>;
  /** @param subject may end in `.>`: the newest of all these */
  lastMessage(stream: string, subject: string): Promise<StoredMessage | undefined>;

  /**
   * One unbroken session of a new ordered consumer: the last message of each subject, then everything that
   * comes. First item is always `attached`; `caught-up` follows when all that was there has been given (at once
   * for an empty stream). It never resumes over a gap: reset, missed heartbeat, lost connection, remade or
   * restored stream end it with BusError `interrupted`; the caller starts a new one. Ends without an error only
   * when `signal` is aborted or the bus is closed.
   * @throws BusError `interrupted`, `no-stream`, `forbidden`
   */
  consume(stream: string, signal: AbortSignal): AsyncIterable<Delivery>;

  /** Creates it; an existing one is left alone and returned as it is. @throws BusError */
  createBucket(config: BucketConfig): Promise<StreamInfo>;
  /**
   * Opens a KV bucket without asking for it; `create` makes it first when it is not there.
   * @throws BusError `other` if it exists and is configured otherwise
   */
  bucket(config: BucketConfig, options?: { readonly create?: boolean }): Promise<Bucket>;

  /** Core NATS, at most once: a hint that is never needed for correctness. */
  notify(subject: string): void;
  onNotify(subject: string, run: () => void): () => void;

  readonly connected: boolean;
  /** Called at each change of `connected`. Returns its own end. */
  onConnection(run: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}

export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly replicas: 1 | 3 | 5;
  readonly maxBytes: number;
  readonly maxMessages: number;
  readonly maxMessageBytes: number;
}

export interface StreamInfo {
  /** RFC 3339, as the server gives it: part of every epoch. */
  readonly created: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  /**
   * What the server holds against what Podgate wants, one sentence per differing field; empty = right.
   * `streamInfo` knows the rules common to all streams; `createStream` compares every field.
   */
  readonly differences: readonly string[];
  /** Those of them with which nobody can publish into it. */
  readonly unfit: readonly string[];
}

export interface Publication {
  readonly stream: string;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly expectLastSequence: number;
  /** Whole seconds, at least 1: the message expires without leaving a marker. */
  readonly ttlSeconds?: number;
}

export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Uint8Array;
  /** Milliseconds since 1970 at which the server stored it. */
  readonly storedAt: number;
}

export type Delivery =
  | { readonly kind: "attached"; readonly created: string; readonly lastSequence: number }
  | ({ readonly kind: "message" } & StoredMessage)
  | { readonly kind: "caught-up" };

export interface BucketConfig {
  readonly name: string;
  readonly replicas: 1 | 3 | 5;
  readonly maxBytes: number;
}

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

export interface Bucket {
  get(key: string): Promise<Entry | undefined>;
  put(key: string, value: Uint8Array): Promise<number>;
  /** Only if the key holds nothing. @throws BusError `wrong-last-sequence` */
  create(key: string, value: Uint8Array): Promise<number>;
  /** Only if the key's revision is still this one. @throws BusError `wrong-last-sequence` */
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  delete(key: string): Promise<void>;
  /**
   * Current entries under the key filter (`a.*`, `a`), then every change (undefined value = deleted), each with the
   * revision it was stored at.
   * Survives reconnects by itself, then gives the current entries again; ends only with the signal.
   * @throws BusError `forbidden`
   */
  watch(filter: string, signal: AbortSignal): AsyncIterable<WatchedEntry>;
}

export interface WatchedEntry {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly revision: number;
}

export type BusErrorKind =
  /** The compare-and-set failed: surely not stored. */
  | "wrong-last-sequence"
  /** No answer, or the connection went: stored or not, nobody knows. */
  | "unknown"
  | "no-stream"
  /** The stream is configured so that nobody can publish into it. */
  | "unfit-stream"
  /** max_bytes, max_msgs or the account's storage is reached. */
  | "full"
  | "too-large"
  | "forbidden"
  | "interrupted"
  | "closed"
  | "other";

/** Every failure of the bus, made anew at the adapter: it carries no credentials and no library object. */
export class BusError extends Error {
  override name = "BusError";
  readonly kind: BusErrorKind;
  constructor(kind: BusErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
