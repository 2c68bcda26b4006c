import { Device } from "@podgate/fortios-simulator/device";
import { DEFAULT_TOKEN, type DeviceOptions } from "@podgate/fortios-simulator/state";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { STATUS_BUCKET, parseClusterStatus, parseTargetStatus } from "@podgate/shared/contract/status";
import { createLogger } from "@podgate/shared/runtime/logger";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { VirtualClock } from "../../../shared/test/bus/virtual-clock.ts";
import { configurationSchema, type Configuration, type TargetConfiguration } from "../src/configuration.ts";
import { queryString, TransportError } from "../src/firewall/fortigate/transport.ts";
import { pusherMetrics } from "../src/metrics.ts";
import { makeTopology } from "../src/reconcile/bus-topology.ts";
import { Memory } from "../src/reconcile/memory.ts";
import { tokenIn } from "../src/reconcile/secret-file.ts";
import { Pusher } from "../src/reconcile/pusher.ts";
import { devicesOf } from "../src/reconcile/targets.ts";
import { namesOf, targetFirewall, type TargetTransport } from "../src/target-firewall.ts";
import { TestWatcher } from "./test-watcher.ts";

const FW1 = "https://fw1.example.com";
const random = (): number => 0.5;

/** What one pusher hangs on. */
export interface Link {
  readonly user: string;
  readonly source: string;
  /** Neither the bus nor a device hears it. */
  isCut: boolean;
  /** What it sends arrives at the device so many milliseconds later, whatever becomes of the sender meanwhile. */
  lagMs?: number;
}

export interface Replica {
  readonly pusher: Pusher;
  readonly identity: string;
  readonly metrics: Metrics;
  /** As when its machine loses its network, or its power. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
}

export interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A configuration with targets fw1 (and what else a test says), clusters east and west, and every group to every target. */
export function configurationOf(more: Record<string, unknown> = {}): Configuration {
  const targets = (more["targets"] as { name: string }[] | undefined) ?? [{ name: "fw1" }];
  return configurationSchema.parse({
    install: "a1",
    nats: { servers: ["nats://bus:4222"] },
    clusters: [{ name: "east" }, { name: "west" }],
    routes: [{ targets: targets.map(({ name }) => name), clusters: ["east", "west"], groups: ["*"] }],
    ...more,
    targets: targets.map((target) => Object.assign({ url: FW1, tokenFile: "/run/token" }, target)),
  });
}

/**
 * A whole pusher in this process: the in-memory bus, simulated devices by host name, test watchers, and a clock that
 * a test moves.
 */
export class Stage {
  readonly clock = new VirtualClock();
  readonly server = new MemoryBusServer({ clock: this.clock });
  readonly devices = new Map<string, Device>();
  readonly lines: Line[] = [];
  readonly raw: string[] = [];
  configuration: Configuration;
  readonly names = namesOf("a1");
  /** Every request, when it was sent; a device's log has it when the device did what it asked. */
  readonly sent: {
    readonly at: number;
    readonly host: string;
    readonly method: string;
    readonly source: string;
  }[] = [];
  /** Hosts that do not answer. */
  readonly dead = new Set<string>();
  /** What each target's token file holds; undefined = there is none. */
  token: (target: TargetConfiguration) => string | undefined = () => DEFAULT_TOKEN;
  /** By how much the devices' clocks are ahead. */
  skewMs = 0;
  metrics = new Metrics("pusher", "test");
  #made = 0;
  #one: Replica | undefined;

  constructor(configuration: Configuration = configurationOf(), options: DeviceOptions = {}) {
    this.configuration = configuration;
    for (const { url } of configuration.targets) {
      const { host } = new URL(url);
      if (!this.devices.has(host)) {
        const serial = `FGVM-${String(this.devices.size + 1).padStart(4, "0")}`;
        this.devices.set(host, new Device({ profile: "7.4", serial, vdoms: ["root", "dmz"], ...options }));
      }
    }
  }

  get device(): Device {
    const [device] = this.devices.values();
    if (device === undefined) throw new Error("no device");
    return device;
  }

  /** Everything a pusher or a command needs. @param link what it hangs on, so that a test can cut it */
  ports(link: Link = { user: "pusher", source: "192.0.2.1", isCut: false }) {
    const logger = createLogger({
      service: "podgate-pusher",
      version: "test",
      level: "debug",
      write: (line) => {
        this.raw.push(line);
        this.lines.push(JSON.parse(line) as Line);
      },
    });
    this.metrics = new Metrics("pusher", "test");
    const { clusters, targets } = this.configuration;
    const bus = this.server.connect(link.user);
    this.#made += 1;
    return {
      bus,
      identity: `${link.user}_${this.#made}`,
      clock: this.clock,
      random,
      logger,
      names: this.names,
      memory: new Memory({ bus, clock: this.clock, random, logger }),
      observe: pusherMetrics(this.metrics, {
        clusters: clusters.map(({ name }) => name),
        targets: targets.map(({ name }) => name),
        devices: devicesOf(this.configuration),
      }),
      makeTransport: (target: TargetConfiguration) => this.#transport(target, link),
      makeFirewall: (target: TargetConfiguration, onFailover?: () => void, mayCall?: () => boolean) =>
        targetFirewall(target, this.#transport(target, link), this.names, this.clock, onFailover, mayCall),
    };
  }

  start(): void {
    this.#one = this.replica({ user: "pusher", source: "192.0.2.1", isCut: false });
  }

  async stop(): Promise<void> {
    await this.#one?.stop();
  }

  /** One of several pushers; runs from now on. The device's log knows it by its source address. */
  replica(link: Link): Replica {
    const stopping = new AbortController();
    const ports = this.ports(link);
    const pusher = new Pusher(this.configuration, ports);
    const running = pusher.run(stopping.signal);
    return {
      pusher,
      identity: ports.identity,
      metrics: this.metrics,
      cut: () => {
        link.isCut = true;
        this.server.refuse(link.user);
      },
      mend: () => {
        link.isCut = false;
        this.server.allow(link.user);
      },
      stop: async () => {
        stopping.abort();
        await this.during(running);
      },
    };
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }

  /** A watcher that says `synced` with these groups. */
  async watcher(cluster: string, ...groups: readonly string[]): Promise<TestWatcher> {
    const watcher = await this.silentWatcher(cluster);
    await this.during(watcher.start(...groups));
    return watcher;
  }

  /** One that has not begun. */
  async silentWatcher(cluster: string, uid?: string): Promise<TestWatcher> {
    const bus = this.server.connect(cluster);
    await makeTopology(bus, this.configuration);
    return new TestWatcher(cluster, bus, this.clock, uid);
  }

  /** Lets time pass until a promise is settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let ended = false;
    void promise.finally(() => (ended = true)).catch(() => undefined);
    await this.clock.run(600_000, () => ended);
    return promise;
  }

  /** @returns whether it came to be within so many milliseconds */
  until(met: () => boolean, ms = 10_000): Promise<boolean> {
    return this.clock.run(ms, met);
  }

  /** Addresses of a group, resolved through its children. */
  group(name: string, vdom = "root", host = "fw1.example.com"): string[] {
    const device = this.devices.get(host);
    return [...(device?.resolve(vdom, name, "ipv4") ?? []), ...(device?.resolve(vdom, name, "ipv6") ?? [])];
  }

  holds(name: string, ...addresses: readonly string[]): boolean {
    return this.group(name).join() === [...addresses].toSorted().join();
  }

  /** `PUT cmdb/firewall/addrgrp/web`, what the device was asked to change. */
  writes(host = "fw1.example.com"): string[] {
    const entries = this.devices.get(host)?.log.entries() ?? [];
    return entries.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  }

  async targetStatus(cluster: string, target: string) {
    const key = `${cluster}.${target}`;
    const value = await this.#status(key);
    return value && parseTargetStatus(key, value);
  }

  async clusterStatus(cluster: string) {
    const value = await this.#status(cluster);
    return value && parseClusterStatus(cluster, value);
  }

  async metric(name: string): Promise<string[]> {
    return (await this.metrics.render()).split("\n").filter((line) => line.startsWith(name));
  }

  async #status(key: string): Promise<Uint8Array | undefined> {
    const bucket = await this.server
      .connect("test")
      .bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 });
    return (await bucket.get(key))?.value;
  }

  #transport(target: TargetConfiguration, link: Link): TargetTransport {
    const { host } = new URL(target.url);
    let sent: string | undefined;
    return {
      ready: () => void this.#tokenOf(target),
      hasNewToken: () => sent !== undefined && sent !== this.token(target),
      close: () => undefined,
      send: async ({ method, path, query, body = "", signal, timeoutMs }) => {
        const device = this.devices.get(host);
        if (device === undefined || this.dead.has(host) || link.isCut) {
          await this.clock.sleep(timeoutMs, signal).catch(() => undefined);
          throw new TransportError("timeout", false, `${host}: no answer within ${timeoutMs} ms`);
        }
        const url = path + queryString(query);
        sent = this.#tokenOf(target);
        const headers = { authorization: `Bearer ${sent}` };
        const request = { method, url, headers, body, source: link.source };
        this.sent.push({ at: this.clock.now(), host, method, source: link.source });
        if (link.lagMs !== undefined) {
          await this.clock.sleep(link.lagMs);
          device.handle(request, this.clock.now(), device.admit(request, this.clock.now()));
          throw new TransportError("reset", true, `${host}: connection lost`);
        }
        const admission = device.admit(request, this.clock.now());
        await this.clock.sleep(Math.min(timeoutMs, admission.hold), signal).catch(() => undefined);
        if (signal.aborted) throw new TransportError("aborted", true, `${host}: call was broken off`);
        const answer = device.handle(request, this.clock.now(), admission);
        if (answer.kind === "cut") throw new TransportError("reset", true, `${host}: connection lost`);
        if (answer.kind === "hang") {
          await this.clock.sleep(timeoutMs, signal).catch(() => undefined);
          throw new TransportError("timeout", true, `${host}: no answer within ${timeoutMs} ms`);
        }
        const date = new Date(this.clock.now() + this.skewMs).toUTCString();
        return { status: answer.status, headers: { ...answer.headers, date }, body: answer.body };
      },
    };
  }

  #tokenOf(target: TargetConfiguration): string {
    const token = this.token(target);
    return tokenIn(target.tokenFile, () => {
      if (token === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return token;
    });
  }
}
