import { nuid, type Msg, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import { BusError, type Delivery, type StoredMessage } from "./bus.ts";
import type { Connection } from "./connection.ts";
import type { JetStreamApi } from "./jetstream-api.ts";
import { busError } from "./nats-errors.ts";
import { Queue } from "./queue.ts";
import { covers } from "./subjects.ts";

/** Messages asked for and not yet taken by the caller; beyond 2,000 parallel readers starve each other. */
const MOST_PENDING = 2000;
const PULL = 500;
const HEARTBEAT_MS = 1000;
const EXPIRES_MS = 30_000;
/** Ticks of half a second without a byte from the server before the session counts as dead. */
const SILENT_TICKS = 7;

export interface SessionMessage extends StoredMessage {
  readonly operation: string | undefined;
}
export type SessionItem = Exclude<Delivery, { kind: "message" }> | ({ kind: "message" } & SessionMessage);

export interface SessionOptions {
  readonly stream: string;
  /** One subject filter: a list would need rights on the unfiltered create subject. */
  readonly filter: string;
  /** False for a user that may not read the stream's info: `attached` then says nothing. */
  readonly verified: boolean;
  readonly signal: AbortSignal;
}

/**
 * One ephemeral pull consumer, last message per subject, without acknowledgements and without any second life:
 * whatever could hide a gap (a delivery out of sequence, a status other than "pull again", silence, another
 * connection, another `created`) ends it with `interrupted`.
 */
export async function* session(
  connection: Connection,
  api: JetStreamApi,
  clock: Clock,
  options: SessionOptions,
): AsyncGenerator<SessionItem, void, undefined> {
  if (options.signal.aborted) return;
  let pull: Pull | undefined;
  try {
    pull = new Pull(connection, clock, options);
    yield* pull.run(api);
  } catch (error) {
    const made = busError(error, options.stream);
    throw made.kind === "unknown" ? new BusError("interrupted", made.message) : made;
  } finally {
    pull?.stop();
  }
}

interface Start {
  /** What belongs into the stream. */
  readonly subjects: readonly string[];
  readonly created: string;
  readonly lastSequence: number;
  /** Messages the consumer still has to give, as the server counts. */
  readonly pending: number;
}

class Pull {
  readonly #connection: Connection;
  readonly #nats: NatsConnection;
  readonly #inbox: string;
  readonly #options: SessionOptions;
  readonly #name = `podgate_${nuid.next()}`;
  readonly #queue = new Queue<SessionMessage & { readonly pending: number }>();
  readonly #stops: (() => void)[] = [];
  readonly #clock: Clock;
  #wake: () => void = () => undefined;
  #cancelTick: () => void = () => undefined;
  #failure: BusError | undefined;
  #stopped = false;
  #asked = 0;
  #delivered = 0;
  #lastSequence = 0;
  #silent = 0;
  #idle = false;
  /** Sequence of the last message that the caller took. */
  #given = 0;

  constructor(connection: Connection, clock: Clock, options: SessionOptions) {
    this.#connection = connection;
    this.#nats = connection.current();
    this.#inbox = connection.inbox();
    this.#clock = clock;
    this.#options = options;
  }

  async *run(api: JetStreamApi): AsyncGenerator<SessionItem, void, undefined> {
    this.#listen();
    const start = await this.#attach(api);
    let { pending } = start;
    let caughtUp = false;
    if (!this.#stopped) yield { kind: "attached", created: start.created, lastSequence: start.lastSequence };
    while (!this.#stopped) {
      if (this.#failure !== undefined) throw this.#failure;
      // Deliveries come in the order of sequences: at `lastSequence` or beyond, the start has been given whole.
      const next = this.#queue.first;
      if (!caughtUp && (await this.#isWhole(api, start, next?.sequence, pending))) {
        caughtUp = true;
        yield { kind: "caught-up" };
        continue;
      }
      this.#pull();
      if (next !== undefined) {
        this.#queue.shift();
        this.#given = next.sequence;
        ({ pending } = next);
        const { subject, sequence, data, storedAt, operation } = next;
        if (!this.#isOwn(start, subject)) continue;
        yield { kind: "message", subject, sequence, data, storedAt, operation };
      } else if (!caughtUp && this.#idle) {
        // What was pending can expire before its turn; then no message ever says "0 pending".
        this.#idle = false;
        pending = await api.consumerPending(this.#options.stream, this.#name);
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  async #attach(api: JetStreamApi): Promise<Start> {
    const { stream, filter, verified } = this.#options;
    if (!verified) {
      return {
        created: "",
        lastSequence: 0,
        subjects: [filter],
        ...(await api.createConsumer(stream, this.#name, filter)),
      };
    }
    const before = await api.streamInfo(stream);
    if (before === undefined) throw new BusError("no-stream", `stream ${stream} does not exist`);
    const { pending } = await api.createConsumer(stream, this.#name, filter);
    const after = await api.streamInfo(stream);
    if (after?.created !== before.created || after.lastSequence < before.lastSequence) {
      throw new BusError("interrupted", `stream ${stream} was made anew or restored`);
    }
    return { created: after.created, lastSequence: after.lastSequence, subjects: after.subjects, pending };
  }

  /**
   * A stream takes what reaches it as a reply, whatever its subject (a client may name any reply subject in a
   * request): such a message is nobody's, and nobody with the stream's own rights could replace it.
   */
  #isOwn(start: Start, subject: string): boolean {
    if (start.subjects.some((filter) => covers(filter, subject))) return true;
    this.#connection.trouble(`stream ${this.#options.stream} holds a message on ${subject}: ignored`);
    return false;
  }

  async #isWhole(
    api: JetStreamApi,
    start: Start,
    next: number | undefined,
    pending: number,
  ): Promise<boolean> {
    if (this.#options.verified && (next ?? this.#given + 1) > start.lastSequence) return true;
    return next === undefined && pending === 0 && (await this.#isGone(api, start));
  }

  /**
   * With nothing pending, the message at `lastSequence` either expired, or the consumer sits on a replica that
   * lags behind the leader which told us that sequence: then it is still to come.
   */
  async #isGone(api: JetStreamApi, start: Start): Promise<boolean> {
    const { stream, verified } = this.#options;
    if (!verified || start.lastSequence === 0) return true;
    const message = await api.message(stream, { seq: start.lastSequence });
    return message === undefined || !covers(this.#options.filter, message.subject);
  }

  stop(): void {
    if (this.#stopped && this.#stops.length === 0) return;
    this.#stopped = true;
    for (const stop of this.#stops.splice(0)) stop();
    if (!this.#nats.isClosed()) {
      this.#nats.publish(`$JS.API.CONSUMER.DELETE.${this.#options.stream}.${this.#name}`, "", {
        reply: this.#inbox,
      });
    }
    this.#wake();
  }

  #listen(): void {
    const { signal } = this.#options;
    const subscription = this.#nats.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error) this.#fail(busError(error, this.#inbox));
        else this.#receive(message);
      },
    });
    this.#stops.push(() => subscription.unsubscribe());
    const abort = (): void => {
      this.#stopped = true;
      this.#wake();
    };
    signal.addEventListener("abort", abort, { once: true });
    this.#stops.push(() => signal.removeEventListener("abort", abort));
    // The library's own promise would keep every session of a connection for as long as that lives.
    const lost = this.#connection.onConnection((connected) => {
      if (!connected) this.#interrupt("the connection to NATS was lost");
    });
    this.#stops.push(lost);
    this.#watchSilence();
  }

  /** Ticks instead of a deadline: a process that was stopped for a while first gets to read what has arrived. */
  #watchSilence(): void {
    const tick = (): void => {
      this.#silent = this.#asked > 0 ? this.#silent + 1 : 0;
      if (this.#silent >= SILENT_TICKS) this.#interrupt("heartbeats of the stream are missing");
      else this.#cancelTick = this.#clock.timer(HEARTBEAT_MS / 2, tick);
    };
    this.#cancelTick = this.#clock.timer(HEARTBEAT_MS / 2, tick);
    this.#stops.push(() => this.#cancelTick());
  }

  #pull(): void {
    if (this.#asked + this.#queue.length > MOST_PENDING - PULL) return;
    this.#asked += PULL;
    const body = { batch: PULL, expires: EXPIRES_MS * 1e6, idle_heartbeat: HEARTBEAT_MS * 1e6 };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#options.stream}.${this.#name}`;
    this.#nats.publish(subject, JSON.stringify(body), { reply: this.#inbox });
  }

  #receive(message: Msg): void {
    this.#silent = 0;
    if (message.subject === this.#inbox) return this.#status(message);
    const place = placeOf(message.reply ?? "");
    if (
      place === undefined ||
      place.delivered !== this.#delivered + 1 ||
      place.sequence <= this.#lastSequence
    ) {
      return this.#interrupt("a message came out of sequence");
    }
    this.#delivered = place.delivered;
    this.#lastSequence = place.sequence;
    this.#asked -= 1;
    this.#queue.push({
      subject: message.subject,
      sequence: place.sequence,
      data: message.data,
      storedAt: place.storedAt,
      pending: place.pending,
      // Parsing headers costs more than all the rest; only buckets need one.
      operation: this.#options.verified ? undefined : message.headers?.get("KV-Operation") || undefined,
    });
    this.#wake();
  }

  #status(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) {
      this.#idle = true;
      this.#wake();
    } else if (code === 408 || code === 404) {
      // The pull expired: ask again for what it did not deliver.
      this.#asked -= Number(message.headers?.get("Nats-Pending-Messages") || PULL);
      this.#wake();
    } else {
      this.#interrupt(`the consumer ended (${code} ${message.headers?.description ?? ""})`);
    }
  }

  #interrupt(reason: string): void {
    this.#fail(new BusError("interrupted", `${this.#options.stream}: ${reason}`));
  }

  #fail(error: BusError): void {
    this.#failure ??= error;
    this.#wake();
  }
}

/** A delivery's place, from its acknowledgement subject in both of its forms (9 tokens, or 11 and more). */
function placeOf(
  reply: string,
): { delivered: number; sequence: number; storedAt: number; pending: number } | undefined {
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return undefined;
  const at = tokens.length >= 11 ? 7 : 5;
  const [sequence = Number.NaN, delivered = Number.NaN, , pending = Number.NaN] = tokens
    .slice(at, at + 4)
    .map(Number);
  if (![sequence, delivered, pending].every((value) => Number.isSafeInteger(value))) return undefined;
  return { sequence, delivered, storedAt: Math.floor(Number(tokens[at + 2]) / 1e6), pending };
}
