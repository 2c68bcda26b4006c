import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Bus } from "@podgate/shared/bus/bus";
import { systemClock } from "@podgate/shared/runtime/clock";
import { startOpsServer } from "@podgate/shared/runtime/http";
import { createLogger, type Logger } from "@podgate/shared/runtime/logger";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { systemRandom } from "@podgate/shared/runtime/random";
import { compose } from "./compose.ts";
import { deviceOf, type Configuration } from "./configuration.ts";
import { pusherMetrics } from "./metrics.ts";
import { pusherBus } from "./pusher-bus.ts";
import { targetTransport } from "./target-firewall.ts";

/**
 * Composes the pusher and runs it until the signal.
 *
 * @param given a bus instead of the NATS server of the configuration: for a whole pusher in one process with others
 */
export async function run(
  configuration: Configuration,
  version: string,
  logger: Logger,
  signal: AbortSignal,
  given?: Bus,
): Promise<void> {
  const { clusters, targets } = configuration;
  const metrics = new Metrics("pusher", version);
  const observe = pusherMetrics(metrics, {
    clusters: clusters.map(({ name }) => name),
    targets: targets.map(({ name }) => name),
    devices: [...new Set(targets.map(({ url }) => deviceOf(url)))],
  });
  const bus = given ?? pusherBus(configuration, (message) => logger.warn({}, message));
  let connectedOnce = false;
  bus.onConnection((connected) => {
    connectedOnce ||= connected;
    logger.info({ connected }, connected ? "connected to NATS" : "disconnected from NATS");
  });
  const pusher = compose(configuration, {
    bus,
    transport: targetTransport,
    clock: systemClock,
    random: systemRandom,
    logger,
    observe,
    identity: `${hostname()}_${process.pid}_${randomUUID().slice(0, 8)}`,
  });
  const ops = await startOpsServer({
    ...configuration.ops,
    live: { loops: () => pusher.stuck() },
    ready: { nats: () => (connectedOnce ? undefined : "NATS was not reached yet") },
    metrics,
  });
  logger.info({ port: ops.port }, "ops server listens");
  try {
    await pusher.run(signal);
  } finally {
    await bus.close();
    await ops.close();
  }
}

export function loggerOf(configuration: Configuration, version: string): Logger {
  return createLogger({ service: "podgate-pusher", version, level: configuration.log.level });
}
