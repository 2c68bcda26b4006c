import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { skipWithout, toolIfAtHand } from "@podgate/e2e/tools/tool";
import type { Permissions } from "../../src/bus/permissions.ts";

/** The real server, where it is at hand (e2e/tools says where that may be); undefined when there is none. */
export const natsServerPath = (): string | undefined => toolIfAtHand("nats-server");

export const NO_SERVER: string = skipWithout("nats-server") || "needs nats-server";

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

export interface User {
  readonly user?: string;
  readonly password?: string;
  readonly nkey?: string;
  readonly permissions?: Permissions;
}

export interface ServerOptions {
  /** Default: any that is free. */
  readonly port?: number;
  readonly name?: string;
  readonly users?: readonly User[];
  readonly token?: string;
  /** Files; with `ca` the client must show a certificate, too. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Joins the server into a cluster: the cluster ports of all its servers must be known beforehand. */
  readonly cluster?: { readonly port: number; readonly ports: readonly number[] };
}

/** One nats-server process with JetStream on file storage in a directory of its own. */
export class NatsServer {
  readonly directory: string;
  readonly store: string;
  #options: ServerOptions;
  readonly #path: string;
  #process: ChildProcess | undefined;
  #said = "";
  /** Any free one at the first start, the same again at each restart. */
  port: number;

  constructor(path: string, options: ServerOptions = {}) {
    this.#path = path;
    this.#options = options;
    this.port = options.port ?? -1;
    this.directory = mkdtempSync(join(tmpdir(), "podgate-nats-"));
    this.store = join(this.directory, "store");
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  async start(): Promise<void> {
    const { name, users, token, tls, cluster } = this.#options;
    const config = join(this.directory, "nats.conf");
    writeFileSync(
      config,
      JSON.stringify({
        listen: `127.0.0.1:${this.port}`,
        ports_file_dir: this.directory,
        jetstream: { store_dir: this.store, max_mem: 64_000_000, max_file: 2_000_000_000 },
        ...(name && { server_name: name }),
        ...(users && { authorization: { users } }),
        ...(token && { authorization: { token } }),
        ...(tls && {
          tls: { cert_file: tls.cert, key_file: tls.key, ...(tls.ca && { ca_file: tls.ca, verify: true }) },
        }),
        ...(cluster && {
          cluster: {
            name: "podgate",
            listen: `127.0.0.1:${cluster.port}`,
            routes: cluster.ports.map((port) => `nats://127.0.0.1:${port}`),
          },
        }),
      }),
    );
    for (const file of this.#portFiles()) rmSync(file);
    const child = spawn(this.#path, ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.setEncoding("utf8").on("data", (said: string) => {
      this.#said = (this.#said + said).slice(-2000);
    });
    this.#process = child;
    // A test that is stopped half-way must not leave servers behind.
    const end = (): boolean => child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    await this.#readPorts(child);
  }

  /** Killed and started again with other users. */
  async restart(users: readonly User[]): Promise<void> {
    await this.kill();
    this.#options = { ...this.#options, users };
    await this.start();
  }

  /** As `kill -9`. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #portFiles(): string[] {
    return readdirSync(this.directory)
      .filter((file) => file.endsWith(".ports"))
      .map((file) => join(this.directory, file));
  }

  async #readPorts(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (performance.now() < deadline) {
      if (child.exitCode !== null) throw new Error(`nats-server ended: ${this.#said}`);
      const [file] = this.#portFiles();
      const text = file === undefined ? "" : readFileSync(file, "utf8");
      if (text.endsWith("}")) {
        const ports = JSON.parse(text) as { nats: string[] };
        this.port = Number(new URL(ports.nats[0] ?? "").port);
        return;
      }
      await sleep(10);
    }
    throw new Error("nats-server did not say its ports within 20 s");
  }
}
