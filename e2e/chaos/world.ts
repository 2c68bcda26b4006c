import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";
import { ADDRESS_ACCESS } from "@podgate/fortios-simulator/access";
import { startScene, type Scene } from "../scenarios/scene.ts";
import { PRODUCT_USER } from "../stack/firewall.ts";
import type { Link } from "../stack/network.ts";
import { newPusher } from "../stack/pusher.ts";
import type { Service } from "../stack/service.ts";
import { newWatcher } from "../stack/watcher.ts";
import { turnsOf, type Role } from "./turns.ts";

export const CLUSTERS = ["a", "b"] as const;
export type ClusterName = (typeof CLUSTERS)[number];

/** Short, so that a pause of seconds outlives them; of the watchers the shortest that can be configured. */
export const DEFAULT_LEASE_SECONDS = 3;
/** That a pusher can have. */
export const SHORTEST_LEASE_SECONDS = 1;
/** What the device takes for a write: so that there is a middle of it, in which somebody may be stopped. */
export const WRITE_MS = 50;
/** Who wrote is seen by the token. */
const USERS: ReadonlyMap<string, string> = new Map([
  [PRODUCT_USER, "pusher-1"],
  ["podgate-2", "pusher-2"],
]);

const WATCHER = { lease: { seconds: DEFAULT_LEASE_SECONDS } };
const PUSHER = {
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
  readonly #paused = new Set<string>();

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

  /**
   * SIGSTOP of the one that does the work of its role; where it stands still or is down, of one that could take over.
   *
   * @returns its name; undefined = there is none
   */
  pauseLeader(role: Role): string | undefined {
    const able = [...this.services].filter(
      ([name, { running }]) => name.startsWith(role) && running && !this.#paused.has(name),
    );
    const leader = turnsOf(this.services, role).at(-1)?.service;
    const [name, service] = able.find(([each]) => each === leader) ?? able[0] ?? [];
    if (name === undefined) return undefined;
    this.#paused.add(name);
    service?.pause();
    return name;
  }

  /** SIGCONT. */
  resume(name: string): void {
    this.#paused.delete(name);
    this.service(name).resume();
  }

  /** Which pusher a user of the device is; an administrator is none. */
  pusherOf(user: string): string | undefined {
    return USERS.get(user);
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

/** @param leaseSeconds of the pushers */
export async function startWorld(leaseSeconds: number): Promise<World> {
  const configuration = { ...PUSHER, leaseSeconds };
  const scene = await startScene({
    links: true,
    clusters: {
      a: { watcher: { configuration: WATCHER } },
      b: { podCidr: "10.43.0.0/16", nodeNetwork: "192.168.2", watcher: { configuration: WATCHER } },
    },
    pusher: { configuration, target: TARGET },
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
    const { url, caFile, simulator } = stack.firewall();
    const { device } = simulator;
    device.latency = { ...device.latency, write: WRITE_MS };
    const tokenFile = secondUser(scene);
    const firewalls = { fw: { url: stack.link("firewall-fw").through(url), tokenFile, caFile } };
    const second = {
      nats: natsOf("pusher"),
      clusters: CLUSTERS,
      firewalls,
      target: TARGET,
      configuration,
    };
    await add("pusher-2", newPusher({ ...second, name: "pusher-2" }));
    return new World(scene, services, own);
  } catch (error) {
    await Promise.all(own.map((service) => service.close()));
    await scene.close();
    throw error;
  }
}

/** @returns where its token is */
function secondUser({ stack }: Scene): string {
  const { simulator, tokenFile } = stack.firewall();
  const token = randomBytes(20).toString("hex");
  const [, name = ""] = [...USERS.keys()];
  simulator.device.setUser({ name, token, profile: ADDRESS_ACCESS, vdoms: "*" });
  const file = `${tokenFile}-2`;
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}
