import { follow, type ReaderItem } from "@podgate/shared/bus/reader";
import type { Bus } from "@podgate/shared/bus/bus";
import { pokeSubject, stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import { z } from "zod";
import type { ClusterFold, FoldChange } from "../desired/fold.ts";
import type { Memory } from "./memory.ts";
import type { Observe } from "./observe.ts";

export interface FollowerPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly observe: Pick<Observe, "verified" | "reset" | "unreadable" | "poked">;
  /** Absent: nothing is kept, for commands that only look. */
  readonly memory?: Pick<Memory, "save"> | undefined;
  readonly changed: (cluster: string, change: FoldChange) => void;
}

/** What is kept of a cluster across restarts. */
export const keptClusterSchema = z.object({
  v: z.literal(1),
  /** uid of its namespace kube-system. */
  uid: z.string(),
  /** Objects per resource in the last list that was believed: what a shrunken list is measured by. */
  listed: z.record(z.string(), z.int().nonnegative()),
});

export const keptClusterKey = (cluster: string): string => `cluster.${cluster}`;

const POKE_MS = 1000;
const KEEP_MS = 5000;
/** What is known is written again after this long: the store may have been made anew meanwhile. */
const KEEP_ANEW_MS = 30_000;
/** Reading anew costs the whole stream, and its watcher may need a moment to come right. */
const REREAD_MS = 10_000;

/** Reads one cluster's stream for ever into its fold and tells what that changed. */
export class ClusterFollower {
  readonly fold: ClusterFold;
  readonly #ports: FollowerPorts;
  #verified = false;
  #reason: string | undefined;
  #pokedAt = Number.NEGATIVE_INFINITY;
  #kept = "";
  #keptAt = Number.NEGATIVE_INFINITY;
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

  /** Remembers what must be known after a restart. Call now and then, and at the end. */
  async keep({ isEnd = false } = {}): Promise<void> {
    const { memory, clock } = this.#ports;
    const { cluster, uid, listed } = this.fold;
    const now = clock.monotonic();
    if (memory === undefined || uid === undefined || (!isEnd && now - this.#keptAt < KEEP_MS)) return;
    const entry = { v: 1, uid, listed: listed ?? {} };
    const text = JSON.stringify(entry);
    if (text === this.#kept && now - this.#keptAt < KEEP_ANEW_MS) return;
    this.#keptAt = now;
    if (await memory.save(keptClusterKey(cluster), entry)) this.#kept = text;
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
