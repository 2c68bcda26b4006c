import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { ApiServer } from "./api-server.ts";
import type { Clock } from "./clock.ts";
import type { Watch } from "./watch.ts";

export interface Tls {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

export interface Listening {
  readonly port: number;
  /** Connections that are open now. */
  connections(): number;
  close(): Promise<void>;
}

/** Lines are gathered up to this many characters before they are written. */
const CHUNK = 64 * 1024;

/** The HTTP edge of an API server; with `tls` it speaks TLS. */
export async function listen(
  api: ApiServer,
  clock: Clock,
  host: string,
  port: number,
  tls?: Tls,
): Promise<Listening> {
  const sockets = new Set<Socket>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    answer(api, clock, request, response).catch(() => response.destroy());
  };
  const server = tls
    ? createHttpsServer({ key: tls.key, cert: tls.certificate }, onRequest)
    : createHttpServer(onRequest);
  server.keepAliveTimeout = 120_000;
  server.on("connection", (socket: Socket) => {
    // As the real server: a watch event does not wait for the acknowledgment of the one before.
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(
  api: ApiServer,
  clock: Clock,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "GET", url = "/" } = request;
  const headers = {
    authorization: request.headers.authorization,
    "content-type": request.headers["content-type"],
  };
  const given = api.handle({ method, url, headers, body: Buffer.concat(chunks).toString() }, clock.now());
  if (given.hold > 0) await new Promise<void>((resolve) => clock.timer(given.hold, resolve));
  const cut = (): void => void request.socket.destroy();
  const { content } = given;
  if (content.kind === "cut") return cut();
  if (content.kind === "hang") return;
  const output = new Output(response, given.truncate, cut);
  if (content.kind === "watch") {
    output.head(200);
    await stream(content.watch, clock, output);
    api.forget(content.watch);
  } else {
    output.head(content.status);
    for (const piece of gathered(content.body)) if (!(await output.write(piece))) return;
  }
  output.end();
}

async function stream(watch: Watch, clock: Clock, output: Output): Promise<void> {
  const bell = new Bell(clock);
  watch.onReady = () => bell.ring();
  watch.onCut = () => {
    output.cut();
    bell.ring();
  };
  output.onClose(() => bell.ring());
  while (output.open) {
    let wrote = false;
    for (const piece of gathered(pending(watch))) {
      if (!(await output.write(piece))) return;
      wrote = true;
    }
    // More may have come while this was written.
    if (wrote) continue;
    if (watch.ended) return;
    const wait = watch.silent ? SILENT_MS : Math.max(1, watch.wakeAt - clock.now());
    if (!(await bell.wait(wait))) watch.tick(clock.now());
  }
}

/** A watch that says nothing looks this often whether its client has gone. */
const SILENT_MS = 60_000;

/** Somebody waits, until it rings or the time is over. A ring that nobody waits for is not kept. */
class Bell {
  readonly #clock: Clock;
  #ring: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#ring?.();
  }

  /** @returns whether it rang */
  async wait(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#ring = () => resolve(true);
    const cancel = this.#clock.timer(ms, () => resolve(false));
    const rang = await promise;
    this.#ring = undefined;
    cancel();
    return rang;
  }
}

function* pending(watch: Watch): Generator<string> {
  for (let line = watch.next(); line !== undefined; line = watch.next()) yield line;
}

function* gathered(pieces: Iterable<string>): Generator<string> {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

/** One response, at the pace of its reader. */
class Output {
  readonly #response: ServerResponse;
  readonly cut: () => void;
  #left: number;

  constructor(response: ServerResponse, most: number | undefined, cut: () => void) {
    this.#response = response;
    this.#left = most ?? Number.POSITIVE_INFINITY;
    this.cut = cut;
  }

  get open(): boolean {
    return !this.#response.destroyed && !this.#response.closed;
  }

  onClose(run: () => void): void {
    this.#response.once("close", run);
  }

  head(status: number): void {
    this.#response.writeHead(status, { "content-type": "application/json" });
    this.#response.flushHeaders();
  }

  /** @returns false when nobody reads any more */
  async write(text: string): Promise<boolean> {
    if (!this.open) return false;
    const bytes = Buffer.from(text);
    const most = Math.min(bytes.length, this.#left);
    this.#left -= most;
    const flows = this.#response.write(bytes.subarray(0, most));
    if (most < bytes.length) {
      await new Promise<void>((resolve) => {
        this.#response.write("", () => resolve());
      });
      this.cut();
      return false;
    }
    if (!flows) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#response.off("drain", done).off("close", done);
          resolve();
        };
        this.#response.once("drain", done).once("close", done);
      });
    }
    return this.open;
  }

  end(): void {
    if (this.open) this.#response.end();
  }
}
