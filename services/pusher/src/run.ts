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
import type { Observe } from "./reconcile/observe.ts";
import type { Pusher } from "./reconcile/pusher.ts";
import { anotherConfiguration, tellOfChange } from "./reload.ts";
import { targetTransport } from "./target-firewall.ts";

export interface RunOptions {
  /** Instead of the NATS server of the configuration: for a whole pusher in one process with others. */
  readonly bus?: Bus;
  /** Loads the configuration anew; absent = this one stays. @throws UserError with every fault */
  readonly again?: () => Configuration;
}

/** A pusher and what it tells; another configuration has another one. */
interface Shift {
  readonly pusher: Pusher;
  readonly observe: Observe;
}

/**
 * Composes the pusher and runs it until the signal. Another configuration ends it in order, and the next one begins in
 * the same process: to what did not change it does nothing, as after a restart.
 */
export async function run(
  configuration: Configuration,
  version: string,
  talker: Logger,
  signal: AbortSignal,
  { bus: given, again }: RunOptions = {},
): Promise<void> {
  let logger = talker;
  let connectedOnce = false;
  const hangups = new Set<() => void>();
  const hangUp = (): void => hangups.forEach((each) => each());
  const connect = (present: Configuration): Bus => {
    const opened = given ?? pusherBus(present, (message) => logger.warn({}, message));
    opened.onConnection((connected) => {
      connectedOnce ||= connected;
      logger.info({ connected }, connected ? "connected to NATS" : "disconnected from NATS");
    });
    return opened;
  };
  let present = configuration;
  let bus = connect(present);
  const metrics = new Metrics("pusher", version);
  let shift = begin(present, metrics, bus, logger);
  const ops = await startOpsServer({
    ...present.ops,
    live: { loops: () => shift.pusher.stuck() },
    ready: { nats: () => (connectedOnce ? undefined : "NATS was not reached yet") },
    metrics,
  });
  logger.info({ port: ops.port }, "ops server listens");
  if (again !== undefined) process.on("SIGHUP", hangUp);
  try {
    for (;;) {
      const next = await untilAnother(present, shift, { again, logger, hangups }, signal);
      if (next === undefined) return;
      tellOfChange(present, next, logger);
      if (JSON.stringify(next.nats) !== JSON.stringify(present.nats)) {
        await bus.close();
        bus = connect(next);
      }
      present = next;
      logger = loggerOf(present, version);
      logger.info({ configuration: present }, "another configuration is in force");
      metrics.renew();
      shift = begin(present, metrics, bus, logger);
    }
  } finally {
    process.off("SIGHUP", hangUp);
    await bus.close();
    await ops.close();
  }
}

function begin(configuration: Configuration, metrics: Metrics, bus: Bus, logger: Logger): Shift {
  const { clusters, targets } = configuration;
  const observe = pusherMetrics(metrics, {
    clusters: clusters.map(({ name }) => name),
    targets: targets.map(({ name }) => name),
    devices: [...new Set(targets.map(({ url }) => deviceOf(url)))],
  });
  observe.configured(systemClock.now());
  const pusher = compose(configuration, {
    bus,
    transport: targetTransport,
    clock: systemClock,
    random: systemRandom,
    logger,
    observe,
    identity: `${hostname()}_${process.pid}_${randomUUID().slice(0, 8)}`,
  });
  return { pusher, observe };
}

/** @returns the configuration that takes this one's place; undefined at the signal */
async function untilAnother(
  present: Configuration,
  { pusher, observe }: Shift,
  {
    again,
    logger,
    hangups,
  }: {
    readonly again: (() => Configuration) | undefined;
    readonly logger: Logger;
    readonly hangups: Set<() => void>;
  },
  signal: AbortSignal,
): Promise<Configuration | undefined> {
  const ending = new AbortController();
  const scope = AbortSignal.any([signal, ending.signal]);
  const onAsked = (ask: () => void) => {
    hangups.add(ask);
    return () => void hangups.delete(ask);
  };
  const waits = { clock: systemClock, logger, onAsked, observe: (valid: boolean) => observe.valid(valid) };
  const reloading =
    again === undefined ? undefined : anotherConfiguration(present, { ...waits, again }, scope);
  void reloading?.then(() => ending.abort());
  try {
    await pusher.run(scope);
  } finally {
    ending.abort();
  }
  return reloading;
}

export function loggerOf(configuration: Configuration, version: string): Logger {
  return createLogger({ service: "podgate-pusher", version, level: configuration.log.level });
}
