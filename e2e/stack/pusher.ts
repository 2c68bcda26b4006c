import type { Configuration } from "@podgate/pusher/configuration";
import type { Firewall } from "./firewall.ts";
import type { Nats } from "./nats.ts";
import { Service } from "./service.ts";
import { started, type DeepPartial } from "./watcher.ts";

export const INSTALL = "e2e";

export interface PusherOptions {
  readonly nats: Pick<Nats, "url" | "user">;
  readonly clusters: readonly string[];
  /** Targets with their names. */
  readonly firewalls: Readonly<Record<string, Address>>;
  /** What every target says besides. */
  readonly target?: Partial<Configuration["targets"][number]>;
  /** Sections of the configuration that replace those of the stack; without routes every group goes everywhere. */
  readonly configuration?: DeepPartial<Configuration>;
  readonly name?: string;
  readonly nodeOptions?: readonly string[];
}

/** Where a firewall is reached, and with what. */
export type Address = Pick<Firewall, "url" | "tokenFile" | "caFile">;

/** A target as the configuration has it. */
export function targetOf(name: string, { url, tokenFile, caFile }: Address, besides?: object): object {
  return { name, url, tokenFile, ...(caFile !== undefined && { caFile }), ...besides };
}

export function newPusher({
  nats,
  clusters,
  firewalls,
  target: common,
  configuration,
  name,
  nodeOptions,
}: PusherOptions): Service {
  const { user, passwordFile } = nats.user("pusher");
  return new Service({
    service: "pusher",
    name: name ?? "podgate-pusher",
    ...(nodeOptions && { nodeOptions }),
    configuration: {
      install: INSTALL,
      nats: { servers: [nats.url], user, passwordFile },
      clusters: clusters.map((cluster) => ({ name: cluster })),
      targets: Object.entries(firewalls).map(([target, firewall]) => targetOf(target, firewall, common)),
      routes: [{ targets: Object.keys(firewalls), clusters, groups: ["*"] }],
      ops: { host: "127.0.0.1", port: 0 },
      ...configuration,
    },
  });
}

export async function startPusher(options: PusherOptions): Promise<Service> {
  return started(newPusher(options));
}
