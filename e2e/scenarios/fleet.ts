import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ADDRESS_ACCESS } from "@podgate/fortios-simulator/access";
import { startSimulator, type Simulator } from "@podgate/fortios-simulator/simulator";
import type { Bus } from "@podgate/shared/bus/bus";
import { natsBus } from "@podgate/shared/bus/nats";
import { clusterInbox } from "@podgate/shared/bus/permissions";
import { streamOf } from "@podgate/shared/contract/subjects";
import { systemClock } from "@podgate/shared/runtime/clock";
import { TestWatcher } from "../../services/pusher/test/test-watcher.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { startNats, type Nats } from "../stack/nats.ts";
import { newPusher } from "../stack/pusher.ts";
import type { Service } from "../stack/service.ts";

export const CLUSTER = "a";
export const GROUP = "web";
const WAIT_MS = 30_000;
const POLL_MS = 20;

type Entry = ReturnType<Simulator["log"]>[number];

/** Real pushers on a real NATS server, each with a token of its own, so that a firewall's log says who wrote. */
export class Fleet {
  readonly nats: Nats;
  readonly firewalls: readonly Simulator[];
  readonly watcher: TestWatcher;
  readonly pushers: readonly Service[];
  readonly #close: () => Promise<void>;
  #addresses = 0;

  constructor(parts: Pick<Fleet, "nats" | "firewalls" | "watcher" | "pushers">, close: () => Promise<void>) {
    this.nats = parts.nats;
    this.firewalls = parts.firewalls;
    this.watcher = parts.watcher;
    this.pushers = parts.pushers;
    this.#close = close;
  }

  /** Adds an address that never was before. */
  async news(): Promise<string> {
    this.#addresses += 1;
    const n = this.#addresses;
    const address = `10.${Math.floor(n / 62_500)}.${Math.floor(n / 250) % 250}.${(n % 250) + 1}`;
    await this.watcher.add(GROUP, address);
    return address;
  }

  /** Runs while something new comes every so often. */
  async withNews<T>(everyMs: number, run: () => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const coming = (async () => {
      while (!ending.signal.aborted) {
        await this.news();
        await systemClock.sleep(everyMs, ending.signal).catch(() => undefined);
      }
    })();
    try {
      return await run();
    } finally {
      ending.abort();
      await coming;
    }
  }

  /** What a pusher wrote on a firewall, by its place in the fleet. */
  writes(pusher: number, firewall = 0): Entry[] {
    return this.allWrites(firewall).filter(({ token }) => token === userOf(pusher));
  }

  allWrites(firewall = 0): Entry[] {
    return this.firewalls[firewall]?.log({ writes: true }) ?? [];
  }

  holds(address: string, firewall = 0): boolean {
    return this.firewalls[firewall]?.device.resolve("root", GROUP, "ipv4")?.includes(address) === true;
  }

  /** How many devices a pusher says it holds. */
  async leases(pusher: number): Promise<number> {
    const metrics = await this.pushers[pusher]?.metrics();
    const held = [...(metrics ?? [])].filter(([name]) => name.startsWith("podgate_pusher_device_lease{"));
    return held.reduce((sum, [, value]) => sum + value, 0);
  }

  async until<T>(
    what: string,
    look: () => Promise<T | undefined | false> | T | undefined | false,
    ms = WAIT_MS,
  ): Promise<T> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`);
      await systemClock.sleep(POLL_MS);
    }
  }

  explain(): void {
    for (const { name, output } of this.pushers)
      console.error(`--- ${name}\n${output.slice(-60).join("\n")}`);
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

const userOf = (pusher: number): string => `pusher-${pusher}`;

/** @param firewalls how many; of pushers three are made, none is started */
export async function startFleet(firewalls: number): Promise<Fleet> {
  const [directory, remove] = temporaryDirectory("fleet");
  const closers: (() => Promise<void> | void)[] = [remove];
  const close = async (): Promise<void> => {
    for (const each of closers.toReversed()) await each();
  };
  try {
    const nats = await startNats({ clusters: [CLUSTER] });
    closers.push(() => nats.close());
    const users = [0, 1, 2].map((pusher) => ({
      name: userOf(pusher),
      token: randomBytes(12).toString("hex"),
      profile: ADDRESS_ACCESS,
      vdoms: "*" as const,
    }));
    const devices: Simulator[] = [];
    for (let n = 0; n < firewalls; n += 1) {
      const caFile = join(directory, `ca-${n}.pem`);
      const device = await startSimulator({ caFile, users, serial: `FGVM0100000000${n + 10}` });
      closers.push(() => device.close());
      devices.push(device);
    }
    const pushers = users.map(({ name, token }) => {
      const tokenFile = join(directory, `${name}.token`);
      writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
      const targets = devices.map(({ url, caFile }, n) => [`fw${n}`, { url, tokenFile, caFile }] as const);
      const pusher = newPusher({
        nats,
        clusters: [CLUSTER],
        firewalls: Object.fromEntries(targets),
        target: { burst: 100, perSecond: 100 },
        name,
      });
      closers.push(() => pusher.close());
      return pusher;
    });
    await pushers[0]?.start();
    const bus = watcherBus(nats);
    closers.push(() => bus.close());
    const watcher = new TestWatcher(CLUSTER, bus, systemClock);
    closers.push(() => watcher.stop());
    const fleet = new Fleet({ nats, firewalls: devices, watcher, pushers }, close);
    await fleet.until("the stream", async () => (await info(bus)) !== undefined);
    await watcher.start(GROUP);
    return fleet;
  } catch (error) {
    await close();
    throw error;
  }
}

const info = (bus: Bus) => bus.streamInfo(streamOf(CLUSTER)).catch(() => undefined);

function watcherBus(nats: Nats): Bus {
  const { user, passwordFile } = nats.user(CLUSTER);
  return natsBus({
    servers: [nats.url],
    name: "test-watcher",
    credentials: { kind: "password", user, passwordFile },
    inboxPrefix: clusterInbox(CLUSTER),
    clock: systemClock,
    random: Math.random,
    onTrouble: () => undefined,
  });
}
