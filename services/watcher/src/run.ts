import { hostname } from "node:os";
import type { Bus } from "@podgate/shared/bus/bus";
import { backoff } from "@podgate/shared/runtime/backoff";
import { systemClock } from "@podgate/shared/runtime/clock";
import { startOpsServer } from "@podgate/shared/runtime/http";
import { createLogger, type Logger } from "@podgate/shared/runtime/logger";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";
import { busOf } from "./connections.ts";
import { clusterUid, kubeConfig } from "./kubernetes/cluster.ts";
import { LeaseElection } from "./kubernetes/lease.ts";
import type { KubernetesErrorKind, KubernetesTransport } from "./kubernetes/transport.ts";
import { UndiciTransport } from "./kubernetes/undici-transport.ts";
import { watcherMetrics } from "./metrics.ts";
import { ClusterSource } from "./publish/cluster-source.ts";
import { quiet } from "./publish/quiet.ts";
import { reign, type ReignPorts } from "./publish/reign.ts";
import { Pulse } from "./pulse.ts";
import { sampler } from "./sampler.ts";
import { staticGroups } from "./static-groups.ts";
import { Reports } from "./status/reports.ts";
import { StatusLoop } from "./status/status-loop.ts";

/** A standing trouble is said again this often. */
const SAID_AGAIN_MS = 600_000;
/** A session's loop that has not gone round for so long is stuck. */
const STUCK_MS = 60_000;

/**
 * Composes the watcher and runs it until the signal.
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
  const { cluster, kubernetes, lease } = configuration;
  const clock = systemClock;
  const random = systemRandom;
  const heartbeatMs = configuration.heartbeatSeconds * 1000;
  const logger = quiet(talkative, clock, SAID_AGAIN_MS);
  const metrics = new Metrics("watcher", version);
  const observe = watcherMetrics(metrics);
  const definitions = staticGroups(configuration);
  const transport = new UndiciTransport(kubeConfig(kubernetes));
  const bus = given ?? busOf(configuration, (message) => logger.warn({}, message));
  const pulse = new Pulse(clock, Math.max(STUCK_MS, 5 * heartbeatMs));
  const readiness = new Readiness(bus, logger);
  const ops = await startOpsServer({
    ...configuration.ops,
    live: { session: () => pulse.check() },
    ready: { nats: () => readiness.check() },
    metrics,
  });
  logger.info({ port: ops.port }, "ops server listens");

  let source: ClusterSource | undefined;
  const sample = sampler(observe, clock, () => source);
  const newSource = (): ClusterSource => {
    source = new ClusterSource({
      transport,
      clock,
      random,
      logger,
      staticGroups: definitions,
      customResources: kubernetes.customResources,
      onError: (resource, kind) => {
        observe.kubernetesError(resource, kind);
        warnOfRollback(logger, cluster, kind);
      },
      onRejectedAddress: observe.rejectedAddress,
    });
    // A definition that is new, changed or refused is answered at once.
    source.onChange(() => statuses.ring());
    return source;
  };
  const reports = new Reports({ bus, clock, logger, cluster, onFlip: () => statuses.ring() });
  const statuses = new StatusLoop({ reports, transport, clock, logger, source: () => source });
  const ports: ReignPorts = {
    bus,
    leadership: new LeaseElection({
      transport,
      clock,
      ...lease,
      identity: `${hostname()}_${process.pid}`,
      onError: (message) => logger.warn({}, message),
    }),
    source: newSource,
    reads: () => reports.cluster()?.reads,
    clock,
    random,
    logger,
    observe: {
      ...observe,
      turn: () => {
        pulse.beat();
        sample();
      },
      rest: () => pulse.rest(),
      leads: (leads) => {
        observe.leads(leads);
        readiness.leads(leads);
        statuses.leads(leads);
      },
    },
  };
  // One that ends by a failure takes the others with it.
  const ending = new AbortController();
  const scope = AbortSignal.any([signal, ending.signal]);
  try {
    const uid = await uidOf(transport, logger, signal);
    if (uid === undefined) return;
    const options = { cluster, clusterUid: uid, watcherVersion: version, heartbeatMs };
    const reigning = reign(options, ports, scope).finally(() => ending.abort());
    await Promise.all([reigning, reports.run(scope), statuses.run(scope)]);
  } finally {
    ending.abort();
    await bus.close();
    await transport.close();
    await ops.close();
  }
}

export function loggerOf(configuration: Configuration, version: string): Logger {
  return createLogger({ service: "podgate-watcher", version, level: configuration.log.level });
}

/** Ready = NATS was reached once, or another replica leads. A NATS that is away later makes nothing unready. */
class Readiness {
  #connectedOnce = false;
  #leads = false;

  constructor(bus: Bus, logger: Logger) {
    bus.onConnection((connected) => {
      this.#connectedOnce ||= connected;
      logger.info({ connected }, connected ? "connected to NATS" : "disconnected from NATS");
    });
  }

  leads(leads: boolean): void {
    this.#leads = leads;
  }

  check(): string | undefined {
    return this.#connectedOnce || !this.#leads ? undefined : "NATS was not reached yet";
  }
}

/** The reflector says which resource; this says what it means. */
function warnOfRollback(logger: Logger, cluster: string, kind: KubernetesErrorKind): void {
  if (kind !== "stale") return;
  logger.error(
    { cluster },
    "the API server answers with a state older than one that was published before: nothing is published and nothing is removed until it has caught up. If its etcd was restored from a backup, delete this cluster's stream: the pusher makes it anew, and what the firewall should lose passes its guards",
  );
}

async function uidOf(
  transport: KubernetesTransport,
  logger: Logger,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      return await clusterUid(transport, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      logger.warn({ error }, "the API server does not answer yet");
    }
    await systemClock
      .sleep(backoff(attempt, { baseMs: 200, capMs: 5000 }, systemRandom), signal)
      .catch(() => undefined);
  }
  return undefined;
}
