import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ComposeFile } from "./compose-file.ts";
import { system } from "./namespaces.ts";

/**
 * The networks of a compose file, for services that are processes: a bridge for each, and each service with a network
 * namespace and addresses of its own. As with an engine, a service reaches those that share a network with it, by
 * name, and nothing of the world. To be made in namespaces of its own (namespaces.ts), with which it ends.
 */
export class PrivateNetwork {
  readonly #file: ComposeFile;
  readonly #directory: string;

  /** @param directory for what it keeps */
  constructor(file: ComposeFile, directory: string) {
    this.#file = file;
    this.#directory = directory;
    const bridges = [...file.networks.keys()].flatMap((_, network) => [
      `link add name ${bridge(network)} type bridge`,
      `address add ${address(network, 0)}/24 dev ${bridge(network)}`,
      `link set ${bridge(network)} up`,
    ]);
    ip(["link set lo up", ...bridges]);
    for (const [name, { networks }] of file.services) this.#connect(name, networks);
  }

  /** The namespace of a service, as `nsenter` wants it. */
  namespace(service: string): string {
    return join(this.#directory, `${service}.network`);
  }

  /** `/etc/hosts` of a service. */
  hosts(service: string): string {
    const lines = [...this.#file.services].flatMap(([other, { networks }]) => {
      const shared = networks.find((network) => this.#networks(service).includes(network));
      return shared === undefined ? [] : `${this.#address(other, shared)} ${other}\n`;
    });
    return ["127.0.0.1 localhost\n", ...lines].join("");
  }

  /** Where its published ports lead to; an engine publishes nothing of a service that is on internal networks only. */
  publicAddress(service: string): string | undefined {
    const network = this.#networks(service).find((each) => this.#isOpen(each));
    return network === undefined ? undefined : this.#address(service, network);
  }

  close(): void {
    for (const name of this.#file.services.keys()) system(["/usr/bin/umount", this.namespace(name)]);
  }

  #connect(name: string, networks: readonly string[]): void {
    const namespace = this.namespace(name);
    writeFileSync(namespace, "");
    system(["/usr/bin/unshare", `--net=${namespace}`, "true"]);
    const inside = ["link set lo up"];
    networks.forEach((network, index) => {
      const outer = `s${this.#number(name)}n${index}`;
      ip([
        `link add name ${outer} type veth peer name eth${index} netns ${namespace}`,
        `link set ${outer} master ${bridge(this.#position(network))} up`,
      ]);
      inside.push(
        `address add ${this.#address(name, network)}/24 dev eth${index}`,
        `link set eth${index} up`,
      );
    });
    // Nobody is there who would send it on. But some programs take the address that belongs to it for their own.
    const open = networks.find((network) => this.#isOpen(network));
    if (open !== undefined) inside.push(`route add default via ${address(this.#position(open), 0)}`);
    system(["/usr/bin/nsenter", `--net=${namespace}`, "ip", "-batch", "-"], inside.join("\n"));
  }

  #networks(service: string): readonly string[] {
    return this.#file.services.get(service)?.networks ?? [];
  }

  #isOpen(network: string): boolean {
    return this.#file.networks.get(network)?.internal === false;
  }

  #address(service: string, network: string): string {
    return address(this.#position(network), this.#number(service) + 1);
  }

  #number(service: string): number {
    return [...this.#file.services.keys()].indexOf(service);
  }

  #position(network: string): number {
    return [...this.#file.networks.keys()].indexOf(network);
  }
}

const bridge = (network: number): string => `network${network}`;
const address = (network: number, host: number): string => `172.31.${network}.${host + 1}`;

function ip(commands: readonly string[]): void {
  system(["ip", "-batch", "-"], commands.join("\n"));
}
