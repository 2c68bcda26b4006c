import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from "./control-plane.ts";
import { startFirewall, type Firewall } from "./firewall.ts";
import { startNats, type Nats } from "./nats.ts";
import { startNetwork, type Link, type Network } from "./network.ts";
import { newPusher, type Address, type PusherOptions } from "./pusher.ts";
import type { Service } from "./service.ts";
import { grantWatcherAccess, type WatcherAccess } from "./watcher-access.ts";
import { newWatcher, type WatcherOptions } from "./watcher.ts";

type SimulatorOptions = Parameters<typeof startFirewall>[0];

export interface StackOptions {
  /** Clusters by name; default one, `a`. */
  readonly clusters?: Readonly<Record<string, ClusterOptions>>;
  /** Firewalls by the name of their target; default one, `fw`. */
  readonly firewalls?: Readonly<Record<string, SimulatorOptions>>;
  readonly pusher?: Pick<PusherOptions, "configuration" | "nodeOptions" | "target">;
  /** Everybody reaches NATS, API servers and firewalls through links that can be disturbed. */
  readonly links?: boolean;
  /** One line for each thing that was started. */
  readonly say?: (line: string) => void;
}

export interface ClusterOptions extends Omit<ControlPlaneOptions, "name"> {
  readonly watcher?: Pick<WatcherOptions, "configuration" | "nodeOptions">;
}

export interface Cluster {
  readonly name: string;
  readonly plane: ControlPlane;
  readonly access: WatcherAccess;
  readonly watcher: Service;
}

/** Everything the product needs, and the product: real parts but for the firewalls and the nodes. */
export class Stack {
  readonly nats: Nats;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly firewalls: ReadonlyMap<string, Firewall>;
  readonly pusher: Service;
  /** `nats-pusher`, `nats-<cluster>`, `kubernetes-<cluster>`, `firewall-<target>`; none without `links`. */
  readonly links: ReadonlyMap<string, Link>;
  readonly #closers: readonly Close[];

  constructor(
    parts: Pick<Stack, "nats" | "clusters" | "firewalls" | "pusher" | "links">,
    closers: readonly Close[],
  ) {
    this.nats = parts.nats;
    this.clusters = parts.clusters;
    this.firewalls = parts.firewalls;
    this.pusher = parts.pusher;
    this.links = parts.links;
    this.#closers = closers;
  }

  /** @param name default: the only one, or the first */
  cluster(name?: string): Cluster {
    return one(this.clusters, name);
  }

  firewall(name?: string): Firewall {
    return one(this.firewalls, name);
  }

  /** @param name as in `links` */
  link(name: string): Link {
    return one(this.links, name);
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    await closeAll(this.#closers);
  }
}

/** Starts everything; when something cannot be started, what was is ended again. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { clusters: wanted = { a: {} }, firewalls: devices = { fw: {} }, say = () => undefined } = options;
  const names = Object.keys(wanted);
  const closers: Close[] = [];
  const keep = <T extends { close: () => Promise<void> }>(thing: T): T => {
    closers.push(() => thing.close());
    return thing;
  };
  try {
    const nats = keep(await startNats({ clusters: names }));
    say(`NATS            ${nats.url}`);
    const firewalls = new Map<string, Firewall>();
    for (const [name, device] of Object.entries(devices)) {
      const firewall = keep(await startFirewall(device));
      firewalls.set(name, firewall);
      say(`firewall ${name.padEnd(6)} ${firewall.url}`);
    }
    const roads = new Roads(options.links === true ? keep(await startNetwork()) : undefined);
    const natsOf = async (client: string) => ({
      url: await roads.to(`nats-${client}`, nats.url),
      user: (user: string) => nats.user(user),
    });
    const targets: Record<string, Address> = {};
    for (const [name, { url, tokenFile, caFile }] of firewalls)
      targets[name] = { url: await roads.to(`firewall-${name}`, url), tokenFile, caFile };
    const { pusher: own } = options;
    const pusher = keep(
      newPusher({ nats: await natsOf("pusher"), clusters: names, firewalls: targets, ...own }),
    );
    await pusher.start();
    say(`pusher          ${pusher.opsUrl}`);
    const clusters = new Map<string, Cluster>();
    // One after another: two API servers that start at once take longer on two cores.
    for (const [name, { watcher: watching, ...plane }] of Object.entries(wanted)) {
      const cluster = await startCluster(name, plane, watching, await natsOf(name), roads, keep);
      clusters.set(name, cluster);
      say(`cluster ${name.padEnd(7)} ${cluster.plane.server}, watcher ${cluster.watcher.opsUrl}`);
    }
    return new Stack({ nats, clusters, firewalls, pusher, links: roads.links }, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

type Close = () => Promise<void>;

/** How clients reach servers: straight, or through links. */
class Roads {
  readonly links = new Map<string, Link>();
  readonly #network: Network | undefined;

  constructor(network: Network | undefined) {
    this.#network = network;
  }

  /** @returns the URL to use */
  async to(name: string, url: string): Promise<string> {
    if (this.#network === undefined) return url;
    const link = await this.#network.link(name, url);
    this.links.set(name, link);
    return link.through(url);
  }
}

async function startCluster(
  name: string,
  options: Omit<ControlPlaneOptions, "name">,
  watching: ClusterOptions["watcher"],
  nats: Pick<Nats, "url" | "user">,
  roads: Roads,
  keep: <T extends { close: () => Promise<void> }>(thing: T) => T,
): Promise<Cluster> {
  const plane = keep(await startControlPlane({ ...options, name }));
  const server = await roads.to(`kubernetes-${name}`, plane.server);
  const access = await grantWatcherAccess(plane, server);
  const watcher = keep(newWatcher({ cluster: name, nats, kubeconfig: access.kubeconfig, ...watching }));
  await watcher.start();
  return { name, plane, access, watcher };
}

/** Services first, what they hang on later. */
async function closeAll(closers: readonly Close[]): Promise<void> {
  const results: PromiseSettledResult<void>[] = [];
  for (const close of closers.toReversed()) results.push(...(await Promise.allSettled([close()])));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function one<T>(all: ReadonlyMap<string, T>, name?: string): T {
  const found = name === undefined ? [...all.values()][0] : all.get(name);
  if (found === undefined)
    throw new Error(`there is no ${name ?? "one"}; there are ${[...all.keys()].join(", ")}`);
  return found;
}
