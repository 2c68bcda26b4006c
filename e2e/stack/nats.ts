import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { clusterPermissions, pusherPermissions, type Permissions } from "@podgate/shared/bus/permissions";
import { tool } from "../tools/tool.ts";
import { temporaryDirectory } from "./leftovers.ts";
import { Program } from "./program.ts";

const MAX_STORE_BYTES = 4 * 1024 ** 3;
/** An empty list would allow everything. */
const NOTHING: Permissions = { publish: { allow: ["nothing"] }, subscribe: { allow: ["nothing"] } };

export interface NatsUser {
  readonly user: string;
  readonly password: string;
  readonly passwordFile: string;
}

export interface NatsOptions {
  /** Each gets a user of its own, named like it. */
  readonly clusters: readonly string[];
}

/** A real nats-server: JetStream on files, one user per cluster, the pusher's, and `admin` for tests. */
export class Nats {
  readonly directory: string;
  readonly #store: string;
  readonly #users: ReadonlyMap<string, NatsUser & { readonly permissions?: Permissions }>;
  readonly #path: string;
  readonly #remove: () => void;
  #program: Program | undefined;
  /** How much JetStream may store, from the next start on. */
  maxStoreBytes = MAX_STORE_BYTES;
  readonly #withdrawn = new Set<string>();
  #copies = 0;
  /** Any free one at the first start, the same again at each restart. */
  #port = -1;

  constructor(path: string, { clusters }: NatsOptions) {
    this.#path = path;
    [this.directory, this.#remove] = temporaryDirectory("nats");
    this.#store = join(this.directory, "store");
    this.#users = new Map([
      ...clusters.map((cluster) => this.#user(cluster, clusterPermissions(cluster))),
      this.#user("pusher", pusherPermissions(clusters)),
      this.#user("admin"),
    ]);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get running(): boolean {
    return this.#program?.running === true;
  }

  /** @param name a cluster's, `pusher` or `admin` */
  user(name: string): NatsUser {
    const found = this.#users.get(name);
    if (found === undefined) throw new Error(`NATS has no user ${name}`);
    return found;
  }

  /** A connection with every right, to look at what is stored and to meddle with it. The caller closes it. */
  async admin(): Promise<NatsConnection> {
    const { user, password: pass } = this.user("admin");
    return connect({ servers: this.url, user, pass, reconnect: false });
  }

  /** Starts it, again on the same port and store. */
  async start(): Promise<void> {
    if (this.running) return;
    const config = this.#configure();
    for (const file of this.#portFiles()) rmSync(file);
    const program = new Program({ name: "nats-server", command: this.#path, args: ["-c", config] });
    this.#program = program;
    this.#port = await program.until("its port", () => this.#readPort());
  }

  /** SIGTERM: what it holds is written. */
  async stop(): Promise<void> {
    await this.#program?.stop();
  }

  /** As `kill -9`. */
  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  /** As `kill -9`, and its volume is empty when it starts again. */
  async wipe(): Promise<void> {
    await this.kill();
    rmSync(this.#store, { recursive: true, force: true });
    await this.start();
  }

  /** The user may do nothing from now on, also on the connections it has. */
  async withdraw(name: string): Promise<void> {
    this.#withdrawn.add(this.user(name).user);
    await this.#reload();
  }

  /** The user has its permissions again. */
  async restore(name: string): Promise<void> {
    this.#withdrawn.delete(this.user(name).user);
    await this.#reload();
  }

  /**
   * Copies the store of this moment; what is returned puts it back. The server is stopped and started for both:
   * files that are being written would be no copy of one moment.
   */
  async copyStore(): Promise<() => Promise<void>> {
    this.#copies += 1;
    const copy = join(this.directory, `copy-${this.#copies}`);
    await this.stop();
    mkdirSync(this.#store, { recursive: true });
    cpSync(this.#store, copy, { recursive: true });
    await this.start();
    return async () => {
      await this.stop();
      rmSync(this.#store, { recursive: true });
      cpSync(copy, this.#store, { recursive: true });
      await this.start();
    };
  }

  async close(): Promise<void> {
    await this.kill();
    this.#remove();
  }

  #configure(): string {
    const config = join(this.directory, "nats.conf");
    writeFileSync(
      config,
      JSON.stringify({
        listen: `127.0.0.1:${this.#port}`,
        ports_file_dir: this.directory,
        jetstream: { store_dir: this.#store, max_mem: 64_000_000, max_file: this.maxStoreBytes },
        authorization: {
          // The server knows no `passwordFile`; JSON leaves out permissions that are undefined.
          users: [...this.#users.values()].map(({ user, password, permissions }) => ({
            user,
            password,
            permissions: this.#withdrawn.has(user) ? NOTHING : permissions,
          })),
        },
      }),
      { mode: 0o600 },
    );
    return config;
  }

  async #reload(): Promise<void> {
    this.#configure();
    const program = this.#program;
    if (program === undefined) return;
    const told = (): number => program.lines.filter((line) => line.includes("Reloaded server")).length;
    const before = told();
    program.hangUp();
    await program.until("its new configuration", () => told() > before || undefined);
  }

  #user(name: string, permissions?: Permissions): [string, NatsUser & { permissions?: Permissions }] {
    const password = randomBytes(18).toString("base64url");
    const passwordFile = join(this.directory, `${name}.password`);
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    return [name, { user: name, password, passwordFile, ...(permissions && { permissions }) }];
  }

  #portFiles(): string[] {
    return readdirSync(this.directory)
      .filter((file) => file.endsWith(".ports"))
      .map((file) => join(this.directory, file));
  }

  #readPort(): number | undefined {
    const [file] = this.#portFiles();
    const text = file === undefined ? "" : readFileSync(file, "utf8");
    // Written in one go, but not by a rename.
    if (!text.endsWith("}")) return undefined;
    const { nats } = JSON.parse(text) as { nats: string[] };
    return Number(new URL(nats[0] ?? "").port);
  }
}

export async function startNats(options: NatsOptions): Promise<Nats> {
  const nats = new Nats(await tool("nats-server"), options);
  await nats.start();
  return nats;
}
