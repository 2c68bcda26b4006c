import type { Bus } from "@podgate/shared/bus/bus";
import {
  clusterStatusKey,
  parseClusterStatus,
  parseTargetStatus,
  STATUS_BUCKET,
  targetStatusKey,
  type ClusterStatus,
  type TargetStatus,
} from "@podgate/shared/contract/status";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";

export interface ReportsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cluster: string;
  /** Something flipped, not only numbers. */
  readonly onFlip: () => void;
}

const AGAIN_MS = 5000;
/** A pusher renews its status every 30 s, whatever happens. */
const SILENT_MS = 120_000;

/** What the pushers report of one cluster, followed in the status bucket. */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #targets = new Map<string, TargetStatus>();
  #cluster: ClusterStatus | undefined;
  /** Monotonic milliseconds of the last renewal. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  targets(): TargetStatus[] {
    return [...this.#targets.values()];
  }

  cluster(): ClusterStatus | undefined {
    return this.#cluster;
  }

  /** Nobody renews the pusher's status any more: what it says may be long over. */
  get silent(): boolean {
    return this.#cluster !== undefined && this.#options.clock.monotonic() - this.#renewedAt > SILENT_MS;
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    const filters = [clusterStatusKey(cluster), targetStatusKey(cluster, "*")];
    await Promise.all(filters.map((filter) => this.#watch(filter, signal)));
  }

  async #watch(filter: string, signal: AbortSignal): Promise<void> {
    const { bus, clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        const bucket = await bus.bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 });
        for await (const { key, value } of bucket.watch(filter, signal)) this.#take(key, value);
      } catch (error) {
        if (!signal.aborted) logger.warn({ error, filter }, "the pusher's status cannot be followed");
      }
      await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
    }
  }

  /** What cannot be read counts as not reported, and never keeps the others from being read. */
  #take(key: string, value: Uint8Array | undefined): void {
    const { cluster, clock, logger, onFlip } = this.#options;
    const own = key === clusterStatusKey(cluster);
    const before = own ? this.#cluster : this.#targets.get(key);
    let after: ClusterStatus | TargetStatus | undefined;
    try {
      if (own) {
        after = this.#cluster = value && parseClusterStatus(key, value);
        // A watch that begins anew delivers the same status again.
        if (after?.updatedAt !== before?.updatedAt) this.#renewedAt = clock.monotonic();
      } else {
        const target = value && parseTargetStatus(key, value);
        if (target === undefined) this.#targets.delete(key);
        else this.#targets.set(key, target);
        after = target;
      }
    } catch (error) {
      logger.warn({ error, key }, "a status that cannot be read");
      if (own) this.#cluster = undefined;
      else this.#targets.delete(key);
    }
    if (gist(before) !== gist(after)) onFlip();
  }
}

/** What is worth a write at once: counts change with every pod, these do not. */
function gist(status: ClusterStatus | TargetStatus | undefined): string {
  if (status === undefined) return "";
  if ("groups" in status)
    return JSON.stringify(
      Object.entries(status.groups).map(([group, { inSync, refused }]) => [group, inSync, refused]),
    );
  return JSON.stringify([status.verified, status.unrouted, status.reads]);
}
