import { FirewallError } from "../firewall.ts";
import { reasonOf } from "./outcome.ts";
import { TransportError, type DeviceTransport } from "./transport.ts";
import { parseReply, type Reply } from "./wire/envelope.ts";
import { mayBeDone } from "./wire/refusal.ts";
import type { WireRequest } from "./wire/request.ts";

export interface ClientOptions {
  readonly transport: DeviceTransport;
  readonly vdom: string;
  /** For each exchange. */
  readonly timeoutMs: number;
  /** Another unit answers under this address: a failover. Told once for each change. */
  readonly onFailover?: ((from: string, to: string) => void) | undefined;
}

/** What a write came to. `lost`: no answer that says whether it was done. */
export type Written =
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "lost"; readonly error: TransportError | Reply };

/** One VDOM of one device: requests in, replies out. Knows nothing of groups. */
export class Client {
  readonly vdom: string;
  readonly #options: ClientOptions;
  #serial: string | undefined;
  #version: string | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.vdom = options.vdom;
  }

  /** Of the last envelope that told it: after a failover it may be another one. */
  get version(): string | undefined {
    return this.#version;
  }

  get serial(): string | undefined {
    return this.#serial;
  }

  /** @throws FirewallError where no answer came */
  async read(request: WireRequest, signal: AbortSignal): Promise<Reply> {
    try {
      return await this.#send(request, signal);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      throw new FirewallError(reasonOf(error), `${request.template}: ${error.message}`);
    }
  }

  /** @throws TransportError where the request surely did not arrive */
  async write(request: WireRequest, signal: AbortSignal): Promise<Written> {
    try {
      const reply = await this.#send(request, signal);
      return !reply.ok && mayBeDone(reply) ? { kind: "lost", error: reply } : { kind: "reply", reply };
    } catch (error) {
      if (!(error instanceof TransportError) || !error.maybeSent) throw error;
      return { kind: "lost", error };
    }
  }

  async #send(request: WireRequest, signal: AbortSignal): Promise<Reply> {
    const { transport, vdom, timeoutMs } = this.#options;
    const { status, body } = await transport.send({
      method: request.method,
      path: request.path,
      query: [["vdom", vdom], ...request.query],
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      timeoutMs,
      signal,
    });
    const reply = parseReply(status, body, vdom);
    this.#version = reply.version ?? this.#version;
    const before = this.#serial;
    this.#serial = reply.serial ?? before;
    if (before !== undefined && this.#serial !== undefined && this.#serial !== before) {
      this.#options.onFailover?.(before, this.#serial);
    }
    return reply;
  }
}
