import type { Epoch } from "../contract/epoch.ts";
import type { Message } from "../contract/event.ts";
import { buildState, type State } from "../contract/state.ts";
import { backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { BusError, type Bus, type BusErrorKind } from "./bus.ts";
import { Fenced } from "./fenced.ts";
import { pause } from "./pause.ts";
import { Queue } from "./queue.ts";
import { settle, type Sent } from "./settle.ts";
import { unfitStream } from "./unfit-stream.ts";

/**
 * How many publishes may be on the wire. A constant of all writers, not an option: see `claim`.
 * 128 is enough for tens of thousands of messages a second within one data center.
 */
export const WINDOW = 128;

const RETRY = { baseMs: 50, capMs: 5000 };

export type TroubleKind = Exclude<BusErrorKind, "closed">;

export interface PublisherOptions {
  readonly bus: Bus;
  readonly stream: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends the publisher: everything pending is rejected with BusError `closed`. */
  readonly signal: AbortSignal;
  /** What keeps the publisher from publishing just now; it goes on trying. */
  readonly onTrouble?: (kind: TroubleKind, message: string) => void;
}

interface Item extends Message {
  readonly ttlSeconds: number | undefined;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: Error) => void;
  /** An earlier try of it may still arrive, or have arrived. */
  readonly uncertain: boolean;
}

interface Flying extends Item, Sent {
  outcome: "sent" | "stored" | BusError;
  refused: boolean;
}

/**
 * The one writer of a cluster's stream. Every message expects the stream's last sequence to be the one this
 * publisher stored just before, so nothing is stored once somebody else has written; a message has its sequence
 * before it is sent and is never sent under another. Order is kept, nothing is dropped: while the bus is full,
 * forbids or is away, messages wait. The queue is bounded by its callers, who await `publish` or `idle`.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #waiting = new Queue<Item>();
  readonly #flight: Flying[] = [];
  readonly #idlers: (() => void)[] = [];
  #epoch: Epoch | undefined;
  /** The stream's last sequence as far as it was acknowledged to us. */
  #acknowledged = 0;
  /** Our newest state message that is surely stored. */
  #state: Sent | undefined;
  #end: Error | undefined;
  #settling = false;
  #attempt = 0;
  #landed: () => void = () => undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const closed = (): void => this.#finish(new BusError("closed", "the publisher was stopped"));
    if (options.signal.aborted) closed();
    else options.signal.addEventListener("abort", closed, { once: true });
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** The error that ended this publisher, if one did. */
  get ended(): Error | undefined {
    return this.#end;
  }

  /** Messages not acknowledged yet. */
  get pending(): number {
    return this.#waiting.length + this.#flight.length;
  }

  /**
   * Takes the stream over. The claim is a state message; its sequence is known before it is stored, so the epoch
   * stands in its body (`makeState` may be called several times; leave `groups` empty, the message is repeated).
   *
   * It is stored WINDOW + 1 times without a gap. The compare-and-set compares a number, not a writer: of a
   * replaced writer's messages on the wire the first is refused, but the next one expects exactly the sequence
   * that a single claim has just taken, and would be stored. After WINDOW + 1 messages no number that any earlier
   * writer can still expect will come again. If anything comes between them, the claim starts over with a new epoch.
   *
   * A stream that is configured so that removals can't be stored, or nobody is answered, is not claimed: that is
   * told as `unfit-stream`. It tries until the signal ends it, so the signal must fall with the Lease.
   *
   * @param mayClaim asked anew for each try, when the stream's last sequence is known and before anything is sent: when
   *   somebody writes after its answer, however long this process sleeps then, nothing of the try is stored. What it
   *   throws is trouble, as if the bus had refused.
   * @throws BusError `closed`; Fenced when it may not
   */
  async claim(makeState: (epoch: Epoch) => State, mayClaim: () => Promise<boolean> = always): Promise<Epoch> {
    if (this.#epoch !== undefined) throw new Error("this publisher has claimed already");
    for (let attempt = 0; ; attempt += 1) {
      if (this.#end !== undefined) throw this.#end;
      try {
        const epoch = await this.#tryClaim(makeState, mayClaim);
        if (epoch !== undefined) return epoch;
      } catch (error) {
        if (error instanceof Fenced) this.#finish(error);
        else this.#trouble(error);
      }
      await this.#pause(attempt);
    }
  }

  /**
   * Resolves with the message's sequence when it is surely stored.
   *
   * @throws Fenced, BusError `closed`, or `too-large` for this message alone
   */
  publish(message: Message, options: { readonly ttlSeconds?: number } = {}): Promise<number> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#epoch === undefined) return Promise.reject(new Error("publish before claim"));
    return new Promise((resolve, reject) => {
      const { subject, data } = message;
      this.#waiting.push({
        subject,
        data,
        ttlSeconds: options.ttlSeconds,
        resolve,
        reject,
        uncertain: false,
      });
      this.#pump();
    });
  }

  /** Resolves when everything is stored. @throws Fenced, BusError `closed` */
  async idle(): Promise<void> {
    while (this.pending > 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => this.#idlers.push(resolve));
    }
    if (this.#end !== undefined) throw this.#end;
  }

  async #tryClaim(
    makeState: (epoch: Epoch) => State,
    mayClaim: () => Promise<boolean>,
  ): Promise<Epoch | undefined> {
    const { bus, stream } = this.#options;
    const info = await bus.streamInfo(stream);
    if (info === undefined) throw noStream(stream);
    const unfit = unfitStream(stream, info);
    if (unfit !== undefined) throw unfit;
    if (!(await mayClaim())) throw new Fenced("replaced", `${stream} is not this writer's to claim any more`);
    const start = info.lastSequence;
    const epoch = { created: info.created, sequence: start + 1 };
    const message = buildState(makeState(epoch));
    const sent: Promise<unknown>[] = [];
    for (let n = 0; n <= WINDOW; n += 1) {
      sent.push(bus.publish({ stream, ...message, expectLastSequence: start + n }));
    }
    const results = await Promise.allSettled(sent);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    if ((await bus.streamInfo(stream))?.created !== info.created) return undefined;
    this.#acknowledged = start + WINDOW + 1;
    this.#state = { ...message, ttlSeconds: undefined, sequence: this.#acknowledged, refused: false };
    this.#epoch = epoch;
    return epoch;
  }

  #pump(): void {
    while (!this.#settling && this.#end === undefined && this.#flight.length < WINDOW) {
      const item = this.#waiting.shift();
      if (item === undefined) return;
      const expectLastSequence = this.#acknowledged + this.#flight.length;
      const flying: Flying = { ...item, sequence: expectLastSequence + 1, outcome: "sent", refused: false };
      this.#flight.push(flying);
      void this.#send(flying, expectLastSequence);
    }
  }

  async #send(flying: Flying, expectLastSequence: number): Promise<void> {
    const { bus, stream } = this.#options;
    const { subject, data, ttlSeconds } = flying;
    try {
      const ttl = ttlSeconds !== undefined && { ttlSeconds };
      await bus.publish({ stream, subject, data, expectLastSequence, ...ttl });
      flying.outcome = "stored";
    } catch (error) {
      flying.outcome = asBusError(error);
      flying.refused = !flying.uncertain && flying.outcome.kind === "wrong-last-sequence";
    }
    if (this.#end !== undefined) return;
    if (!this.#settling) {
      if (flying.outcome === "stored") this.#advance();
      else {
        this.#settling = true;
        void this.#recover();
      }
    }
    this.#landed();
  }

  /** Takes from the front what is stored; what is stored behind an unanswered one waits for it. */
  #advance(): void {
    while (this.#flight[0]?.outcome === "stored") this.#acknowledge();
    this.#attempt = 0;
    this.#pump();
    this.#tellIdle();
  }

  #acknowledge(): void {
    const flying = this.#flight.shift();
    if (flying === undefined) return;
    this.#acknowledged = flying.sequence;
    if (flying.subject === this.#state?.subject) this.#state = flying;
    flying.resolve(flying.sequence);
  }

  async #recover(): Promise<void> {
    await this.#allLanded();
    const cause = this.#flight.map((flying) => flying.outcome).find((outcome) => outcome instanceof BusError);
    this.#trouble(cause);
    while (this.#end === undefined) {
      // The first look costs nothing; from then on (and while the bus refuses) there is no hurry.
      if (this.#attempt > 0) await this.#pause(this.#attempt);
      this.#attempt += 1;
      try {
        const last = await this.#settle();
        if (last === undefined || this.#end !== undefined) continue;
        if (last > this.#acknowledged) this.#attempt = 0;
        while (this.#flight[0] !== undefined && this.#flight[0].sequence <= last) this.#acknowledge();
        this.#requeue(this.#flight.splice(0));
        if (isRefusal(cause) && this.#attempt > 0) await this.#pause(this.#attempt);
        this.#settling = false;
        this.#pump();
        this.#tellIdle();
        return;
      } catch (error) {
        if (error instanceof Fenced) this.#finish(error);
        else this.#trouble(error);
      }
    }
  }

  /** What can never be stored goes back to its caller alone; the others are sent again in their order. */
  #requeue(unstored: readonly Flying[]): void {
    const hopeless = (flying: Flying): boolean =>
      flying.outcome instanceof BusError && flying.outcome.kind === "too-large";
    this.#waiting.unshift(unstored.filter((flying) => !hopeless(flying)).map(again));
    for (const flying of unstored) {
      if (hopeless(flying)) flying.reject(flying.outcome as BusError);
    }
  }

  #settle(): Promise<number | undefined> {
    const { bus, stream } = this.#options;
    if (this.#epoch === undefined || this.#state === undefined) throw new Error("settle before claim");
    const { flight, acknowledged, epoch, state } = {
      flight: this.#flight,
      acknowledged: this.#acknowledged,
      epoch: this.#epoch,
      state: this.#state,
    };
    return settle(bus, { stream, epoch, acknowledged, state, flight });
  }

  async #allLanded(): Promise<void> {
    while (this.#flight.some((flying) => flying.outcome === "sent")) {
      await new Promise<void>((resolve) => (this.#landed = resolve));
    }
  }

  async #pause(attempt: number): Promise<void> {
    const { bus, clock, random, signal } = this.#options;
    await pause(bus, clock, backoff(attempt, RETRY, random), signal);
  }

  /** A failed compare-and-set is no trouble by itself: what it means is found out next. */
  #trouble(error: unknown): void {
    const { kind, message } = asBusError(error);
    if (kind !== "wrong-last-sequence" && kind !== "closed") this.#options.onTrouble?.(kind, message);
  }

  #finish(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    for (const item of [...this.#flight.splice(0), ...this.#waiting.drain()]) item.reject(error);
    this.#landed();
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.pending === 0 || this.#end !== undefined) for (const run of this.#idlers.splice(0)) run();
  }
}

/** The same message for another try under the same sequence. */
function again({ subject, data, ttlSeconds, resolve, reject, uncertain, outcome }: Flying): Item {
  const surely = outcome instanceof BusError && outcome.kind !== "unknown" && outcome.kind !== "other";
  return { subject, data, ttlSeconds, resolve, reject, uncertain: uncertain || !surely };
}

const always = (): Promise<boolean> => Promise.resolve(true);

function asBusError(error: unknown): BusError {
  if (error instanceof BusError) return error;
  return new BusError("other", error instanceof Error ? error.message : "unknown failure");
}

const PASSING: ReadonlySet<BusErrorKind> = new Set(["wrong-last-sequence", "unknown", "too-large"]);

/** The bus answered and will answer the same again until somebody does something about it. */
const isRefusal = (cause: unknown): boolean => cause instanceof BusError && !PASSING.has(cause.kind);

const noStream = (stream: string): BusError =>
  new BusError(
    "no-stream",
    `stream ${stream} does not exist; the pusher creates it, or podgate-pusher bus init`,
  );
