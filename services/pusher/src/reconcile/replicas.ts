import { pause } from "@podgate/shared/bus/pause";
import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { LeaseBoard } from "./lease-board.ts";
import { buildLease, replicaKey } from "./lease-entry.ts";
import type { Observe } from "./observe.ts";

export interface ReplicasPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observe: Pick<Observe, "replicas">;
  readonly board: LeaseBoard;
}

/** Entries of those that were killed are deleted after so many leases. */
const FORGET_LEASES = 10;

/** The pushers that are alive and ready to take devices. This one is among them from `join` on. */
export class Replicas {
  readonly #identity: string;
  readonly #seconds: number;
  readonly #ports: ReplicasPorts;
  readonly #joining = Promise.withResolvers<void>();
  #joined = false;
  #left = false;
  #known: ReadonlySet<string> = new Set();

  constructor(options: { readonly identity: string; readonly seconds: number }, ports: ReplicasPorts) {
    this.#identity = options.identity;
    this.#seconds = options.seconds;
    this.#ports = ports;
  }

  /** Ready: others may hand devices over. */
  join(): void {
    if (this.#joined) return;
    this.#joined = true;
    this.#joining.resolve();
  }

  /** Identities of all that are heard, sorted; this one too, unless it is about to stop. */
  get alive(): readonly string[] {
    return [...this.#others(), ...(this.#left ? [] : [this.#identity])].toSorted();
  }

  /** Announces this one until the signal, and then its leaving, before its devices are free. */
  async run(signal: AbortSignal): Promise<void> {
    const { board, bus, clock } = this.#ports;
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
    await Promise.race([this.#joining.promise, stopped]);
    const key = replicaKey(this.#identity);
    const entry = buildLease({ holder: this.#identity, seconds: this.#seconds, clean: false });
    while (!signal.aborted) {
      await board.put(key, entry);
      await pause(bus, clock, (this.#seconds * 1000) / 3, signal);
    }
    this.#left = true;
    if (this.#joined) await board.remove(key);
  }

  /** Tells who came and who went. Call once a second. */
  tick(now: number): void {
    const { logger, observe, board } = this.#ports;
    const alive = new Set(this.#others());
    const replicas = this.alive.length;
    observe.replicas(replicas);
    for (const replica of alive) {
      if (!this.#known.has(replica)) logger.info({ replica, replicas }, "another pusher joined");
    }
    for (const replica of this.#known) {
      if (!alive.has(replica))
        logger.info({ replica, replicas }, "another pusher left, or is not heard any more");
    }
    this.#known = alive;
    for (const key of board.replicas) {
      const seen = board.seen(key);
      const isLong = seen !== undefined && now - seen.at > this.#seconds * 1000 * FORGET_LEASES;
      if (isLong && seen.revision !== 0) void board.bury(key, seen.revision);
    }
  }

  #others(): string[] {
    const { board } = this.#ports;
    const found = [...board.replicas].map((key) => board.holder(key));
    return found.filter((holder) => holder !== undefined && holder !== this.#identity) as string[];
  }
}
