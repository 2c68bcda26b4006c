import { join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";
import { startScene, type Scene } from "../scenarios/scene.ts";
import type { Link } from "../stack/network.ts";
import { newPusher } from "../stack/pusher.ts";
import type { Service } from "../stack/service.ts";
import { newWatcher } from "../stack/watcher.ts";

export const CLUSTERS = ["a", "b"] as const;
export type ClusterName = (typeof CLUSTERS)[number];

/** Short, so that a pause of seconds outlives them. */
const LEASE_SECONDS = 3;
const WATCHER = { lease: { seconds: LEASE_SECONDS } };
const PUSHER = {
  leaseSeconds: LEASE_SECONDS,
  driftSeconds: 5,
  // What vanishes while a watcher is down would wait for a person's approval, and there is none here.
  guards: { massRemoval: { maxCount: 100_000, maxShare: 1 }, holdLastMember: false },
};
const TARGET = { timeoutSeconds: 5, burst: 100, perSecond: 100 };

/** Two of each service wherever two can be, real servers, and disturbable ways between all of them. */
export class World {
  readonly scene: Scene;
  /** By name: `pusher-1`, `pusher-2`, `watcher-a-1`, … */
  readonly services: ReadonlyMap<string, Service>;
  readonly #own: readonly Service[];

  constructor(scene: Scene, services: ReadonlyMap<string, Service>, own: readonly Service[]) {
    this.scene = scene;
    this.services = services;
    this.#own = own;
  }

  link(name: string): Link {
    return this.scene.stack.link(name);
  }

  /** @param name `pusher-1`, `watcher-a-2` … */
  service(name: string): Service {
    const found = this.services.get(name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** What every service printed last, for people who look for what went wrong. */
  output(): string {
    return [...this.services]
      .map(([name, { output }]) => `--- ${name}\n${output.slice(-300).join("\n")}`)
      .join("\n");
  }

  async close(): Promise<void> {
    await Promise.all(this.#own.map((service) => service.close()));
    await this.scene.close();
  }
}

export async function startWorld(): Promise<World> {
  const scene = await startScene({
    links: true,
    clusters: {
      a: { watcher: { configuration: WATCHER } },
      b: { podCidr: "10.43.0.0/16", nodeNetwork: "192.168.2", watcher: { configuration: WATCHER } },
    },
    pusher: { configuration: PUSHER, target: TARGET },
  });
  const { stack } = scene;
  const services = new Map<string, Service>([["pusher-1", stack.pusher]]);
  const own: Service[] = [];
  const add = async (name: string, service: Service): Promise<void> => {
    own.push(service);
    services.set(name, service);
    await service.start();
  };
  try {
    const natsOf = (client: string) => ({
      url: stack.link(`nats-${client}`).through(stack.nats.url),
      user: (user: string) => stack.nats.user(user),
    });
    for (const cluster of CLUSTERS) {
      const { watcher, access, plane } = stack.cluster(cluster);
      services.set(`watcher-${cluster}-1`, watcher);
      const kubeconfig = join(plane.directory, "second.kubeconfig");
      writeFileSync(kubeconfig, readFileSync(access.kubeconfig), { mode: 0o600 });
      const nats = natsOf(cluster);
      const name = `watcher-${cluster}-2`;
      await add(name, newWatcher({ cluster, nats, kubeconfig, name, configuration: WATCHER }));
    }
    const { url, tokenFile, caFile } = stack.firewall();
    const firewalls = { fw: { url: stack.link("firewall-fw").through(url), tokenFile, caFile } };
    const second = {
      nats: natsOf("pusher"),
      clusters: CLUSTERS,
      firewalls,
      target: TARGET,
      configuration: PUSHER,
    };
    await add("pusher-2", newPusher({ ...second, name: "pusher-2" }));
    return new World(scene, services, own);
  } catch (error) {
    await Promise.all(own.map((service) => service.close()));
    await scene.close();
    throw error;
  }
}
