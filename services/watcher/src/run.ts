import { hostname } from "node:os";
import { credentialsOf } from "@podgate/shared/bus/configuration";
import { natsBus } from "@podgate/shared/bus/nats";
import { clusterInbox } from "@podgate/shared/bus/permissions";
import { backoff } from "@podgate/shared/runtime/backoff";
import { systemClock } from "@podgate/shared/runtime/clock";
import { UserError } from "@podgate/shared/runtime/errors";
import { startOpsServer } from "@podgate/shared/runtime/http";
import { createLogger, type Logger } from "@podgate/shared/runtime/logger";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { systemRandom } from "@podgate/shared/runtime/random";
import type { Configuration } from "./configuration.ts";
import { clusterUid, kubeConfig } from "./kubernetes/cluster.ts";
import { staticDefinition } from "./kubernetes/group-definitions.ts";
import { LeaseElection } from "./kubernetes/lease.ts";
import type { KubernetesTransport } from "./kubernetes/transport.ts";
import { UndiciTransport } from "./kubernetes/undici-transport.ts";
import type { GroupDefinition } from "./membership/group-definition.ts";
import { watcherMetrics } from "./metrics.ts";
import { ClusterSource } from "./publish/cluster-source.ts";
import { reign } from "./publish/reign.ts";
import { StatusLoop } from "./status/status-loop.ts";

/** Composes the watcher and runs it until the signal. */
export async function run(
  configuration: Configuration,
  version: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, nats, kubernetes, lease } = configuration;
  const clock = systemClock;
  const random = systemRandom;
  const metrics = new Metrics("watcher", version);
  const observe = watcherMetrics(metrics);
  const staticGroups = staticDefinitions(configuration);
  const transport = new UndiciTransport(kubeConfig(kubernetes));
  const bus = natsBus({
    servers: nats.servers,
    name: `podgate-watcher ${cluster}`,
    credentials: credentialsOf(nats),
    inboxPrefix: clusterInbox(cluster),
    clock,
    random,
    onTrouble: (message) => logger.warn({}, message),
    ...(nats.tls && { tls: withoutUndefined(nats.tls) }),
  });
  let connectedOnce = false;
  bus.onConnection((connected) => {
    connectedOnce ||= connected;
    logger.info({ connected }, connected ? "connected to NATS" : "disconnected from NATS");
  });
  const ops = await startOpsServer({
    ...configuration.ops,
    live: {},
    ready: { nats: () => (connectedOnce ? undefined : "NATS was not reached yet") },
    metrics,
  });
  logger.info({ port: ops.port }, "ops server listens");
  let source: ClusterSource | undefined;
  const newSource = (): ClusterSource => {
    source = new ClusterSource({
      transport,
      clock,
      random,
      logger,
      staticGroups,
      customResources: kubernetes.customResources,
      onError: observe.kubernetesError,
      onRejectedAddress: observe.rejectedAddress,
    });
    return source;
  };
  const leadership = new LeaseElection({
    transport,
    clock,
    ...lease,
    identity: `${hostname()}_${process.pid}`,
    onError: (message) => logger.warn({}, message),
  });
  const statuses = new StatusLoop({ bus, transport, clock, logger, cluster, source: () => source });
  try {
    const uid = await uidOf(transport, logger, signal);
    if (uid === undefined) return;
    const options = {
      cluster,
      clusterUid: uid,
      watcherVersion: version,
      heartbeatMs: configuration.heartbeatSeconds * 1000,
    };
    const reporting = statuses.run(signal);
    await reign(
      options,
      {
        bus,
        leadership,
        source: newSource,
        clock,
        random,
        logger,
        observe: {
          ...observe,
          leads: (leads) => {
            observe.leads(leads);
            statuses.leads(leads);
          },
        },
      },
      signal,
    );
    await reporting;
  } finally {
    await bus.close();
    await transport.close();
    await ops.close();
  }
}

export function loggerOf(configuration: Configuration, version: string): Logger {
  return createLogger({ service: "podgate-watcher", version, level: configuration.log.level });
}

function staticDefinitions({ groups }: Configuration): GroupDefinition[] {
  const faults: string[] = [];
  const definitions = groups.flatMap((group, at) => {
    const { definition, faults: found } = staticDefinition(group);
    faults.push(
      ...found.map((fault) => fault.replace("spec.groupName", "spec.name").replace("spec", `groups[${at}]`)),
    );
    return definition ?? [];
  });
  if (faults.length > 0)
    throw new UserError(`the configuration has faults:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  return definitions;
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

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
