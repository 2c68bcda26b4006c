import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from "testcontainers";
import { onEnd, temporaryDirectory } from "./leftovers.ts";

const PORT = 4222;

export interface NatsContainerOptions {
  readonly users?: readonly object[];
}

/** nats-server in a container, with its store in a directory of the host, so that it outlives the container. */
export class NatsContainer {
  readonly directory: string;
  readonly store: string;
  readonly #image: string;
  readonly #remove: () => void;
  #container: StartedTestContainer | undefined;
  #forget = (): void => undefined;
  /** On the host. Another one after each start; while it is down the last one, where nobody answers. */
  port = 0;

  constructor(image: string, { users }: NatsContainerOptions) {
    this.#image = image;
    [this.directory, this.#remove] = temporaryDirectory("nats-container");
    this.store = join(this.directory, "store");
    mkdirSync(this.store);
    writeFileSync(
      join(this.directory, "nats.conf"),
      JSON.stringify({
        listen: `0.0.0.0:${PORT}`,
        jetstream: { store_dir: this.store, max_mem: 64_000_000, max_file: 2_000_000_000 },
        ...(users && { authorization: { users } }),
      }),
    );
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.#container !== undefined;
  }

  async start(): Promise<void> {
    const { directory } = this;
    const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    this.#container = await new GenericContainer(this.#image)
      .withCommand(["-c", join(directory, "nats.conf")])
      .withBindMounts([{ source: directory, target: directory, mode: "rw" }])
      .withUser(owner)
      .withExposedPorts(PORT)
      // A listening port cannot be waited for: that needs a shell in the image.
      .withWaitStrategy(Wait.forLogMessage("Server is ready"))
      .start();
    this.port = this.#container.getMappedPort(PORT);
    const id = this.#container.getId();
    this.#forget = onEnd(() => spawnSync("docker", ["rm", "--force", id]));
  }

  /** As `kill -9`. */
  async kill(): Promise<void> {
    const container = this.#container;
    this.#container = undefined;
    if (container === undefined) return;
    const { container: engine } = await getContainerRuntimeClient();
    await engine.getById(container.getId()).kill({ signal: "SIGKILL" });
    await container.stop({ remove: true });
    this.#forget();
  }

  async remove(): Promise<void> {
    await this.kill();
    this.#remove();
  }
}
