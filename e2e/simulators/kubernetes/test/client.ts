import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

/** How a test reaches an API server, simulated or real. */
export interface Access {
  readonly url: string;
  readonly token?: string | undefined;
  /** PEM. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly body: Obj;
}

export interface Obj {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly continue?: string;
    readonly remainingItemCount?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly [field: string]: unknown };
  readonly status?: { readonly [field: string]: unknown };
  readonly items?: readonly Obj[];
  readonly [field: string]: unknown;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Obj;
}

/** A plain client: one request, one answer; and watches, read event by event. */
export class Client {
  readonly access: Access;
  constructor(access: Access) {
    this.access = access;
  }

  async call(method: string, path: string, body?: unknown, contentType = "application/json"): Promise<Reply> {
    const response = await this.open(method, path, body, contentType);
    let text = "";
    for await (const chunk of response) text += String(chunk);
    // Some refusals of a real server are plain text: "404 page not found".
    const isJson = text.startsWith("{");
    return { status: response.statusCode ?? 0, body: isJson ? (JSON.parse(text) as Obj) : { metadata: {} } };
  }

  patch(path: string, body: unknown): Promise<Reply> {
    return this.call("PATCH", path, body, "application/merge-patch+json");
  }

  /** Resolves when the headers are there. */
  open(method: string, path: string, body?: unknown, contentType?: string): Promise<IncomingMessage> {
    const { url, token, ca, cert, key } = this.access;
    const target = new URL(path, url);
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": contentType ?? "application/json" }),
    };
    const tls = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, pem]) => pem !== undefined));
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing =
      target.protocol === "https:"
        ? httpsRequest(target, { method, headers, ...tls })
        : httpRequest(target, { method, headers });
    outgoing.once("response", (response) => resolve(response.setEncoding("utf8")));
    outgoing.once("error", reject);
    outgoing.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
    return promise;
  }

  async watch(path: string, query: Readonly<Record<string, string>> = {}): Promise<WatchReader> {
    const response = await this.open(
      "GET",
      `${path}?${new URLSearchParams({ watch: "1", ...query }).toString()}`,
    );
    return new WatchReader(response);
  }
}

export class WatchReader {
  readonly status: number;
  readonly #response: IncomingMessage;
  readonly #events: AsyncGenerator<WatchEvent, undefined>;

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.#events = events(response);
  }

  /** The next event; undefined when the server has ended the watch. @throws when the connection is lost */
  async next(): Promise<WatchEvent | undefined> {
    const { value } = await this.#events.next();
    return value;
  }

  /** Events up to and with the first that fits; fails when the watch ends before. */
  async until(fits: (event: WatchEvent) => boolean): Promise<WatchEvent[]> {
    const seen: WatchEvent[] = [];
    for (;;) {
      const event = await this.next();
      if (event === undefined)
        throw new Error(`the watch ended; seen: ${seen.map(({ type }) => type).join(" ")}`);
      seen.push(event);
      if (fits(event)) return seen;
    }
  }

  /** Everything until the server ends it. */
  async rest(): Promise<WatchEvent[]> {
    const seen: WatchEvent[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) seen.push(event);
    return seen;
  }

  close(): void {
    this.#response.destroy();
  }
}

async function* events(response: IncomingMessage): AsyncGenerator<WatchEvent, undefined> {
  let text = "";
  for await (const chunk of response) {
    text += String(chunk);
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      yield JSON.parse(line) as WatchEvent;
    }
  }
  return undefined;
}
