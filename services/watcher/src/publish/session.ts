import { WINDOW } from "@podgate/shared/bus/publisher";
import type { Epoch } from "@podgate/shared/contract/epoch";
import type { Message } from "@podgate/shared/contract/event";
import { buildState, type Phase, type State } from "@podgate/shared/contract/state";
import type { Clock } from "@podgate/shared/runtime/clock";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { AskedPhase } from "../kubernetes/asked-phase.ts";
import type { Change } from "../membership/change.ts";
import { toMessage } from "../membership/events.ts";
import { Vanished } from "./absence.ts";
import { Difference, type Present, type Stored } from "./difference.ts";
import { Outbox, type Noticed } from "./outbox.ts";
import { withoutMembers } from "./without-members.ts";

/** The bus under whole-stream compare-and-set; rejects for good once another watcher has claimed the stream. */
export interface SessionPublisher {
  claim(state: (epoch: Epoch) => State): Promise<Epoch>;
  publish(message: Message, options?: { readonly ttlSeconds?: number }): Promise<unknown>;
  /**
   * Gives every `add` and `remove` of the stream to what `begin` returns; begins anew after an interruption.
   * @returns false when the signal came first
   */
  readBack(begin: () => (row: Stored) => void, signal: AbortSignal): Promise<boolean>;
}

/** The Kubernetes side: its changes come through `onChanges`, in order, from `follow` on. */
export interface SessionSource extends Present {
  /** Lists and watches until the signal. A list older than the version given is refused. */
  run(
    minimumResourceVersion: string,
    onChanges: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** What comes before is no news: 100,000 pods of a first list would be as many changes. */
  follow(): void;
  /** Changes that only time brings (terminating pods past their grace). */
  tick(): readonly Change[];
  /** Milliseconds of the monotonic clock at which `tick` next has something to say. */
  nextDeadline(): number | undefined;
  /** Every list was read and every watch is fresh. */
  readonly fresh: boolean;
  /** Fresh, and no list lacks what another one refers to. */
  readonly whole: boolean;
  listed(): Record<string, number>;
  resourceVersion(): string;
  /** Freshness or the group definitions changed. */
  onChange(run: () => void): void;
}

export interface SessionOptions {
  readonly cluster: string;
  readonly clusterUid: string;
  readonly watcherVersion: string;
  readonly heartbeatMs: number;
  /** `maintenance`: only state messages are published. `draining`: what is published is that every member leaves. */
  readonly asked: AskedPhase;
}

export interface SessionPorts {
  readonly publisher: SessionPublisher;
  readonly source: SessionSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The pusher asks for a state message now. Returns the end of the subscription. */
  onPoke(run: () => void): () => void;
  readonly observe: SessionObserver;
}

export interface SessionObserver {
  /** A change is surely stored, so many seconds after it was read from the API server. */
  published(change: Change, seconds: number): void;
  state(phase: Phase, members: number, pending: number): void;
  /** The session's loop went round; it does at least once per heartbeat. */
  turn(): void;
}

/** Pokes come from many pushers; one answer serves them all. */
const POKE_MS = 200;

/**
 * One reign over the cluster's stream, in this order: claim, list, read back, publish the
 * difference, say `synced`; then every change as it happens and a state message as heartbeat. Resolves when the
 * signal is aborted, after what was in flight is stored; rejects when the publisher is fenced or the source
 * fails for good.
 *
 * No more than one window of messages is with the publisher: what waits for the bus waits in the outbox, where
 * the newest change replaces older ones. Until the stream is read back, state messages count nothing. It is read
 * when the lists are in, so that what they agree on need not be kept.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #ports: SessionPorts;
  readonly #bell = new Doorbell();
  readonly #inFlight = new Set<Promise<void>>();
  #outbox = new Outbox();
  #reading: Promise<void> | undefined;
  /** What the stream says otherwise than the cluster, as far as it is read; `#isReadBack` when it is. */
  #difference: Difference | undefined;
  #isReadBack = false;
  /** What of the difference is not in the outbox yet: a first start would fill it with every member. */
  #backlog: Iterator<Change> | undefined;
  /** The difference is on its way, and every change since. */
  #begun = false;
  #vanished = new Vanished();
  /** The lists when last everything noticed was on its way. */
  #told: Record<string, number> | undefined;
  #epoch: Epoch | undefined;
  #failure: unknown;
  /** What the newest state message says, and how many are not stored yet. */
  #said: { readonly phase: Phase; readonly groups: string } = { phase: "syncing", groups: "" };
  #statesPending = 0;
  #lastState = Number.NEGATIVE_INFINITY;
  #groups = "";
  #minimum = "";
  #poked = false;

  constructor(options: SessionOptions, ports: SessionPorts) {
    this.#options = options;
    this.#ports = options.asked === "draining" ? { ...ports, source: withoutMembers(ports.source) } : ports;
  }

  /** @param minimumResourceVersion that of the last state message: an older list is stale */
  async run(minimumResourceVersion: string, signal: AbortSignal): Promise<void> {
    const { publisher, source, clock, logger, observe } = this.#ports;
    this.#minimum = minimumResourceVersion;
    this.#epoch = await publisher.claim((epoch) => ({ ...this.#state(epoch, "syncing"), groups: [] }));
    this.#lastState = clock.monotonic();
    logger.info({ epoch: this.#epoch.sequence }, "claimed the stream");

    const ended = new AbortController();
    const scope = AbortSignal.any([signal, ended.signal]);
    const unpoke = this.#ports.onPoke(() => {
      this.#poked = true;
      this.#bell.ring();
    });
    source.onChange(() => this.#look());
    this.#look();
    const watching = source
      .run(minimumResourceVersion, (changes) => this.#gather(changes), scope)
      .catch((error: unknown) => this.#fail(error));
    try {
      while (!scope.aborted && this.#failure === undefined) {
        this.#turn(scope);
        observe.turn();
        await this.#bell.wait(this.#untilNext(), (ms, run) => clock.timer(ms, run), scope);
      }
      if (this.#failure === undefined) {
        this.#sayLast();
        await Promise.all(this.#inFlight);
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      unpoke();
      ended.abort();
      await Promise.all([watching, this.#reading]);
    }
  }

  async #readBack(scope: AbortSignal): Promise<void> {
    this.#isReadBack = await this.#ports.publisher.readBack(() => {
      const { source, clock } = this.#ports;
      source.follow();
      const difference = new Difference(source);
      const vanished = new Vanished();
      this.#difference = difference;
      this.#vanished = vanished;
      return (row) => {
        difference.take(row);
        vanished.note(row, clock.monotonic());
      };
    }, scope);
    this.#bell.ring();
  }

  #look(): void {
    this.#groups = this.#ports.source.groups().join("\n");
    this.#bell.ring();
  }

  #turn(scope: AbortSignal): void {
    this.#gather(this.#ports.source.tick());
    if (this.#reading === undefined && this.#options.asked !== "maintenance" && this.#ports.source.whole)
      this.#reading = this.#readBack(scope).catch((error: unknown) => this.#fail(error));
    this.#beginWhenReady();
    this.#drain();
    this.#stateIfDue();
  }

  /** Once the stream is read back, and while the lists are fresh, what differs goes out. */
  #beginWhenReady(): void {
    const { source, logger } = this.#ports;
    const difference = this.#difference;
    if (difference === undefined || !this.#isReadBack || !source.whole) return;
    this.#difference = undefined;
    this.#begun = true;
    const stored = difference.table.members;
    const removals = difference.removals(this.#options.asked === "draining" ? "drained" : undefined);
    this.#outbox = new Outbox(difference.table);
    this.#put(removals);
    this.#backlog = difference.additions();
    logger.info(
      { stored, differences: removals.length + difference.countAdditions() },
      "read the stream back",
    );
  }

  #gather(changes: readonly Change[]): void {
    if (!this.#begun) return this.#difference?.note(changes);
    if (changes.length === 0) return;
    this.#put(changes);
    this.#bell.ring();
  }

  #put(changes: Iterable<Change>): void {
    const now = this.#ports.clock.monotonic();
    for (const change of changes) {
      this.#outbox.put(change, now);
      this.#vanished.note(change, now);
    }
  }

  #drain(): void {
    const now = this.#ports.clock.monotonic();
    while (this.#begun && this.#inFlight.size < WINDOW) {
      const noticed = this.#outbox.take(now);
      if (noticed !== undefined) this.#send(noticed);
      else if (!this.#refill(now)) return;
    }
  }

  #refill(now: number): boolean {
    const next = this.#backlog?.next();
    if (next?.done !== false) {
      this.#backlog = undefined;
      return false;
    }
    this.#outbox.put(next.value, now);
    return true;
  }

  get #waits(): boolean {
    return this.#outbox.size > 0 || this.#backlog !== undefined;
  }

  #send({ change, at }: Noticed): void {
    const { clock, observe } = this.#ports;
    const { cluster } = this.#options;
    const observedAt = Math.round(clock.now() - (clock.monotonic() - at));
    const message = toMessage(change, { cluster, epoch: this.#claimed(), observedAt });
    this.#store(message, () => observe.published(change, (clock.monotonic() - at) / 1000));
  }

  #store({ ttlSeconds, ...message }: Message & { readonly ttlSeconds?: number }, stored: () => void): void {
    const publish = async (): Promise<void> => {
      try {
        await this.#ports.publisher.publish(message, ttlSeconds === undefined ? {} : { ttlSeconds });
        stored();
      } catch (error) {
        this.#fail(error);
      } finally {
        this.#inFlight.delete(flight);
        // A whole half window at a time, so that a large difference does not go round once per message.
        if (this.#waits && this.#inFlight.size <= WINDOW / 2) this.#bell.ring();
      }
    };
    const flight = publish();
    this.#inFlight.add(flight);
  }

  /**
   * `synced` is reached when everything noticed is on its way, and kept while every watch is fresh. `draining` is said
   * as soon as the stream was read back: what a verified cluster removes leaves firewalls at once.
   */
  #phase(): Phase {
    const { asked } = this.#options;
    if (asked === "maintenance") return asked;
    if (!this.#begun || !this.#ports.source.fresh) return "syncing";
    if (asked === "draining") return asked;
    return this.#said.phase === "synced" || !this.#waits ? "synced" : "syncing";
  }

  /** While the bus is away at most two wait for it: one, and `syncing` behind a `synced` that is not true any more. */
  #stateIfDue(): void {
    const phase = this.#phase();
    const now = this.#ports.clock.monotonic();
    const news = phase !== this.#said.phase || this.#groups !== this.#said.groups;
    const due =
      now - this.#lastState >= this.#options.heartbeatMs || (this.#poked && now - this.#lastState >= POKE_MS);
    const blind = phase === "syncing" && this.#said.phase === "synced";
    if (!blind && (this.#statesPending > 0 || !(news || due))) return;
    if (phase !== this.#said.phase)
      this.#ports.logger.info({ phase, members: this.#outbox.members }, "phase changed");
    this.#publishState(phase);
  }

  /** What was listed last is what the lists of the next watcher are measured by. */
  #sayLast(): void {
    if (this.#begun && this.#statesPending === 0) this.#publishState(this.#phase());
  }

  /** What the lists that it tells of show of those who vanished stands before it in the stream. */
  #publishState(phase: Phase): void {
    const { source, clock } = this.#ports;
    this.#poked = false;
    this.#lastState = clock.monotonic();
    if (phase === "synced") {
      this.#put(this.#vanished.explained(source, this.#lastState));
      this.#drain();
    }
    this.#said = { phase, groups: this.#groups };
    this.#statesPending += 1;
    const state = this.#state(this.#claimed(), phase);
    this.#ports.observe.state(phase, state.members, this.#outbox.size);
    this.#store(buildState(state), () => {
      this.#statesPending -= 1;
      this.#bell.ring();
    });
  }

  #state(epoch: Epoch, phase: Phase): State {
    const { cluster, clusterUid, watcherVersion } = this.#options;
    const { source, clock } = this.#ports;
    return {
      v: 1,
      cluster,
      clusterUid,
      epoch,
      phase,
      listed: this.#listed(phase),
      // Carried on: a reign that ends before its first list must not make its successor forget it.
      resourceVersion: source.resourceVersion() || this.#minimum,
      groups: [...source.groups()],
      members: this.#outbox.members,
      digest: this.#outbox.digest,
      watcherVersion,
      observedAt: clock.now(),
    };
  }

  /** While changes wait, no more than what was listed before them: a list that has its size again is believed. */
  #listed(phase: Phase): Record<string, number> {
    const listed = this.#ports.source.listed();
    const told = this.#told;
    if (phase === "synced" && this.#waits && told !== undefined)
      return Object.fromEntries(
        Object.entries(listed).map(([name, count]) => [name, Math.min(count, told[name] ?? count)]),
      );
    this.#told = listed;
    return listed;
  }

  #claimed(): Epoch {
    if (this.#epoch === undefined) throw new Error("publishing before the claim");
    return this.#epoch;
  }

  #untilNext(): number {
    const now = this.#ports.clock.monotonic();
    const heartbeat =
      now - this.#lastState >= this.#options.heartbeatMs
        ? now + this.#options.heartbeatMs
        : this.#lastState + this.#options.heartbeatMs;
    const poke =
      this.#poked && this.#statesPending === 0 ? this.#lastState + POKE_MS : Number.POSITIVE_INFINITY;
    const deadline = this.#ports.source.nextDeadline() ?? Number.POSITIVE_INFINITY;
    const owners = this.#inFlight.size < WINDOW ? this.#outbox.nextDeadline() : Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(heartbeat, poke, deadline, owners) - now);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#bell.ring();
  }
}
