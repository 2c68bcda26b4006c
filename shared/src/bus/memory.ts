import type { Clock } from "../runtime/clock.ts";
import { BusError, type Bus, type StoredMessage, type StreamInfo } from "./bus.ts";
import { MemoryClient } from "./memory-client.ts";
import {
  MemoryStream,
  type MemoryLimits,
  type MemoryMessage,
  type Put,
  type StreamSnapshot,
} from "./memory-stream.ts";
import { differences, firstSequenceAt, unfitness, type WireConfig } from "./stream-wire.ts";
import { covers } from "./subjects.ts";

export type { StreamSnapshot } from "./memory-stream.ts";

/** What happens to a request on its way. */
type Fault = "lost-request" | "lost-reply";

export interface MemoryBusOptions {
  readonly clock: Clock;
  /** Every message at the moment it is stored: what a test's oracle looks at. */
  readonly onStored?: (stream: string, message: StoredMessage) => void;
}

/**
 * A nats-server with JetStream in this process: streams, buckets, TTL on the clock that is passed in, and every
 * fault the contract suite knows. A request is handled at the call and answered in a microtask, so a run is
 * exactly repeatable. For tests and simulation only.
 */
export class MemoryBusServer {
  readonly clock: Clock;
  readonly #onStored: MemoryBusOptions["onStored"];
  readonly #streams = new Map<string, { readonly stream: MemoryStream; readonly config: WireConfig }>();
  readonly #clients = new Set<MemoryClient>();
  readonly #faults: Fault[] = [];
  readonly #refused = new Set<string>();
  readonly #muted = new Set<string>();
  readonly #held = new Map<string, (() => void)[]>();
  #online = true;
  #refusesFull: (() => void) | undefined;
  #made = 0;

  constructor(options: MemoryBusOptions) {
    this.clock = options.clock;
    this.#onStored = options.onStored;
  }

  /** A client's connection; `user` names it for `refuse` and `hold`. */
  connect(user = "user"): Bus {
    const client = new MemoryClient(this, user);
    this.#clients.add(client);
    return client;
  }

  // ---- faults ----

  /** The next `count` publishes are stored, but their writer gets no answer (`unknown`). */
  dropReplies(count: number): void {
    for (let n = 0; n < count; n += 1) this.#faults.push("lost-reply");
  }

  /** The next `count` publishes get lost on their way (`unknown`, not stored). */
  dropRequests(count: number): void {
    for (let n = 0; n < count; n += 1) this.#faults.push("lost-request");
  }

  /** Cuts every connection; clients come back at once unless the server is stopped. */
  disconnectClients(): void {
    for (const client of this.#clients) client.cut();
    if (this.#online) for (const client of this.#clients) client.restored();
  }

  /** As `kill -9`: connections are lost until `start`; what was stored stays. */
  stop(): void {
    this.#online = false;
    this.disconnectClients();
  }

  start(): void {
    this.#online = true;
    for (const client of this.#clients) client.restored();
  }

  snapshot(stream: string): StreamSnapshot {
    return this.#get(stream).snapshot();
  }

  /** Puts an older copy in the stream's place; who follows it is interrupted. */
  restore(stream: string, copy: StreamSnapshot): void {
    this.#get(stream).restore(copy);
    this.#interrupt(stream, "the stream was restored");
  }

  deleteStream(name: string): void {
    this.#streams.delete(name);
    this.#interrupt(name, "the stream was deleted");
  }

  /** Deleted and made again with the same configuration. */
  remakeStream(name: string): void {
    const config = this.#streams.get(name)?.config;
    if (config === undefined) throw new BusError("no-stream", `no stream ${name}`);
    this.deleteStream(name);
    this.create(config);
  }

  /** From now on every request of this user is answered with `forbidden`. */
  refuse(user: string): void {
    this.#refused.add(user);
  }

  allow(user: string): void {
    this.#refused.delete(user);
  }

  /**
   * Its disk is full: until `makeRoom` no message is stored, of whatever stream; what is stored can be read.
   * @param refused called for each message that is not
   */
  fill(refused: () => void = () => undefined): void {
    this.#refusesFull = refused;
  }

  makeRoom(): void {
    this.#refusesFull = undefined;
  }

  /** Keeps the user's publishes on the wire, as when its process or network is stopped. */
  hold(user: string): void {
    if (!this.#held.has(user)) this.#held.set(user, []);
  }

  /** Lets what waits go on, the oldest first; with a `count` the rest stays on the wire. */
  release(user: string, count = Number.POSITIVE_INFINITY): void {
    const waiting = this.#held.get(user) ?? [];
    if (count >= waiting.length) this.#held.delete(user);
    for (const run of waiting.splice(0, count)) run();
  }

  /** From now until its connection is cut, the user's publishes are stored but no answer reaches it. */
  mute(user: string): void {
    this.#muted.add(user);
  }

  /** Cuts one user's connections; they come back at once unless the server is stopped. */
  cut(user: string): void {
    this.#muted.delete(user);
    for (const client of this.#clients) {
      if (client.user !== user) continue;
      client.cut();
      if (this.#online) client.restored();
    }
  }

  // ---- what clients ask ----

  get online(): boolean {
    return this.#online;
  }

  forget(client: MemoryClient): void {
    this.#clients.delete(client);
  }

  check(user: string): void {
    if (this.#refused.has(user)) throw new BusError("forbidden", `NATS forbids this to ${user}`);
  }

  info(name: string, wanted?: WireConfig): StreamInfo | undefined {
    const held = this.#streams.get(name);
    if (held === undefined) return undefined;
    return {
      created: held.stream.created,
      firstSequence: held.stream.firstSequence,
      lastSequence: held.stream.lastSequence,
      messages: held.stream.messages().length,
      differences: differences(held.config, wanted),
      unfit: unfitness(held.config),
    };
  }

  /** Also takes a wrong configuration, as an operator's hand would make it. */
  create(config: WireConfig): StreamInfo {
    const name = String(config["name"]);
    if (!this.#streams.has(name)) {
      const now = this.clock.now();
      this.#made += 1;
      const created = new Date(now).toISOString().replace("Z", `${String(this.#made).padStart(6, "0")}Z`);
      const subjects = config["subjects"] as string[];
      const start = { created, firstSequence: firstSequenceAt(now) };
      const stream = new MemoryStream(name, subjects, limitsIn(config), start, () => this.clock.now());
      this.#streams.set(name, { stream, config });
    }
    return this.info(name, config) as StreamInfo;
  }

  /** @throws BusError `no-stream` */
  stream(name: string): MemoryStream {
    return this.#get(name);
  }

  publish(user: string, put: Put, stream?: string): Promise<MemoryMessage> {
    const handle = (): Promise<MemoryMessage> => this.#handle(user, put, stream);
    const waiting = this.#held.get(user);
    if (waiting === undefined) return handle();
    return new Promise((resolve) => waiting.push(() => resolve(handle())));
  }

  async #handle(user: string, put: Put, stream?: string): Promise<MemoryMessage> {
    this.check(user);
    if (!this.#online) throw new BusError("unknown", "not connected to NATS");
    const fault = this.#faults.shift();
    if (fault === "lost-request") throw new BusError("unknown", `${put.subject}: no answer in time`);
    const target = this.#takerOf(put.subject, stream);
    if (this.#refusesFull !== undefined) {
      this.#refusesFull();
      throw new BusError("full", `${put.subject}: insufficient storage resources available`);
    }
    const message = target.put(put);
    this.#onStored?.(target.name, message);
    for (const client of this.#clients) client.stored(target.name, message);
    if (this.#muted.has(user)) return new Promise(() => undefined);
    if (fault === "lost-reply") throw new BusError("unknown", `${put.subject}: no answer in time`);
    return message;
  }

  notify(subject: string): void {
    if (this.#online) for (const client of this.#clients) client.notified(subject);
  }

  #takerOf(subject: string, stream?: string): MemoryStream {
    for (const held of this.#streams.values()) {
      if (stream !== undefined && held.stream.name !== stream) continue;
      if (held.stream.subjects.some((filter) => covers(filter, subject))) return held.stream;
    }
    throw new BusError("no-stream", `${subject}: nobody answers (no such stream)`);
  }

  #get(name: string): MemoryStream {
    const held = this.#streams.get(name);
    if (held === undefined) throw new BusError("no-stream", `stream ${name} does not exist`);
    return held.stream;
  }

  #interrupt(stream: string, reason: string): void {
    for (const client of this.#clients) client.interrupt(stream, reason);
  }
}

function limitsIn(config: WireConfig): MemoryLimits {
  const limit = (field: string): number => {
    const value = Number(config[field] ?? -1);
    return value < 0 ? Number.POSITIVE_INFINITY : value;
  };
  return {
    maxBytes: limit("max_bytes"),
    maxMessages: limit("max_msgs"),
    maxMessageBytes: limit("max_msg_size"),
    takesTtl: config["allow_msg_ttl"] === true,
  };
}
