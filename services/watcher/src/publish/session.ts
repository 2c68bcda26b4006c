import type { Epoch } from "@podgate/shared/contract/epoch";
import type { Event, Message } from "@podgate/shared/contract/event";
import { buildState, type Phase, type State } from "@podgate/shared/contract/state";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Change } from "../membership/change.ts";
import { toMessage } from "../membership/events.ts";
import { difference, type Present } from "./difference.ts";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import { Outbox } from "./outbox.ts";
import { Table } from "./table.ts";

/** The bus under whole-stream compare-and-set; rejects for good once another watcher has claimed the stream. */
export interface SessionPublisher {
  claim(state: (epoch: Epoch) => State): Promise<Epoch>;
  publish(message: Message, options?: { readonly ttlSeconds?: number }): Promise<unknown>;
  /** Every `add` and `remove` of the stream, by `memberKey`. */
  readBack(signal: AbortSignal): Promise<ReadonlyMap<string, Event>>;
}

/** The Kubernetes side: its changes come through `onChanges`, in order. */
export interface SessionSource extends Present {
  /** Lists and watches until the signal. A list older than the version given is refused. */
  run(
    minimumResourceVersion: string,
    onChanges: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Changes that only time brings (terminating pods past their grace). */
  tick(): readonly Change[];
  /** Milliseconds of the monotonic clock at which `tick` next has something to say. */
  nextDeadline(): number | undefined;
  /** Every list was read and every watch is fresh. */
  readonly fresh: boolean;
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
  published(change: Change): void;
  state(phase: Phase, members: number, pending: number): void;
}

/** Publishes in flight at once; the server acknowledges tens of thousands a second. */
const WINDOW = 512;
/** Pokes come from many pushers; one answer serves them all. */
const POKE_MS = 200;

/**
 * One reign over the cluster's stream, in the order the design gives: claim, list, read back, publish the
 * difference, say `synced`; then every change as it happens and a state message as heartbeat. Resolves when the
 * signal is aborted, after what was in flight is stored; rejects when the publisher is fenced or the source
 * fails for good.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #ports: SessionPorts;
  readonly #bell = new Doorbell();
  readonly #inFlight = new Set<Promise<void>>();
  #stored: ReadonlyMap<string, Event> | undefined;
  #outbox: Outbox | undefined;
  #epoch: Epoch | undefined;
  #failure: unknown;
  #phase: Phase = "syncing";
  #groups = "";
  #lastState = Number.NEGATIVE_INFINITY;
  #statePending = false;
  #poked = false;

  constructor(options: SessionOptions, ports: SessionPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** @param minimumResourceVersion that of the last state message: an older list is stale */
  async run(minimumResourceVersion: string, signal: AbortSignal): Promise<void> {
    const { publisher, source, clock, logger } = this.#ports;
    this.#epoch = await publisher.claim((epoch) => this.#state(epoch, "syncing"));
    this.#lastState = clock.monotonic();
    logger.info({ epoch: this.#epoch.sequence }, "claimed the stream");

    const ended = new AbortController();
    const scope = AbortSignal.any([signal, ended.signal]);
    const unpoke = this.#ports.onPoke(() => {
      this.#poked = true;
      this.#bell.ring();
    });
    source.onChange(() => this.#bell.ring());
    const run = source.run(minimumResourceVersion, (changes) => this.#gather(changes), scope);
    const watching = run.catch((error: unknown) => this.#fail(error));
    const table = publisher.readBack(scope).then(
      (stored) => {
        this.#stored = stored;
        this.#bell.ring();
      },
      (error: unknown) => this.#fail(error),
    );
    try {
      while (!scope.aborted && this.#failure === undefined) {
        await this.#turn(scope);
        await this.#bell.wait(this.#untilNext(), clock.timer, scope);
      }
      if (this.#failure !== undefined) throw this.#failure;
      await Promise.all(this.#inFlight);
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      unpoke();
      ended.abort();
      await Promise.all([watching, table]);
    }
  }

  /** Once the stream is read back and the lists are in, what differs goes out. */
  #beginWhenReady(): void {
    const { source, logger } = this.#ports;
    const stored = this.#stored;
    if (stored === undefined || !source.fresh) return;
    this.#stored = undefined;
    const table = new Table();
    for (const event of stored.values()) if (event.op === "add") table.add(event.group, event.address);
    const changes = difference(stored, source);
    this.#outbox = new Outbox(table);
    for (const change of changes) this.#outbox.put(change);
    logger.info({ stored: table.members, differences: changes.length }, "read the stream back");
  }

  #gather(changes: readonly Change[]): void {
    // Before the stream is read back, the membership remembers them and the difference shows them.
    if (this.#outbox === undefined || changes.length === 0) return;
    for (const change of changes) this.#outbox.put(change);
    this.#bell.ring();
  }

  async #turn(scope: AbortSignal): Promise<void> {
    this.#gather(this.#ports.source.tick());
    this.#beginWhenReady();
    const outbox = this.#outbox;
    if (outbox !== undefined) {
      for (let change = outbox.take(); change !== undefined && !scope.aborted; change = outbox.take()) {
        this.#send(change);
        if (this.#inFlight.size >= WINDOW) await Promise.race(this.#inFlight);
        if (this.#failure !== undefined) return;
        if (this.#heartbeatDue()) this.#publishState(this.#phase);
      }
    }
    this.#stateIfDue();
  }

  #send(change: Change): void {
    const { cluster } = this.#options;
    const epoch = this.#claimed();
    const observedAt = this.#ports.clock.now();
    const { ttlSeconds, ...message } = toMessage(change, { cluster, epoch, observedAt });
    this.#store(message, ttlSeconds === undefined ? {} : { ttlSeconds });
    this.#ports.observe.published(change);
  }

  #store(message: Message, options: { ttlSeconds?: number }): Promise<void> {
    const stored = this.#ports.publisher.publish(message, options).then(
      () => undefined,
      (error: unknown) => this.#fail(error),
    );
    const tracked = stored.finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
    return tracked;
  }

  #stateIfDue(): void {
    const phase: Phase = this.#outbox !== undefined && this.#ports.source.fresh ? "synced" : "syncing";
    const groups = this.#ports.source.groups().join("\n");
    const changed = phase !== this.#phase || (this.#outbox !== undefined && groups !== this.#groups);
    const poked = this.#poked && this.#ports.clock.monotonic() - this.#lastState >= POKE_MS;
    if (changed) {
      this.#phase = phase;
      this.#groups = groups;
      this.#ports.logger.info({ phase, members: this.#outbox?.members ?? 0 }, "state changed");
    } else if (this.#statePending || (!poked && !this.#heartbeatDue())) return;
    this.#publishState(phase);
  }

  #publishState(phase: Phase): void {
    if (this.#statePending && phase === this.#phase && !this.#poked && this.#heartbeatDue() === false) return;
    this.#poked = false;
    this.#statePending = true;
    this.#lastState = this.#ports.clock.monotonic();
    const state = this.#state(this.#claimed(), phase);
    this.#ports.observe.state(phase, state.members, this.#outbox?.size ?? 0);
    void this.#store(buildState(state), {}).then(() => (this.#statePending = false));
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
      listed: source.listed(),
      resourceVersion: source.resourceVersion(),
      groups: [...source.groups()],
      members: this.#outbox?.members ?? 0,
      digest: this.#outbox?.digest ?? new Table().digest,
      watcherVersion,
      observedAt: clock.now(),
    };
  }

  #claimed(): Epoch {
    if (this.#epoch === undefined) throw new Error("publishing before the claim");
    return this.#epoch;
  }

  #heartbeatDue(): boolean {
    return (
      !this.#statePending && this.#ports.clock.monotonic() - this.#lastState >= this.#options.heartbeatMs
    );
  }

  #untilNext(): number {
    const now = this.#ports.clock.monotonic();
    const heartbeat = this.#lastState + this.#options.heartbeatMs;
    const poke = this.#poked ? this.#lastState + POKE_MS : Number.POSITIVE_INFINITY;
    const deadline = this.#ports.source.nextDeadline() ?? Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(heartbeat, poke, deadline) - now);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#bell.ring();
  }
}
