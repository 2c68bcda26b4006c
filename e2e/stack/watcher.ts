import type { Configuration } from "@podgate/watcher/configuration";
import type { Nats } from "./nats.ts";
import { Service } from "./service.ts";
import { WATCHER_ACCOUNT, WATCHER_NAMESPACE } from "./watcher-access.ts";

export interface WatcherOptions {
  readonly cluster: string;
  /** Absent: `configuration` says it. */
  readonly nats?: Pick<Nats, "url" | "user">;
  /** Of the watcher's own service account. */
  readonly kubeconfig: string;
  /** Sections of the configuration that replace those of the stack. */
  readonly configuration?: DeepPartial<Configuration>;
  readonly name?: string;
  readonly nodeOptions?: readonly string[];
}

export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

export function newWatcher({
  cluster,
  nats,
  kubeconfig,
  configuration,
  name,
  nodeOptions,
}: WatcherOptions): Service {
  return new Service({
    service: "watcher",
    name: name ?? `podgate-watcher ${cluster}`,
    ...(nodeOptions && { nodeOptions }),
    configuration: {
      cluster,
      ...(nats && { nats: natsSection(nats, cluster) }),
      kubernetes: { kubeconfigFile: kubeconfig },
      lease: { namespace: WATCHER_NAMESPACE, name: WATCHER_ACCOUNT },
      ops: { host: "127.0.0.1", port: 0 },
      ...configuration,
    },
  });
}

function natsSection(nats: Pick<Nats, "url" | "user">, cluster: string): object {
  const { user, passwordFile } = nats.user(cluster);
  return { servers: [nats.url], user, passwordFile };
}

export async function startWatcher(options: WatcherOptions): Promise<Service> {
  return started(newWatcher(options));
}

/** A service that cannot start leaves nothing behind. */
export async function started(service: Service): Promise<Service> {
  try {
    await service.start();
    return service;
  } catch (error) {
    await service.close();
    throw error;
  }
}
