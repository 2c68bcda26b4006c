import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A network path to a server that can be cut without either side hearing of it. */
export class Relay {
  readonly #listener: Server;
  readonly #servers = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #received = 0;

  private constructor(listener: Server) {
    this.#listener = listener;
  }

  /** @param server `https://127.0.0.1:6443` */
  static async to(server: string): Promise<Relay> {
    const { hostname, port } = new URL(server);
    const listener = createServer((client) => relay.#join(client, connect(Number(port), hostname)));
    const relay = new Relay(listener);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return relay;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Bytes from the server that are on their way to the client, or there. */
  get received(): number {
    return this.#received;
  }

  /** From now on nothing of the server reaches those who are connected; who connects later is not concerned. */
  hold(): void {
    for (const server of this.#servers) server.pause();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  #join(client: Socket, server: Socket): void {
    this.#servers.add(server);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        other.destroy();
        this.#sockets.delete(socket);
        this.#servers.delete(socket);
      });
    }
    client.on("data", (chunk) => server.write(chunk));
    // What the client does not read waits here: a paused one must find it when it wakes.
    server.on("data", (chunk) => {
      this.#received += chunk.length;
      client.write(chunk);
    });
  }
}
