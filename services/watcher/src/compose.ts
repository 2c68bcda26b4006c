import type { Bus } from "@podgate/shared/bus/bus";
import { backoff } from "@podgate/shared/runtime/backoff";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Random } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";
import type { AskedPhase } from "./kubernetes/asked-phase.ts";
import { clusterUid } from "./kubernetes/cluster.ts";
import { LeaseElection } from "./kubernetes/lease.ts";
import type { KubernetesErrorKind, KubernetesTransport } from "./kubernetes/transport.ts";
import type { watcherMetrics } from "./metrics.ts";
import { ClusterSource } from "./publish/cluster-source.ts";
import { reign, type ReignPorts } from "./publish/reign.ts";
import { Pulse } from "./pulse.ts";
import { sampler } from "./sampler.ts";
import { staticGroups } from "./static-groups.ts";
import { Reports } from "./status/reports.ts";
import { StatusLoop } from "./status/status-loop.ts";

/** The lowest ports: everything through which a watcher touches the world. */
export interface WatcherPorts {
  readonly bus: Bus;
  readonly transport: KubernetesTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observe: ReturnType<typeof watcherMetrics>;
  /** Names this replica in the Lease. */
  readonly identity: string;
}

export interface Watcher {
  /** Until the signal. What one of its loops fails with ends the others. */
  run(signal: AbortSignal): Promise<void>;
  /** Why its loop does not go round any more; undefined = it does. */
  stuck(): string | undefined;
  /** Why it can't do its work yet; undefined = it can, or another replica leads. */
  unready(): string | undefined;
}

/** A session's loop that has not gone round for so long is stuck. */
const STUCK_MS = 60_000;

/** The whole watcher over its ports. Sends nothing before `run`. @throws UserError for faults of its static groups */
export function compose(configuration: Configuration, version: string, ports: WatcherPorts): Watcher {
  const { cluster, kubernetes, lease } = configuration;
  const { bus, transport, clock, random, logger, observe, identity } = ports;
  const heartbeatMs = configuration.heartbeatSeconds * 1000;
  const definitions = staticGroups(configuration);
  const pulse = new Pulse(clock, Math.max(STUCK_MS, 5 * heartbeatMs));
  const readiness = new Readiness(bus, logger);
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
  const leadership = new LeaseElection({
    transport,
    clock,
    ...lease,
    identity,
    onError: (message) => logger.warn({}, message),
  });
  const asked = (): AskedPhase => leadership.asked;
  const statuses = new StatusLoop({ reports, transport, clock, logger, source: () => source, asked });
  leadership.onAsked(() => statuses.ring());
  const reignPorts: ReignPorts = {
    bus,
    leadership,
    source: newSource,
    reads: () => reports.cluster()?.reads,
    known: () => reports.cluster()?.uid,
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
  return {
    stuck: () => pulse.check(),
    unready: () => readiness.check(),
    async run(signal) {
      const uid = await uidOf(ports, signal);
      if (uid === undefined) return;
      const options = { cluster, clusterUid: uid, watcherVersion: version, heartbeatMs };
      // One that ends by a failure takes the others with it.
      const ending = new AbortController();
      const scope = AbortSignal.any([signal, ending.signal]);
      try {
        const reigning = reign(options, reignPorts, scope).finally(() => ending.abort());
        await Promise.all([reigning, reports.run(scope), statuses.run(scope)]);
      } finally {
        ending.abort();
      }
    },
  };
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
  { transport, clock, random, logger }: WatcherPorts,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      return await clusterUid(transport, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      logger.warn({ error }, "the API server does not answer yet");
    }
    await clock.sleep(backoff(attempt, { baseMs: 200, capMs: 5000 }, random), signal).catch(() => undefined);
  }
  return undefined;
}
