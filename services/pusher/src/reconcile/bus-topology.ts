import type { Bus } from "@podgate/shared/bus/bus";
import { ensureTopology, TOPOLOGY_DEFAULTS, type TopologyFault } from "@podgate/shared/bus/topology";
import { backoff } from "@podgate/shared/runtime/backoff";
import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Configuration } from "../configuration.ts";

export interface TopologyPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

const RETRY = { baseMs: 200, capMs: 10_000 };
/** Somebody may delete a stream; its watcher waits until it is there again. */
const AGAIN_MS = 5000;

export function makeTopology(bus: Bus, { bus: settings, clusters }: Configuration): Promise<TopologyFault[]> {
  const options = { ...TOPOLOGY_DEFAULTS, replicas: settings.replicas };
  return ensureTopology(
    bus,
    clusters.map(({ name }) => name),
    options,
  );
}

/** Makes every stream and bucket that is missing, for ever. What differs is told once and left as it is. */
export async function keepTopology(
  configuration: Configuration,
  { bus, clock, random, logger }: TopologyPorts,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  for (let attempt = 0; !signal.aborted;) {
    let wait = AGAIN_MS;
    try {
      const faults = await makeTopology(bus, configuration);
      attempt = 0;
      for (const { name, differences } of faults) {
        for (const difference of differences) {
          if (told.has(`${name} ${difference}`)) continue;
          told.add(`${name} ${difference}`);
          logger.error(
            { name, difference },
            "a stream or bucket is not configured as it must be; it is left so",
          );
        }
      }
    } catch (error) {
      const reason = describeError(error);
      // Not being connected yet is told by the connection.
      if (bus.connected && !told.has(reason)) {
        told.add(reason);
        logger.error({ reason }, "streams and buckets could not be made; trying again");
      }
      wait = backoff(attempt, RETRY, random);
      attempt += 1;
    }
    await clock.sleep(wait, signal).catch(() => undefined);
  }
}
