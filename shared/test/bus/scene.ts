import { Publisher, type TroubleKind } from "../../src/bus/publisher.ts";
import { follow, readAll, type ReaderItem } from "../../src/bus/reader.ts";
import { streamWire, type WireConfig } from "../../src/bus/stream-wire.ts";
import { streamFor, type TopologyOptions } from "../../src/bus/topology.ts";
import type { Bus, StoredMessage, StreamConfig, StreamInfo } from "../../src/bus/bus.ts";
import { memberSubject, stateSubject } from "../../src/contract/subjects.ts";
import { stateOf, string, text, type Environment, type Link } from "./environment.ts";

let scenes = 0;

/** One cluster's stream in an environment, and who writes and reads it. */
export class Scene {
  readonly env: Environment;
  readonly cluster: string;
  readonly stream: string;
  readonly link: Link;
  readonly #config: StreamConfig;
  readonly #ending = new AbortController();

  private constructor(env: Environment, cluster: string, config: StreamConfig, link: Link) {
    this.env = env;
    this.cluster = cluster;
    this.stream = config.name;
    this.#config = config;
    this.link = link;
  }

  static async make(env: Environment, options: Partial<TopologyOptions> = {}): Promise<Scene> {
    scenes += 1;
    const cluster = `c${scenes}`;
    const link = await env.link();
    const config = streamFor(cluster, {
      replicas: env.replicas,
      maxBytes: 20_000_000,
      maxMessages: 20_000,
      maxMessageBytes: 100_000,
      ...options,
    });
    await link.bus.createStream(config);
    return new Scene(env, cluster, config, link);
  }

  /** Makes the stream again after it was deleted. */
  async remake(): Promise<void> {
    await this.bus.createStream(this.#config);
  }

  get bus(): Bus {
    return this.link.bus;
  }

  end(): void {
    this.#ending.abort();
  }

  async info(): Promise<StreamInfo> {
    const info = await this.bus.streamInfo(this.stream);
    if (info === undefined) throw new Error(`no stream ${this.stream}`);
    return info;
  }

  subject(name: string): string {
    const [group = "", address = ""] = name.split("/");
    return memberSubject(this.cluster, group, address);
  }

  /** Straight to the port, without a publisher. */
  async put(name: string, body: string, ttlSeconds?: number): Promise<number> {
    const { lastSequence } = await this.info();
    const message = { subject: this.subject(name), data: text(body), expectLastSequence: lastSequence };
    const ttl = ttlSeconds !== undefined && { ttlSeconds };
    return (await this.bus.publish({ stream: this.stream, ...message, ...ttl })).sequence;
  }

  unclaimed(): Publisher {
    const { clock } = this.env;
    return new Publisher({
      bus: this.bus,
      stream: this.stream,
      clock,
      random: Math.random,
      signal: this.#ending.signal,
    });
  }

  /** As the stream should be, in the server's words. */
  get wire(): WireConfig {
    return streamWire(this.#config);
  }

  async claim(
    bus: Bus = this.bus,
    onTrouble: (kind: TroubleKind, message: string) => void = () => undefined,
  ): Promise<Writer> {
    const troubles: TroubleKind[] = [];
    const publisher = new Publisher({
      bus,
      stream: this.stream,
      clock: this.env.clock,
      random: Math.random,
      signal: this.#ending.signal,
      onTrouble: (kind, message) => {
        troubles.push(kind);
        onTrouble(kind, message);
      },
    });
    const epoch = await publisher.claim((claimed) => stateOf(this.cluster, claimed));
    const write = (name: string, body: string, ttlSeconds?: number): Promise<number> =>
      publisher.publish(
        { subject: this.subject(name), data: text(body) },
        ttlSeconds === undefined ? {} : { ttlSeconds },
      );
    return { publisher, epoch, troubles, write };
  }

  /** The last message of each subject, in the order in which they were read. */
  async table(bus: Bus = this.bus, onMessage = (): void => undefined): Promise<StoredMessage[]> {
    const { clock } = this.env;
    let messages: StoredMessage[] = [];
    const options = { signal: this.#ending.signal, clock, random: Math.random };
    const whole = await readAll(bus, this.stream, options, () => {
      messages = [];
      return (message) => {
        messages.push(message);
        onMessage();
      };
    });
    if (!whole) throw new Error("the scene has ended");
    return messages;
  }

  /** The members' bodies by subject: without the state message. */
  async rows(): Promise<Record<string, string>> {
    const rows: Record<string, string> = {};
    for (const { subject, data } of await this.table()) {
      if (subject !== stateSubject(this.cluster)) rows[subject] = string(data);
    }
    return rows;
  }

  follow(bus: Bus = this.bus): ReaderItem[] {
    const items: ReaderItem[] = [];
    const { clock } = this.env;
    const options = { signal: this.#ending.signal, clock, random: Math.random };
    void (async () => {
      for await (const item of follow(bus, this.stream, options)) items.push(item);
    })();
    return items;
  }
}

export interface Writer {
  readonly publisher: Publisher;
  readonly epoch: { readonly created: string; readonly sequence: number };
  readonly troubles: readonly TroubleKind[];
  write(name: string, body: string, ttlSeconds?: number): Promise<number>;
}

/** "done" or the error's name and reason. */
export const outcome = async (result: Promise<unknown>): Promise<string> => {
  try {
    await result;
    return "done";
  } catch (error) {
    if (!(error instanceof Error)) return "thrown";
    const why = "reason" in error ? error.reason : "kind" in error ? error.kind : error.message;
    return `${error.name} ${String(why)}`;
  }
};

export const bodies = (items: readonly ReaderItem[]): string[] =>
  items.flatMap((item) => (item.kind === "message" ? [string(item.data)] : []));

/** Reads to the end. */
export async function drained<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
