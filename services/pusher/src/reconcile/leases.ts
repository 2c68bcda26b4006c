import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import { Lease } from "./lease.ts";
import { LeaseBoard } from "./lease-board.ts";
import {
  buildLease,
  CLUSTERS_LEASE_KEY,
  deviceLeaseKey,
  lateKey,
  REPLICA_PREFIX,
  wantedKey,
  type DeviceWord,
} from "./lease-entry.ts";
import { aimOf, surplusOf, type Sharing } from "./lease-share.ts";
import { Tenure, type Post } from "./lease-tenure.ts";
import type { LeaseTurn, Observe } from "./observe.ts";
import { Replicas } from "./replicas.ts";

export interface DevicePost extends Post {
  /** Somebody who lost the device may have written it late. */
  suspect(): void;
}

export interface LeasesPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observe: Pick<Observe, "leased" | "replicas">;
}

export interface LeasesOptions {
  /** Of this process, and of no other that ever was. */
  readonly identity: string;
  readonly seconds: number;
  readonly devices: readonly string[];
  /** What is said of a device to the others, with each renewal. */
  readonly word: (device: string) => DeviceWord;
}

/** A free device is left to replicas below their aim for so long, and then taken by anybody. */
const PATIENCE_MS = 1000;
/** A surplus is handed over when it was there for so long: who holds what changes in steps. */
const STEADY_MS = 2000;

/** That a device was lost is told when NATS can be reached again. */
const LATE_AGAIN_MS = 1000;
const LATE_TRIES = 60;

const SILENT = { missed: () => undefined, turned: () => undefined };

/** The part of this process in the work of all pushers: which devices it holds, and who else is there. */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #ports: LeasesPorts;
  readonly #board: LeaseBoard;
  readonly #replicas: Replicas;
  readonly #devices = new Map<string, Lease>();
  readonly #clusters: Lease;
  readonly #tenures = new Map<string, Tenure>();
  #surplusSince: number | undefined;

  constructor(options: LeasesOptions, ports: LeasesPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#board = new LeaseBoard(ports);
    this.#replicas = new Replicas(options, { ...ports, board: this.#board });
    for (const device of options.devices) {
      const key = deviceLeaseKey(device);
      this.#devices.set(
        device,
        this.#lease(key, () => options.word(device)),
      );
    }
    this.#clusters = this.#lease(CLUSTERS_LEASE_KEY);
    this.#board.onChange((key) => {
      if (key.startsWith(REPLICA_PREFIX)) this.#ring();
    });
  }

  /** This process may call the device now. Ask just before each call. */
  holds(device: string): boolean {
    return this.#devices.get(device)?.held === true;
  }

  /** This process speaks for the clusters. */
  get holdsClusters(): boolean {
    return this.#clusters.held;
  }

  /** The device's work runs here, and nobody else can have it yet. */
  serves(device: string): boolean {
    return this.holds(device) && this.#tenures.get(device)?.serving === true;
  }

  /** What the holder of a device last said; undefined where nobody holds it, or says anything. */
  word(device: string): DeviceWord | undefined {
    const key = deviceLeaseKey(device);
    return this.#board.holder(key) === undefined ? undefined : this.#board.seen(key)?.entry?.word;
  }

  /** What is said of a device changed. */
  say(device: string): void {
    this.#devices.get(device)?.say();
  }

  /** Others may hand devices over from now on. */
  join(): void {
    this.#replicas.join();
  }

  /** Follows and announces until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#board.run(signal), this.#replicas.run(signal)]);
  }

  /** Does a device's work whenever it is held, until the signal. */
  async serve(device: string, post: DevicePost, signal: AbortSignal): Promise<void> {
    const lease = this.#devices.get(device);
    if (lease === undefined) throw new RangeError(`no such device: ${device}`);
    const tenure = new Tenure(lease, post, {
      ...this.#ports,
      board: this.#board,
      patience: (freeMs) => this.#patience(device, freeMs),
      missed: () => this.#ring(),
      turned: (turn) => this.#turned(device, turn),
    });
    this.#tenures.set(device, tenure);
    const unheard = this.#board.onChange((key) => {
      if (key === lateKey(device)) this.#heardLate(device, tenure, post);
      if (key !== wantedKey(device)) return;
      if (this.#isWanted(device)) tenure.handOver();
      else tenure.ring();
    });
    try {
      await tenure.run(signal);
    } finally {
      unheard();
    }
  }

  /** Speaks for the clusters whenever that lease is held, until the signal. */
  async serveClusters(post: Post, signal: AbortSignal): Promise<void> {
    const ports = { ...this.#ports, board: this.#board, patience: () => 0, ...SILENT };
    await new Tenure(this.#clusters, post, ports).run(signal);
  }

  /** Hands over what is more than this replica's share. Call once a second. */
  tick(now: number): void {
    this.#replicas.tick(now);
    const surplus = surplusOf(this.#sharing());
    if (surplus === 0) {
      this.#surplusSince = undefined;
      return;
    }
    this.#surplusSince ??= now;
    if (now - this.#surplusSince < STEADY_MS) return;
    this.#surplusSince = undefined;
    const serving = [...this.#tenures].filter(([, tenure]) => tenure.serving);
    for (const [device, tenure] of serving.slice(-surplus)) {
      this.#ports.logger.info({ device, replicas: this.#replicas.alive.length }, "the device is handed over");
      tenure.handOver();
    }
  }

  /** A command needs the device for itself. */
  #isWanted(device: string): boolean {
    return this.#board.holder(wantedKey(device)) !== undefined;
  }

  #patience(device: string, freeMs: number): number {
    if (this.#isWanted(device)) return PATIENCE_MS;
    const active = [...this.#tenures.values()].filter((tenure) => tenure.active).length;
    const aim = aimOf({ devices: this.#options.devices.length, replicas: this.#replicas.alive });
    return active < aim ? 0 : PATIENCE_MS - freeMs;
  }

  #sharing(): Sharing {
    const { identity: self, devices } = this.#options;
    const held = new Map<string, number>();
    for (const device of devices) {
      const holder = this.#board.holder(deviceLeaseKey(device));
      if (holder !== undefined) held.set(holder, (held.get(holder) ?? 0) + 1);
    }
    return { self, devices: devices.length, replicas: this.#replicas.alive, held };
  }

  #turned(device: string, turn: LeaseTurn): void {
    this.#ports.observe.leased(device, turn);
    this.#ring();
    if (turn === "lost") void this.#tellLate(device);
  }

  /** How many devices are held, and by how many, decides whether a free one may be taken. */
  #ring(): void {
    for (const tenure of this.#tenures.values()) tenure.ring();
  }

  /**
   * Tells the next holder to read again: a process that was paused may have sent a call when it woke up, long after
   * its lease was over. Nobody needs it to be right in the end: everything is read again each drift period.
   */
  async #tellLate(device: string): Promise<void> {
    const { identity: holder, seconds } = this.#options;
    const { clock } = this.#ports;
    for (let attempt = 0; attempt < LATE_TRIES; attempt += 1) {
      if (await this.#board.put(lateKey(device), buildLease({ holder, seconds, clean: false }))) return;
      await clock.sleep(LATE_AGAIN_MS);
    }
  }

  #heardLate(device: string, tenure: Tenure, post: DevicePost): void {
    const key = lateKey(device);
    const by = this.#board.seen(key)?.entry?.holder;
    if (by === undefined || !tenure.serving) return;
    this.#ports.logger.info(
      { device, by },
      "the pusher that lost the device may have written late: it is read again",
    );
    post.suspect();
    void this.#board.remove(key);
  }

  #lease(key: string, word?: () => DeviceWord): Lease {
    const { identity, seconds } = this.#options;
    const options = { key, identity, seconds, ...(word && { word }) };
    return new Lease(options, { ...this.#ports, board: this.#board });
  }
}
