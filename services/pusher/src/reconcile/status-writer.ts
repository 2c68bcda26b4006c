import type { Bus } from "@podgate/shared/bus/bus";
import {
  buildClusterStatus,
  buildTargetStatus,
  clusterStatusKey,
  STATUS_BUCKET,
  targetStatusKey,
  type ClusterStatus,
  type TargetStatus,
} from "@podgate/shared/contract/status";
import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";

export interface StatusWriterPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Also when nothing changed: a status that is not renewed is one nobody stands for any more. */
const REFRESH_MS = 30_000;

/** Writes statuses to the KV bucket `podgate-status`, each only when it says something new. */
export class StatusWriter {
  readonly #ports: StatusWriterPorts;
  readonly #written = new Map<string, { readonly text: string; readonly at: number }>();
  #failing = false;

  constructor(ports: StatusWriterPorts) {
    this.#ports = ports;
  }

  /** One round; never throws. What could not be written is written in a later one. */
  async write(clusters: readonly ClusterStatus[], targets: readonly TargetStatus[]): Promise<void> {
    const entries = [
      ...clusters.map((status) => ({
        key: clusterStatusKey(status.cluster),
        data: buildClusterStatus(status),
        text: JSON.stringify({ ...status, updatedAt: 0 }),
      })),
      ...targets.map((status) => ({
        key: targetStatusKey(status.cluster, status.target),
        data: buildTargetStatus(status),
        text: JSON.stringify({ ...status, updatedAt: 0, lastSuccess: status.lastSuccess > 0 }),
      })),
    ];
    await Promise.all(entries.map((entry) => this.#put(entry.key, entry.text, entry.data)));
  }

  /** Deletes the statuses of targets and clusters that are not configured any more. Until the signal. */
  async clean(known: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#ports;
    while (!signal.aborted) {
      try {
        const bucket = await this.#bucket();
        for await (const { key, value } of bucket.watch(">", signal)) {
          if (value === undefined || known.has(key)) continue;
          logger.info(
            { key },
            "the status of what is not configured any more is deleted; a target that was taken out keeps what carries our mark until podgate-pusher clean",
          );
          await bucket.delete(key);
        }
      } catch (error) {
        logger.debug({ reason: describeError(error) }, "the statuses cannot be looked through");
      }
      await clock.sleep(REFRESH_MS, signal).catch(() => undefined);
    }
  }

  /** Another process may have written them meanwhile: they are written anew. */
  forget(statuses: readonly { readonly cluster: string; readonly target?: string }[]): void {
    for (const { cluster, target } of statuses) {
      this.#written.delete(
        target === undefined ? clusterStatusKey(cluster) : targetStatusKey(cluster, target),
      );
    }
  }

  async #put(key: string, text: string, data: Uint8Array): Promise<void> {
    const { clock, logger } = this.#ports;
    const now = clock.monotonic();
    const last = this.#written.get(key);
    if (last?.text === text && now - last.at < REFRESH_MS) return;
    try {
      await (await this.#bucket()).put(key, data);
      this.#written.set(key, { text, at: now });
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) logger.warn({ key, reason: describeError(error) }, "a status could not be written");
      this.#failing = true;
    }
  }

  #bucket() {
    return this.#ports.bus.bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 });
  }
}
