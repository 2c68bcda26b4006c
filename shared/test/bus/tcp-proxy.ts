import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** A wire between one client and a server that can be cut, muted and held. */
export class TcpProxy {
  readonly #pairs = new Set<Pair>();
  readonly #held: (() => void)[] = [];
  readonly #target: () => number;
  #server: Server | undefined;
  #muted = false;
  #holding = false;

  /** `target` is asked at each connection: the server's port. */
  constructor(target: () => number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    this.#server = createServer((near) => this.#join(near));
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** What the server says no longer reaches the client, until the wire is cut. */
  mute(): void {
    this.#muted = true;
  }

  /** What the client says waits on the wire. */
  hold(): void {
    this.#holding = true;
  }

  release(): void {
    this.#holding = false;
    for (const run of this.#held.splice(0)) run();
  }

  cut(): void {
    this.#muted = false;
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server?.close();
    if (this.#server?.listening) await once(this.#server, "close");
  }

  #join(near: Socket): void {
    const far = connect({ host: "127.0.0.1", port: this.#target(), noDelay: true });
    near.setNoDelay(true);
    const pair = { near, far };
    this.#pairs.add(pair);
    near.on("data", (data) => {
      if (this.#holding) this.#held.push(() => far.write(data));
      else far.write(data);
    });
    far.on("data", (data) => {
      if (!this.#muted) near.write(data);
    });
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
  }
}
