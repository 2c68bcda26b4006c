import type { Bucket, Bus } from "@podgate/shared/bus/bus";
import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import { isLease, LEASE_FILTER, parseLease, REPLICA_PREFIX, type LeaseEntry } from "./lease-entry.ts";

export interface BoardPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What was seen of one lease. */
export interface Sighting {
  /** undefined = there is no entry, or none that could be read. */
  readonly entry: LeaseEntry | undefined;
  /** 0 = there is no entry. */
  readonly revision: number;
  /** When this revision was first seen, in milliseconds of this process's monotonic clock. */
  readonly at: number;
}

/** Clocks run a little differently, and what was sent at a lease's last moment is still on its way. */
const SLACK_MS = 500;
const RETRY_MS = 500;
/** Of an entry that this version cannot read. */
const UNREADABLE_MS = 60_000;

/**
 * All leases as this process sees them. Whether a holder is gone is judged by the own monotonic clock alone: its
 * entry stood unchanged for a whole lease. No wall clock takes part, and what is seen decides nothing: whoever
 * takes a lease compares and sets.
 */
export class LeaseBoard {
  readonly #ports: BoardPorts;
  readonly #seen = new Map<string, Sighting>();
  readonly #replicas = new Set<string>();
  readonly #listeners = new Set<(key: string) => void>();

  constructor(ports: BoardPorts) {
    this.#ports = ports;
  }

  bucket(): Promise<Bucket> {
    return this.#ports.bus.bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#ports;
    while (!signal.aborted) {
      try {
        for await (const { key, value, revision } of (await this.bucket()).watch(LEASE_FILTER, signal)) {
          this.saw(key, value === undefined ? undefined : { value, revision });
        }
      } catch (error) {
        logger.warn({ reason: describeError(error) }, "leases cannot be followed; trying again");
      }
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }

  /** undefined: not seen yet. */
  seen(key: string): Sighting | undefined {
    return this.#seen.get(key);
  }

  /** Keys of the replicas that ever announced themselves. */
  get replicas(): ReadonlySet<string> {
    return this.#replicas;
  }

  /** Milliseconds until the holder of an entry counts as gone, unless it is heard meanwhile; 0 = nobody holds it. */
  left({ entry, revision, at }: Sighting, now: number): number {
    if (revision === 0 || entry?.holder === "") return 0;
    const ms = entry === undefined ? UNREADABLE_MS : entry.seconds * 1000 + SLACK_MS;
    return Math.max(0, at + ms - now);
  }

  /** The identity of who holds it as far as is seen. */
  holder(key: string): string | undefined {
    const sighting = this.#seen.get(key);
    if (sighting === undefined || this.left(sighting, this.#ports.clock.monotonic()) === 0) return undefined;
    return sighting.entry?.holder;
  }

  /** Somebody looked at an entry himself. */
  saw(key: string, found: { readonly value: Uint8Array; readonly revision: number } | undefined): Sighting {
    const before = this.#seen.get(key);
    const revision = found?.revision ?? 0;
    if (before?.revision === revision) return before;
    // A lease is released, never deleted: the bucket was lost, and the holder does not know yet.
    if (found === undefined && isLease(key) && before !== undefined) {
      if (before.entry?.holder !== "" && this.left(before, this.#ports.clock.monotonic()) > 0) return before;
    }
    const entry = found === undefined ? undefined : parseLease(found.value);
    const sighting = { entry, revision, at: this.#ports.clock.monotonic() };
    this.#seen.set(key, sighting);
    if (key.startsWith(REPLICA_PREFIX)) this.#replicas.add(key);
    for (const listener of this.#listeners) listener(key);
    return sighting;
  }

  /** Stores an announcement; never throws. @returns whether it is stored */
  async put(key: string, value: Uint8Array): Promise<boolean> {
    return this.#tried(async () => (await this.bucket()).put(key, value));
  }

  /** Deletes an announcement; never throws. */
  async remove(key: string): Promise<void> {
    await this.#tried(async () => (await this.bucket()).delete(key));
  }

  /** Deletes an announcement that nobody renews; one that was renewed unseen stays. Never throws. */
  async bury(key: string, revision: number): Promise<void> {
    await this.#tried(async () => {
      const bucket = await this.bucket();
      const found = await bucket.get(key);
      if (found?.revision === revision) await bucket.delete(key);
      else this.saw(key, found);
    });
  }

  async #tried(run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch {
      // The watch and the next heartbeat set it right.
      return false;
    }
  }

  /** Called when an entry changed. Returns its own end. */
  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
