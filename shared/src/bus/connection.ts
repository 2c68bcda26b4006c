import { isIP } from "node:net";
import { connect, createInbox, headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import { backoff } from "../runtime/backoff.ts";
import { BusError } from "./bus.ts";
import { authenticatorFor, type Credentials } from "./credentials.ts";
import { busError } from "./nats-errors.ts";

export interface ConnectionOptions {
  /** `nats://host:port` or `tls://host:port`; credentials never stand in a URL. */
  readonly servers: readonly string[];
  /** What the server's list of connections shows. */
  readonly name: string;
  readonly credentials: Credentials;
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** A cluster's user may subscribe only below its own prefix; default `_INBOX`. */
  readonly inboxPrefix?: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Without an answer by then, a request fails with `unknown`. Default 5000 ms. */
  readonly requestTimeoutMs?: number;
  /** One line on each failed connect attempt and each refusal by the server. */
  readonly onTrouble?: (message: string) => void;
}

const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT = { baseMs: 100, capMs: 2000 };
/** A dead server is noticed after two unanswered pings. */
const PING_MS = 5000;

/**
 * One standing connection to NATS. The library's own reconnection is off: it buffers what is written while
 * disconnected and lets requests in flight run into their timeouts. Here a lost connection fails everything in
 * flight at once, and a new one is made for ever, with fresh credentials and certificates each time.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #subscriptions = new Map<string, Set<() => void>>();
  readonly #running: Promise<void>;
  #current: NatsConnection | undefined;
  #turn: number;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#turn = Math.floor(options.random() * options.servers.length);
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#current !== undefined;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  onConnection(run: (connected: boolean) => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  /** The library's connection as it is now. @throws BusError `unknown` when there is none */
  current(): NatsConnection {
    if (this.closed) throw new BusError("closed", "the connection to NATS was closed");
    if (this.#current === undefined) throw new BusError("unknown", "not connected to NATS");
    return this.#current;
  }

  inbox(): string {
    return createInbox(this.#options.inboxPrefix);
  }

  /**
   * Sends at once (the order of calls is the order on the wire) and waits for one reply.
   *
   * @throws BusError
   */
  request(
    subject: string,
    data: Uint8Array,
    header?: Readonly<Record<string, string>>,
    timeoutMs: number = this.#options.requestTimeoutMs ?? 5000,
  ): Promise<Msg> {
    try {
      const connection = this.current();
      const options = { timeout: timeoutMs, ...(header && { headers: headersOf(header) }) };
      return connection.request(subject, data, options).catch((error: unknown) => {
        throw busError(error, subject);
      });
    } catch (error) {
      return Promise.reject(busError(error, subject));
    }
  }

  /** A subscription that outlives connections. Returns its own end. */
  subscribe(subject: string, run: () => void): () => void {
    const runs = this.#subscriptions.get(subject) ?? new Set();
    const first = runs.size === 0;
    runs.add(run);
    this.#subscriptions.set(subject, runs);
    if (first && this.#current !== undefined) this.#attach(this.#current, subject);
    return () => runs.delete(run);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const current = this.#current;
    this.#set(undefined);
    await current?.close().catch(() => undefined);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    for (let attempt = 0; !this.closed; attempt += 1) {
      try {
        const connection = await this.#connect();
        attempt = 0;
        if (this.closed) await connection.close();
        else await this.#live(connection);
      } catch (error) {
        this.trouble(busError(error, "connect").message);
      }
      if (this.closed) return;
      await clock.sleep(backoff(attempt, RECONNECT, random), this.#closing.signal).catch(() => undefined);
    }
  }

  /** One server at a time, in turn: the back-off between attempts is ours. */
  #connect(): Promise<NatsConnection> {
    const { servers, name, credentials, tls, inboxPrefix } = this.#options;
    const server = servers[this.#turn % servers.length] ?? "";
    this.#turn += 1;
    const authenticator = authenticatorFor(credentials);
    return connect({
      servers: [server],
      name,
      ...(authenticator && { authenticator }),
      ...(tls && { tls: { ...tls, ...addressOf(server) } }),
      ...(inboxPrefix !== undefined && { inboxPrefix }),
      reconnect: false,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
      noAsyncTraces: true,
    });
  }

  async #live(connection: NatsConnection): Promise<void> {
    for (const subject of this.#subscriptions.keys()) this.#attach(connection, subject);
    void this.#watchStatus(connection);
    this.#set(connection);
    const reason = await connection.closed();
    this.#set(undefined);
    if (!this.closed) {
      this.trouble(`connection to NATS lost${reason instanceof Error ? `: ${reason.message}` : ""}`);
    }
  }

  async #watchStatus(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "error") this.trouble(`NATS says: ${status.error.message}`);
    }
  }

  #attach(connection: NatsConnection, subject: string): void {
    connection.subscribe(subject, {
      callback: (error) => {
        if (error) return;
        for (const run of this.#subscriptions.get(subject) ?? []) run();
      },
    });
  }

  #set(connection: NatsConnection | undefined): void {
    const before = this.connected;
    this.#current = connection;
    if (before === this.connected) return;
    for (const run of this.#listeners) run(this.connected);
  }

  trouble(message: string): void {
    this.#options.onTrouble?.(message);
  }
}

/**
 * The library leaves the server's name out of the TLS handshake when it is an address, and Node then checks the
 * certificate against "localhost"; it passes this field on to Node.
 */
function addressOf(server: string): { readonly host?: string } {
  const { hostname } = new URL(server.includes("://") ? server : `nats://${server}`);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? {} : { host };
}

function headersOf(fields: Readonly<Record<string, string>>): ReturnType<typeof headers> {
  const built = headers();
  for (const [name, value] of Object.entries(fields)) built.set(name, value);
  return built;
}
