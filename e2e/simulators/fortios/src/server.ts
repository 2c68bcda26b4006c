import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Certificates } from "./certificate.ts";
import type { Device } from "./device.ts";
import type { Answer, DeviceRequest } from "./request.ts";

export interface Listening {
  readonly port: number;
  /** Another certificate from now on; open connections end. No use without TLS. */
  renew(tls: Certificates): void;
  close(): Promise<void>;
}

/** `reset` ends the connection of the request with a TCP reset. */
export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  reset: (request: IncomingMessage) => void,
) => Promise<void>;

/** Listens; with certificates it speaks TLS. `close` drops open connections. */
export async function listen(
  handler: Handler,
  host: string,
  port: number,
  tls?: Certificates,
): Promise<Listening> {
  const sockets = new Set<Socket>();
  /** A TLS socket cannot be reset, the TCP socket under it can: found by the client's port. */
  const byPort = new Map<number, Socket>();
  const reset = (request: IncomingMessage): void => {
    byPort.get(request.socket.remotePort ?? 0)?.resetAndDestroy();
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    handler(request, response, reset).catch(() => {
      response.destroy();
    });
  };
  const server: Server | TlsServer =
    tls === undefined
      ? createHttpServer(onRequest)
      : createHttpsServer({ key: tls.key, cert: tls.certificate }, onRequest);
  server.keepAliveTimeout = 120_000;
  server.on("connection", (socket: Socket) => {
    const { remotePort = 0 } = socket;
    sockets.add(socket);
    byPort.set(remotePort, socket);
    socket.on("close", () => {
      sockets.delete(socket);
      if (byPort.get(remotePort) === socket) byPort.delete(remotePort);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    port: bound,
    renew: ({ key, certificate }) => {
      if ("setSecureContext" in server) server.setSecureContext({ key, cert: certificate });
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function headersOf(request: IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

/** The device's own web server. One write at a time: there is one configuration lock. */
export function deviceHandler(device: Device): Handler {
  let lock: Promise<undefined> = Promise.resolve(undefined);
  return async (incoming, response, reset) => {
    const arrivedAt = Date.now();
    const monotonic = performance.now();
    const request: DeviceRequest = {
      method: incoming.method ?? "GET",
      url: incoming.url ?? "/",
      headers: headersOf(incoming),
      body: await readBody(incoming),
      source: (incoming.socket.remoteAddress ?? "").replace(/^::ffff:/, ""),
      arrivedAt,
      monotonic,
    };
    const admission = device.admit(request, Date.now());
    const perform = async (): Promise<Answer> => {
      if (admission.hold > 0) await pause(admission.hold);
      return device.handle(request, Date.now(), admission);
    };
    let answer: Answer;
    if (admission.locks) {
      const before = lock;
      const turn = Promise.withResolvers<undefined>();
      lock = turn.promise;
      await before;
      try {
        answer = await perform();
      } finally {
        turn.resolve(undefined);
      }
    } else {
      answer = await perform();
    }
    if (answer.kind === "cut") reset(incoming);
    else send(answer, response);
  };
}

/** A client that went away meanwhile gets nothing; what it asked for was done. */
function send(answer: Answer, response: ServerResponse): void {
  if (answer.kind !== "reply") return;
  response.writeHead(answer.status, { ...answer.headers, "content-length": Buffer.byteLength(answer.body) });
  response.end(answer.body);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    // What is held back does not keep a process alive whose server is closed.
    setTimeout(resolve, milliseconds).unref();
  });
}
