import { hostname } from "node:os";
import type { Bus } from "@podgate/shared/bus/bus";
import { systemClock } from "@podgate/shared/runtime/clock";
import { startOpsServer } from "@podgate/shared/runtime/http";
import { createLogger, type Logger } from "@podgate/shared/runtime/logger";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { systemRandom } from "@podgate/shared/runtime/random";
import { compose } from "./compose.ts";
import type { Configuration } from "./configuration.ts";
import { busOf } from "./connections.ts";
import { kubeConfig } from "./kubernetes/cluster.ts";
import { UndiciTransport } from "./kubernetes/undici-transport.ts";
import { watcherMetrics } from "./metrics.ts";
import { quiet } from "./publish/quiet.ts";

/** A standing trouble is said again this often. */
const SAID_AGAIN_MS = 600_000;

/**
 * The watcher on its real ports, until the signal.
 *
 * @param given a bus instead of the NATS server of the configuration: for a whole watcher in one process with others
 * @throws UserError when it cannot begin
 */
export async function run(
  configuration: Configuration,
  version: string,
  talkative: Logger,
  signal: AbortSignal,
  given?: Bus,
): Promise<void> {
  const logger = quiet(talkative, systemClock, SAID_AGAIN_MS);
  const metrics = new Metrics("watcher", version);
  const transport = new UndiciTransport(kubeConfig(configuration.kubernetes));
  const bus = given ?? busOf(configuration, (message) => logger.warn({}, message));
  try {
    const watcher = compose(configuration, version, {
      bus,
      transport,
      clock: systemClock,
      random: systemRandom,
      logger,
      observe: watcherMetrics(metrics),
      identity: `${hostname()}_${process.pid}`,
    });
    const ops = await startOpsServer({
      ...configuration.ops,
      live: { session: () => watcher.stuck() },
      ready: { nats: () => watcher.unready() },
      metrics,
    });
    logger.info({ port: ops.port }, "ops server listens");
    try {
      await watcher.run(signal);
    } finally {
      await ops.close();
    }
  } finally {
    await bus.close();
    await transport.close();
  }
}

export function loggerOf(configuration: Configuration, version: string): Logger {
  return createLogger({ service: "podgate-watcher", version, level: configuration.log.level });
}
