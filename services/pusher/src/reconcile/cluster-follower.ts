import { follow, type ReaderItem } from "@podgate/shared/bus/reader";
import type { Bus } from "@podgate/shared/bus/bus";
import { pokeSubject, stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { ClusterFold, FoldChange } from "../desired/fold.ts";
import type { Known } from "../desired/identity.ts";
import type { Listed } from "../desired/listing.ts";
import type { Observe } from "./observe.ts";

export interface FollowerPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly observe: Pick<Observe, "verified" | "reset" | "unreadable" | "poked">;
  readonly changed: (cluster: string, change: FoldChange) => void;
}

const POKE_MS = 1000;
/** Reading anew costs the whole stream, and its watcher may need a moment to come right. */
const REREAD_MS = 10_000;

/** Reads one cluster's stream for ever into its fold and tells what that changed. */
export class ClusterFollower {
  readonly fold: ClusterFold;
  readonly #ports: FollowerPorts;
  #verified = false;
  #reason: string | undefined;
  #pokedAt = Number.NEGATIVE_INFINITY;
  #lastEvent = 0;
  #session = new AbortController();
  #rereadAt = Number.NEGATIVE_INFINITY;

  constructor(fold: ClusterFold, ports: FollowerPorts) {
    this.fold = fold;
    this.#ports = ports;
  }

  /** Sequence up to which a verified cluster is known: its watcher's claim, or the last event that was taken since. */
  get confirmed(): number {
    return Math.max(this.#lastEvent, this.fold.epoch?.sequence ?? 0);
  }

  /** See `ClusterFold.forget`. */
  forget(): void {
    this.#tell(this.fold.forget());
  }

  /** See `ClusterFold.recall`. */
  recall(): void {
    this.#tell(this.fold.recall());
  }

  /** See `ClusterFold.adopt`. */
  adopt(uid: string): void {
    this.#tell(this.fold.adopt(uid));
  }

  /** See `ClusterFold.learn`. */
  learn(known: Known, listed: Listed): void {
    this.#tell(this.fold.learn(known, listed));
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, clock, random } = this.#ports;
    const { cluster } = this.fold;
    while (!signal.aborted) {
      this.#session = new AbortController();
      const either = AbortSignal.any([signal, this.#session.signal]);
      for await (const item of follow(bus, streamOf(cluster), { signal: either, clock, random })) {
        this.#take(item);
      }
      if (!this.#session.signal.aborted) return;
      this.#take({ kind: "interrupted", reason: "it is read anew" });
    }
  }

  /** Call once a second. */
  tick(): void {
    const { clock, bus, observe } = this.#ports;
    const { cluster } = this.fold;
    const now = clock.monotonic();
    this.#tell(this.fold.tick(now));
    if (this.fold.poke && now - this.#pokedAt >= POKE_MS) {
      this.#pokedAt = now;
      bus.notify(pokeSubject(cluster));
      observe.poked(cluster);
    }
    if (this.fold.stale && now - this.#rereadAt >= REREAD_MS) {
      this.#rereadAt = now;
      this.#session.abort();
    }
  }

  /** No firewall holds what only a short list lacks. */
  settleAbsences(): void {
    this.#tell(this.fold.settleAbsences(this.#ports.clock.monotonic()));
  }

  #take(item: ReaderItem): void {
    const { clock, logger, observe } = this.#ports;
    const { cluster } = this.fold;
    if (item.kind === "session") {
      observe.reset(cluster);
      // It may be another stream, or an older copy of it.
      this.#lastEvent = 0;
    }
    if (item.kind === "interrupted")
      logger.debug({ cluster, reason: item.reason }, "the stream was interrupted");
    if (item.kind === "message" && item.subject !== stateSubject(cluster)) this.#lastEvent = item.sequence;
    this.#tell(this.fold.take(item, clock.monotonic()));
  }

  #tell(change: FoldChange): void {
    if (change.groups === "all" || change.groups.size > 0) this.#ports.changed(this.fold.cluster, change);
    this.#announce();
  }

  /** One line when the cluster becomes verified, and one when it stops being so. */
  #announce(): void {
    const { logger, observe } = this.#ports;
    const { cluster, verified, reason } = this.fold;
    if (verified === this.#verified && reason === this.#reason) return;
    const fields = { cluster, ...(reason !== undefined && { reason }) };
    if (verified) logger.info(fields, "the cluster is verified");
    else if (this.#verified)
      logger.warn(fields, "the cluster is not verified: nothing is removed on its behalf");
    else logger.debug(fields, "the cluster is not verified yet");
    if (reason?.includes("cannot be read") === true) observe.unreadable(cluster);
    if (verified !== this.#verified) observe.verified(cluster, verified);
    this.#verified = verified;
    this.#reason = reason;
  }
}
