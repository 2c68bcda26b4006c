import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator, type Simulator } from "@podgate/kubernetes-simulator/simulator";
import type { Bus } from "@podgate/shared/bus/bus";
import { natsBus } from "@podgate/shared/bus/nats";
import { ensureTopology } from "@podgate/shared/bus/topology";
import { parseState, type State } from "@podgate/shared/contract/state";
import { stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import { systemClock } from "@podgate/shared/runtime/clock";
import { systemRandom } from "@podgate/shared/runtime/random";
import { makeAuthority } from "../stack/certificates.ts";
import { startFirewall, type Firewall } from "../stack/firewall.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { startNats, type Nats } from "../stack/nats.ts";
import { Service } from "../stack/service.ts";
import { until } from "../stack/until.ts";
import { imageEnvironment, imageNodeOptions } from "./image-environment.ts";

export const CLUSTER = "bench";
export const VDOM = "root";

/** Calls of the pusher: so many at once, then so many a second. */
export interface Budget {
  readonly burst: number;
  readonly perSecond: number;
}

export const DEFAULT_BUDGET: Budget = { burst: 10, perSecond: 4 };
/** For what is not about the budget. */
export const NO_BUDGET: Budget = { burst: 10_000, perSecond: 10_000 };

export interface RigOptions {
  /** What the simulated firewall takes for a write: milliseconds. */
  readonly writeMs: number;
  readonly budget: Budget;
  /** Default 300, as the pusher's. */
  readonly driftSeconds?: number;
  readonly kubeconfig?: string;
  /** Options of Node for watcher and pusher. */
  readonly nodeOptions?: readonly string[];
}

/** Real nats-server, production bundles as processes, simulated firewall, simulated API server (with TLS). */
export class Rig {
  readonly nats: Nats;
  readonly kubernetes: Simulator;
  readonly firewall: Firewall;
  readonly watcher: Service;
  readonly pusher: Service;
  readonly #configurePusher: (budget: Budget) => void;
  readonly #closers: (() => Promise<void> | void)[];
  #bus: Bus | undefined;

  constructor(
    parts: Pick<Rig, "nats" | "kubernetes" | "firewall" | "watcher" | "pusher">,
    configurePusher: (budget: Budget) => void,
    closers: (() => Promise<void> | void)[],
  ) {
    this.#configurePusher = configurePusher;
    this.nats = parts.nats;
    this.kubernetes = parts.kubernetes;
    this.firewall = parts.firewall;
    this.watcher = parts.watcher;
    this.pusher = parts.pusher;
    this.#closers = closers;
  }

  /** The bus with all rights, to look at it. */
  get bus(): Bus {
    if (this.#bus === undefined) {
      const { user, passwordFile } = this.nats.user("admin");
      const bus = natsBus({
        servers: [this.nats.url],
        name: "bench",
        credentials: { kind: "password", user, passwordFile },
        inboxPrefix: "_INBOX_bench",
        clock: systemClock,
        random: systemRandom,
        onTrouble: () => undefined,
      });
      this.#closers.push(() => bus.close());
      this.#bus = bus;
    }
    return this.#bus;
  }

  /** Streams and buckets, where no pusher makes them. */
  async topology(): Promise<void> {
    await retried(() => ensureTopology(this.bus, [CLUSTER]));
  }

  /** Resolves when the watcher has said `synced` with so many members, stored at or after `since`. */
  async synced(members: number, since: number, ms = 300_000): Promise<State> {
    return until(
      `${String(members)} members on the bus`,
      async () => {
        const subject = stateSubject(CLUSTER);
        const message = await this.bus.lastMessage(streamOf(CLUSTER), subject).catch(() => undefined);
        if (message === undefined || message.storedAt < since) return undefined;
        const state = parseState(subject, message.data);
        return state.phase === "synced" && state.members === members ? state : undefined;
      },
      ms,
    );
  }

  /** Addresses of a group on the firewall, resolved through its children. */
  members(group: string): readonly string[] {
    return this.firewall.simulator.device.resolve(VDOM, group, "ipv4");
  }

  /** Resolves when each group holds exactly these addresses, or exactly so many. */
  async holds(wanted: Readonly<Record<string, number | readonly string[]>>, ms = 600_000): Promise<void> {
    const fits = ([group, expected]: [string, number | readonly string[]]): boolean => {
      const members = this.members(group);
      if (typeof expected === "number") return members.length === expected;
      const set = new Set(members);
      return set.size === expected.length && expected.every((address) => set.has(address));
    };
    const look = (): true | undefined => Object.entries(wanted).every(fits) || undefined;
    await until("the firewall's groups", () => Promise.resolve(look()), ms);
  }

  /** Id of the last request that the firewall got. */
  get lastRequest(): number {
    return this.firewall.simulator.log().at(-1)?.id ?? 0;
  }

  /** Restarts the pusher with another budget, and the firewall with another latency. */
  async slowDown(writeMs: number, budget: Budget): Promise<void> {
    const { device } = this.firewall.simulator;
    await this.pusher.stop();
    device.latency = { ...device.latency, write: writeMs };
    this.#configurePusher(budget);
    await this.pusher.start();
    await this.verified();
  }

  /** Resolves when the pusher may remove on behalf of the cluster, and has read the firewall. */
  async verified(): Promise<void> {
    await until(
      "a verified cluster",
      async () => {
        const metrics = await this.pusher.metrics().catch(() => new Map<string, number>());
        const isVerified = metrics.get(`podgate_pusher_cluster_verified{cluster="${CLUSTER}"}`) === 1;
        const reads = [...metrics].filter(([name]) => /calls_total.*kind="read".*result="done"/.test(name));
        return (isVerified && reads.some(([, value]) => value > 0)) || undefined;
      },
      60_000,
    );
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
  }
}

/** Everything started but watcher and pusher, which are started when there is something to see. */
export async function makeRig(options: RigOptions): Promise<Rig> {
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const [directory, remove] = temporaryDirectory("bench");
    closers.push(remove);
    const authority = await makeAuthority("podgate-bench");
    const pair = await authority.issue({ commonName: "kube-apiserver", hosts: ["localhost", "127.0.0.1"] });
    const kubernetes = await startSimulator({ tls: { ...pair, ca: authority.certificate } });
    closers.push(() => kubernetes.close());
    const kubeconfig = options.kubeconfig ?? join(directory, "kubeconfig");
    if (options.kubeconfig === undefined) writeFileSync(kubeconfig, kubernetes.kubeconfig(), { mode: 0o600 });
    const nats = await startNats({ clusters: [CLUSTER] });
    closers.push(() => nats.close());
    const latency = { write: options.writeMs, read: 0, writePerThousandRows: 0 };
    const firewall = await startFirewall({ profile: "7.4", model: "vm", latency, loggedBody: 0 });
    closers.push(() => firewall.close());
    const { url, tokenFile, caFile } = firewall;
    const target = { name: "fw", url, tokenFile, ...(caFile !== undefined && { caFile }) };
    const { nodeOptions = [] } = options;
    const user = nats.user("pusher");
    const configurationOf = (budget: Budget) => ({
      install: "bench",
      nats: { servers: [nats.url], user: user.user, passwordFile: user.passwordFile },
      clusters: [{ name: CLUSTER }],
      targets: [{ ...target, ...budget }],
      routes: [{ targets: ["fw"], clusters: [CLUSTER], groups: ["*"] }],
      driftSeconds: options.driftSeconds ?? 300,
      ops: { host: "127.0.0.1", port: 0 },
    });
    // As the images run them, without the memory that source maps take.
    const asInProduction = (service: "pusher" | "watcher") => ({
      env: imageEnvironment(service),
      nodeOptions: [...imageNodeOptions(service), ...nodeOptions],
      sourceMaps: false,
    });
    const pusher = new Service({
      service: "pusher",
      configuration: configurationOf(options.budget),
      ...asInProduction("pusher"),
    });
    closers.push(() => pusher.close());
    const own = nats.user(CLUSTER);
    const watcher = new Service({
      service: "watcher",
      configuration: {
        cluster: CLUSTER,
        nats: { servers: [nats.url], user: own.user, passwordFile: own.passwordFile },
        kubernetes: { kubeconfigFile: kubeconfig },
        ops: { host: "127.0.0.1", port: 0 },
      },
      ...asInProduction("watcher"),
    });
    closers.push(() => watcher.close());
    const configurePusher = (budget: Budget): void => pusher.configure(configurationOf(budget));
    return new Rig({ nats, kubernetes, firewall, watcher, pusher }, configurePusher, closers);
  } catch (error) {
    for (const close of closers.toReversed()) await close();
    throw error;
  }
}

async function retried(run: () => Promise<unknown>): Promise<void> {
  await until(
    "the bus",
    () =>
      run().then(
        () => true,
        () => undefined,
      ),
    20_000,
  );
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
