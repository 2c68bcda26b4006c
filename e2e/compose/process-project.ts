import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join, resolve } from "node:path";
import { readComposeFile, type ComposeFile } from "./compose-file.ts";
import type { ImageFolder } from "./image-folder.ts";
import { PrivateNetwork } from "./private-network.ts";
import type { Project } from "./project.ts";
import { ServiceProcess } from "./service-process.ts";

const PORTS = "1700";

/**
 * `docker-compose.yml` without an engine: its services as processes, from its own definitions. Each has its image as a
 * root folder (Dockerfiles are followed, too), the mounts, networks, names, environment and ports that the file says;
 * order, conditions and health checks are the file's. All of it as written: nothing is replaced in it, which is why
 * this needs namespaces (namespaces.ts), and is to run in some that are its own. Paths, ports and names in flags and
 * certificates would otherwise have to be rewritten, program by program, and the file would be proved no more.
 *
 * What it does not show: users, capabilities, limits of memory, restarts (a service that ends is told by `fallen`),
 * how logs are kept, and images and layers of an engine.
 */
export class ProcessProject implements Project {
  readonly #file: ComposeFile;
  readonly #services: ReadonlyMap<string, ServiceProcess>;
  readonly #network: PrivateNetwork;
  readonly #directory: string;
  #published: Server[] = [];
  #isWanted = false;
  #begun: ReadonlyMap<string, Promise<void>> = new Map();

  /**
   * @param directory for all that it keeps; ends when somebody else removes it
   * @param images by name, without a tag; in the same directory and for this project alone
   */
  constructor(directory: string, images: ReadonlyMap<string, ImageFolder>) {
    this.#directory = directory;
    const text = readFileSync("docker-compose.yml", "utf8");
    const file = readComposeFile(text, { ...process.env, PODGATE_PORTS: PORTS });
    const services = [...file.services].filter(([, { profiles }]) => profiles.length === 0);
    this.#file = { ...file, services: new Map(services) };
    this.#network = new PrivateNetwork(this.#file, directory);
    for (const volume of file.volumes) mkdirSync(this.#volume(volume));
    this.#services = new Map(
      services.map(([name, definition]) => {
        const image = images.get(definition.image.replace(/:[^:/]*$/, ""));
        if (image === undefined) throw new Error(`${name}: ${definition.image} is not made here`);
        for (const { target, readOnly } of definition.mounts)
          if (!readOnly && !existsSync(join(image.folder, target)))
            throw new Error(`${name}: its image has no ${target}, so an engine would give it to root`);
        const service = new ServiceProcess({
          name,
          definition,
          image,
          directory: join(directory, name),
          network: this.#network.namespace(name),
          hosts: this.#network.hosts(name),
          source: ({ source }) => (source.startsWith("./") ? resolve(source) : this.#volume(source)),
        });
        return [name, service];
      }),
    );
  }

  async up(): Promise<void> {
    await this.#publish();
    const begun = new Map<string, Promise<void>>();
    const start = (name: string): Promise<void> => {
      const under = begun.get(name) ?? this.#startAfter(name, start);
      begun.set(name, under);
      return under;
    };
    this.#isWanted = true;
    this.#begun = begun;
    const { services } = this.#file;
    await Promise.all([...services.keys()].map(start));
    await Promise.all(
      [...services].map(([name, { isLasting, health }]) => {
        const lasting = health === undefined ? "service_started" : "service_healthy";
        return this.#service(name).reaches(isLasting ? lasting : "service_completed_successfully");
      }),
    );
    for (const name of await this.fallen())
      throw new Error(`${name} ended:\n${this.#service(name).lines.slice(-15).join("\n")}`);
  }

  async down(): Promise<void> {
    // What waits for others when they are stopped is not to start after them.
    this.#isWanted = false;
    const stopped = new Map<string, Promise<void>>();
    const stop = (name: string): Promise<void> => {
      const under = stopped.get(name) ?? this.#stopBefore(name, stop);
      stopped.set(name, under);
      return under;
    };
    await Promise.all([...this.#services.keys()].map(stop));
    await Promise.allSettled(this.#begun.values());
    await Promise.all(this.#published.map((server) => once(server.close(), "close")));
    this.#published = [];
  }

  exec(service: string, ...command: readonly string[]): Promise<string> {
    return this.#service(service).exec(command);
  }

  logs(...services: readonly string[]): Promise<string> {
    const names = services.length > 0 ? services : [...this.#services.keys()];
    return Promise.resolve(names.flatMap((name) => this.#service(name).lines).join("\n"));
  }

  read(service: string, path: string): Promise<string> {
    return Promise.resolve(readFileSync(this.#service(service).path(path), "utf8"));
  }

  address(last: number): string {
    return `127.0.0.1:${PORTS}${last}`;
  }

  fallen(): Promise<string[]> {
    const fallen = [...this.#services].filter(([, service]) => service.isFallen);
    return Promise.resolve(fallen.map(([name]) => name));
  }

  async remove(): Promise<void> {
    await this.down();
    this.#network.close();
    for (const name of readdirSync(this.#directory))
      rmSync(join(this.#directory, name), { recursive: true, force: true });
  }

  leftovers(): string[] {
    return readdirSync(this.#directory);
  }

  async #startAfter(name: string, start: (name: string) => Promise<void>): Promise<void> {
    const wanted = [...(this.#file.services.get(name)?.dependsOn ?? [])];
    await Promise.all(
      wanted.map(async ([other, condition]) => {
        await start(other);
        await this.#service(other).reaches(condition);
      }),
    );
    if (!this.#isWanted) throw new Error(`${name} is not wanted any more`);
    this.#service(name).start();
  }

  async #stopBefore(name: string, stop: (name: string) => Promise<void>): Promise<void> {
    const users = [...this.#file.services].filter(([, { dependsOn }]) => dependsOn.has(name));
    await Promise.all(users.map(([user]) => stop(user)));
    await this.#service(name).stop();
  }

  async #publish(): Promise<void> {
    for (const [name, { ports }] of this.#file.services) {
      for (const { address, published, target } of ports) {
        const host = this.#network.publicAddress(name);
        if (host === undefined)
          throw new Error(`${name}: what is on internal networks only is not published`);
        const server = createServer((near) => {
          const far = connect(target, host);
          near.pipe(far).pipe(near);
          near.once("error", () => far.destroy()).once("close", () => far.destroy());
          far.once("error", () => near.destroy()).once("close", () => near.destroy());
        });
        this.#published.push(server);
        // Nobody may be there to close it.
        await once(server.listen(published, address).unref(), "listening");
      }
    }
  }

  #volume(name: string): string {
    return join(this.#directory, `${name}.volume`);
  }

  #service(name: string): ServiceProcess {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`no service is named ${name}`);
    return service;
  }
}
