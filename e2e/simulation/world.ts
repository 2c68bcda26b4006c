import { Device } from "@podgate/fortios-simulator/device";
import { ADDRESS_ACCESS } from "@podgate/fortios-simulator/access";
import type { StoredMessage } from "@podgate/shared/bus/bus";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { compose as composePusher } from "@podgate/pusher/compose";
import {
  configurationSchema as pusherSchema,
  deviceOf,
  type Configuration as PusherConfiguration,
} from "@podgate/pusher/configuration";
import { pusherMetrics } from "@podgate/pusher/metrics";
import { compose as composeWatcher } from "@podgate/watcher/compose";
import { configurationSchema as watcherSchema } from "@podgate/watcher/configuration";
import { watcherMetrics } from "@podgate/watcher/metrics";
import { SimulatedCluster } from "./cluster.ts";
import type { Dice } from "./dice.ts";
import type { History } from "./history.ts";
import { LifeCycle } from "./life-cycle.ts";
import { Operator } from "./operator.ts";
import type { JudgedTarget } from "./oracle/target-judge.ts";
import { BusPort } from "./ports/bus-port.ts";
import { DevicePort, type DeviceSite } from "./ports/device-port.ts";
import { KubernetesPort } from "./ports/kubernetes-port.ts";
import { EPOCH, type Process } from "./process.ts";
import { Replica } from "./replica.ts";
import { Tamper } from "./tamper.ts";
import type { Timeline } from "./timeline.ts";

export const INSTALL = "sim";
const NATS = { servers: ["nats://bus.example:4222"] };
const TOKEN = "sim-token";

export interface WorldOptions {
  readonly clusters: number;
  readonly isSmall: boolean;
  readonly isGuarded: boolean;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly history: History;
  readonly onFailure: (what: string) => void;
}

export interface SimulatedDevice extends DeviceSite {
  readonly name: string;
  /** What the pusher's token file holds. */
  token: string;
  /** That is not the device's. */
  isTokenWrong: boolean;
}

/** How slow things are: milliseconds on the way, one direction. Faults change it. */
export interface Delays {
  bus: () => number;
  kubernetes: () => number;
  device: () => number;
}

/** Everything there is: clusters, bus, devices, and the processes of Podgate. */
export class World {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly history: History;
  readonly bus: MemoryBusServer;
  readonly clusters: readonly SimulatedCluster[];
  readonly devices: readonly SimulatedDevice[];
  readonly targets: readonly JudgedTarget[];
  readonly watchers: readonly Replica[];
  readonly pushers: readonly Replica[];
  readonly operator: Operator;
  readonly lifeCycle: LifeCycle;
  readonly delays: Delays;
  /** Edits that decide for many wait for a person. */
  readonly isGuarded: boolean;
  readonly tamper = new Tamper();
  /** Groups whose members a silent cluster gives up, and after how long: milliseconds. */
  readonly lapsing = { group: "shop/front", afterMs: 60_000 };
  /** Group that policies block: nothing leaves it unseen without a person's word, where edits are guarded. */
  readonly denied = "extra";
  /** Told that somebody else than the product changed a device, and how often he did. */
  changedByOther: (site: SimulatedDevice) => void = () => undefined;
  edits = 0;
  /** Told that the lists of a cluster lack what is there, or are whole again, */
  lacking: (cluster: string, isLacking: boolean) => void = () => undefined;
  /** that a person has taken a cluster out of use, or put it back, */
  retired: (cluster: string, isRetired: boolean) => void = () => undefined;
  /** that he has another one take its place, and is done with it, */
  replaced: (cluster: string, isReplaced: boolean) => void = () => undefined;
  /** and that nothing of it is to be published, or is again. */
  frozen: (cluster: string, isFrozen: boolean) => void = () => undefined;
  /** Told what one of the product's address objects stands for since somebody else changed it. */
  widened: (content: string) => void = () => undefined;
  /** Told of every message that the bus stores, */
  stored: (stream: string, message: StoredMessage) => void = () => undefined;
  /** and of every stream whose content is another one than before. */
  rewound: (stream: string) => void = () => undefined;
  readonly #onFailure: (what: string) => void;

  constructor({ clusters, isSmall, isGuarded, timeline, dice, history, onFailure }: WorldOptions) {
    this.timeline = timeline;
    this.dice = dice;
    this.history = history;
    this.isGuarded = isGuarded;
    this.#onFailure = onFailure;
    this.delays = {
      bus: () => dice.between(0.2, 2),
      kubernetes: () => dice.between(1, 5),
      device: () => dice.between(1, 5),
    };
    const wall = { now: () => EPOCH + timeline.now, monotonic: () => timeline.now };
    this.bus = new MemoryBusServer({
      clock: {
        ...wall,
        timer: (ms, run) => timeline.after(ms, run),
        sleep: (ms) => new Promise((resolve) => void timeline.after(ms, resolve)),
      },
      onStored: (stream, message) => {
        history.note(stream, `${String(message.sequence % 1e6)} ${message.subject}`);
        this.stored(stream, message);
      },
    });
    this.clusters = Array.from(
      { length: clusters },
      (_, at) => new SimulatedCluster(`c${String(at + 1)}`, at + 1, timeline),
    );
    this.devices = isSmall
      ? [this.#device("fw1", ["root"])]
      : [this.#device("fw1", ["root", "dmz"]), this.#device("fw2", ["root"])];
    const names = this.clusters.map(({ name }) => name);
    const target = (name: string, device: string, vdom: string, from: readonly string[]): JudgedTarget => {
      const found = this.devices.find((each) => each.name === device);
      if (found === undefined) throw new Error(`no device ${device}`);
      return { name, device: found.device, vdom, clusters: from };
    };
    this.targets = isSmall
      ? [target("fw1-root", "fw1", "root", names)]
      : [
          target("fw1-root", "fw1", "root", names),
          target("fw1-dmz", "fw1", "dmz", names.slice(0, 1)),
          target("fw2-root", "fw2", "root", names),
        ];
    this.watchers = this.clusters.flatMap((cluster) =>
      ["a", "b"].map((letter) => this.#watcher(cluster, letter)),
    );
    const configuration = this.#configuration();
    this.pushers = ["a", "b"].map((letter) => this.#pusher(letter, configuration));
    const busOf = (process: Process, user: string): BusPort => this.#busPort(process, user);
    const person = { timeline, dice, history, configuration, busOf };
    this.operator = new Operator(person);
    this.lifeCycle = new LifeCycle({
      ...person,
      kubernetesOf: (process, cluster) => this.#kubernetesPort(process, cluster),
      deviceOf: (process, url) => this.#devicePort(process, url, "192.0.2.20"),
    });
  }

  get replicas(): readonly Replica[] {
    return [...this.watchers, ...this.pushers];
  }

  /** Milliseconds since 1970, by the clock that all would agree on. */
  get wall(): number {
    return EPOCH + this.timeline.now;
  }

  edited(site: SimulatedDevice): void {
    this.edits += 1;
    this.changedByOther(site);
  }

  /** Something ended that should not have, or said what is not so. */
  failed(what: string): void {
    this.#onFailure(what);
  }

  watchersOf(cluster: string): readonly Replica[] {
    return this.watchers.filter(({ name }) => name.slice(0, -1) === `watcher-${cluster}`);
  }

  /** Groups on firewalls that were made for the cluster, or for one group of it. */
  childrenOf(cluster: string, group = ""): readonly { readonly name: string; readonly held: number }[] {
    const word = group === "" ? ".*" : group.replace("/", "-");
    const own = new RegExp(`^pg\\.${INSTALL}\\.${word}\\.${cluster}\\.\\d+(?:\\.x[0-9a-f]+)?$`);
    return this.targets.flatMap(({ device, vdom }) =>
      (["ipv4", "ipv6"] as const).flatMap((family) =>
        device
          .groups(vdom, family)
          .filter(({ name }) => own.test(name))
          .map(({ name }) => ({ name, held: device.resolve(vdom, name, family).length })),
      ),
    );
  }

  /** Addresses in them. */
  heldOf(cluster: string, group = ""): number {
    return this.childrenOf(cluster, group).reduce((sum, { held }) => sum + held, 0);
  }

  start(): void {
    for (const replica of this.replicas) replica.start();
  }

  #device(name: string, vdoms: readonly string[]): SimulatedDevice {
    const { dice, history } = this;
    const device = new Device({
      profile: dice.pick(["6.4", "7.0", "7.2", "7.4", "7.6"]),
      vdoms,
      users: [{ name: "api", token: TOKEN, profile: ADDRESS_ACCESS, vdoms: "*" }],
      serial: `FGVM0100000${name.replace("fw", "").padStart(4, "0")}1`,
      latency: { write: dice.int(10, 150), read: dice.int(5, 30) },
      limits: { "addrgrp.member": dice.pick([16, 5000]) },
    });
    device.subscribe(({ method, path, vdom, status, changed, outcome, body }) => {
      const about = method === "GET" ? "" : ` ${JSON.stringify(body ?? "").slice(0, 160)}`;
      history.note(
        name,
        `${method} ${vdom} ${path} ${outcome} ${String(status)}${changed ? " changed" : ""}${about}`,
      );
    });
    return {
      name,
      device,
      isAway: false,
      distrusted: undefined,
      lockedUntil: 0,
      token: TOKEN,
      isTokenWrong: false,
    };
  }

  #busPort(process: Process, user: string): BusPort {
    const { timeline, bus: server, dice, delays, tamper } = this;
    return new BusPort({
      process,
      timeline,
      server,
      user,
      tamper,
      delay: () => delays.bus(),
      reconnectMs: () => dice.between(5, 200),
    });
  }

  #kubernetesPort(process: Process, cluster: SimulatedCluster): KubernetesPort {
    const { timeline, delays, tamper } = this;
    return new KubernetesPort({
      process,
      timeline,
      server: (request) => cluster.serverFor(request),
      cluster: cluster.name,
      token: () => cluster.token,
      tamper,
      delay: () => delays.kubernetes(),
    });
  }

  #devicePort(process: Process, url: string, source: string): DevicePort {
    const { timeline, delays, devices } = this;
    const site = devices.find(({ name }) => url.includes(name));
    if (site === undefined) throw new Error(`no device at ${url}`);
    return new DevicePort({
      process,
      timeline,
      site,
      token: () => site.token,
      source,
      delay: () => delays.device(),
    });
  }

  #watcher(cluster: SimulatedCluster, letter: string): Replica {
    const { timeline, history, dice } = this;
    const configuration = watcherSchema.parse({ cluster: cluster.name, nats: NATS });
    const name = `watcher-${cluster.name}${letter}`;
    return new Replica({
      name,
      timeline,
      history,
      onFailure: this.#onFailure,
      program: async (process, signal, logger) => {
        const bus = this.#busPort(process, cluster.name);
        const transport = this.#kubernetesPort(process, cluster);
        const watcher = composeWatcher(configuration, "1.0.0", {
          bus,
          transport,
          clock: process.clock,
          random: dice.random,
          logger,
          observe: watcherMetrics(new Metrics("watcher", "1.0.0")),
          identity: process.name,
        });
        await watcher.run(signal);
        await bus.close();
      },
    });
  }

  #configuration(): PusherConfiguration {
    const { clusters, targets } = this;
    return pusherSchema.parse({
      install: INSTALL,
      nats: NATS,
      clusters: clusters.map(({ name }) => ({ name })),
      targets: targets.map(({ name, vdom }) => ({
        name,
        vdom,
        url: `https://${name.split("-")[0] ?? ""}.example`,
        tokenFile: "/token",
        burst: 20,
        perSecond: 20,
        timeoutSeconds: 5,
      })),
      routes: this.#routes(),
      driftSeconds: 30,
      // Not held, so that how long an address stays after an edit can be judged.
      ...(!this.isGuarded && { guards: { massRemoval: { maxCount: 100_000 }, holdLastMember: false } }),
    });
  }

  /** The first that fits decides. */
  #routes(): readonly object[] {
    const whenSilent = { removeAfterSeconds: this.lapsing.afterMs / 1000 };
    const kinds = [
      { groups: [this.lapsing.group], whenSilent },
      { groups: [this.isGuarded ? this.denied : "none"], polarity: "deny" },
      { groups: ["*"] },
    ];
    return this.targets.flatMap(({ name, clusters }) =>
      kinds.map((kind) => Object.assign({ targets: [name], clusters }, kind)),
    );
  }

  #pusher(letter: string, configuration: PusherConfiguration): Replica {
    const { timeline, history, dice } = this;
    const series = {
      clusters: configuration.clusters.map(({ name }) => name),
      targets: configuration.targets.map(({ name }) => name),
      devices: [...new Set(configuration.targets.map(({ url }) => deviceOf(url)))],
    };
    return new Replica({
      name: `pusher-${letter}`,
      timeline,
      history,
      onFailure: this.#onFailure,
      program: async (process, signal, logger) => {
        const bus = this.#busPort(process, "pusher");
        const pusher = composePusher(configuration, {
          bus,
          transport: ({ url }) => this.#devicePort(process, url, "192.0.2.10"),
          clock: process.clock,
          random: dice.random,
          logger,
          identity: process.name,
          observe: pusherMetrics(new Metrics("pusher", "1.0.0"), series),
        });
        await pusher.run(signal);
        await bus.close();
      },
    });
  }
}
