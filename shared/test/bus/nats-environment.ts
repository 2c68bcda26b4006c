import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { natsBus } from "../../src/bus/nats.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { until, type Environment, type Link } from "./environment.ts";
import { freePorts, NatsServer, type ServerOptions, type User } from "./nats-server.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const ADMIN = { user: "admin", password: "admin-password" };
const NOBODY = "_NOTHING";
const STRANGER = {
  user: "stranger",
  password: "stranger-password",
  permissions: { publish: { allow: [NOBODY] }, subscribe: { allow: ["_INBOX.>"] } },
};

interface Answer {
  readonly error?: { readonly description: string };
  readonly cluster?: { readonly leader?: string };
  readonly state?: { readonly consumer_count: number };
}

export interface NatsEnvironment extends Environment {
  /** How many consumers the stream has. */
  consumers(stream: string): Promise<number>;
}

/** What this environment needs of a server, wherever it runs. */
export type Server = Pick<
  NatsServer,
  "directory" | "store" | "port" | "url" | "running" | "start" | "kill" | "remove"
>;

/**
 * Real servers: one, or a cluster of three. Each client hangs on a wire of its own.
 *
 * @param source path of nats-server, or a way to make another kind of server
 */
export async function natsEnvironment(
  source: string | ((options: ServerOptions) => Server),
  replicas: 1 | 3,
): Promise<NatsEnvironment> {
  const make =
    typeof source === "string" ? (options: ServerOptions): Server => new NatsServer(source, options) : source;
  const servers = await startServers(make, replicas);
  const proxies: TcpProxy[] = [];
  const closers: (() => Promise<void>)[] = [];
  let killed: Server[] = [];

  const first = (): Server => servers.find((server) => server.running) ?? at(servers, 0);

  async function client(
    { user, password }: Required<Pick<User, "user" | "password">>,
    port: number,
  ): Promise<ReturnType<typeof natsBus>> {
    const passwordFile = join(at(servers, 0).directory, `${user}.password`);
    writeFileSync(passwordFile, `${password}\n`);
    const bus = natsBus({
      servers: [`nats://127.0.0.1:${port}`],
      name: user,
      credentials: { kind: "password", user, passwordFile },
      clock: systemClock,
      random: Math.random,
      requestTimeoutMs: 3000,
    });
    closers.push(() => bus.close());
    await until("a connection", () => bus.connected);
    return bus;
  }

  async function admin<T>(ask: (nats: NatsConnection) => Promise<T>): Promise<T> {
    const nats = await connect({
      servers: first().url,
      user: ADMIN.user,
      pass: ADMIN.password,
      reconnect: false,
    });
    try {
      return await ask(nats);
    } finally {
      await nats.close();
    }
  }

  const call = (subject: string, body?: unknown): Promise<Answer> =>
    admin(async (nats) => {
      const reply = await nats.request(`$JS.API.${subject}`, body === undefined ? "" : JSON.stringify(body), {
        timeout: 5000,
      });
      const answer = reply.json<Answer>();
      if (answer.error) throw new Error(`${subject}: ${answer.error.description}`);
      return answer;
    });

  await until(
    "JetStream",
    () =>
      admin(async (nats) => {
        const reply = await nats.request("$JS.API.INFO", "", { timeout: 1000 });
        return reply.json<Answer>().error === undefined;
      }).catch(() => false),
    30_000,
  );

  return {
    clock: systemClock,
    replicas,
    link: async (): Promise<Link> => {
      const proxy = new TcpProxy(() => first().port);
      proxies.push(proxy);
      const bus = await client(ADMIN, await proxy.listen());
      return {
        bus,
        mute: () => proxy.mute(),
        hold: () => proxy.hold(),
        release: () => proxy.release(),
        cut: () => proxy.cut(),
      };
    },
    stranger: () => client(STRANGER, first().port),
    kill: async (stream) => {
      const leader = replicas === 1 ? undefined : (await call(`STREAM.INFO.${stream}`)).cluster?.leader;
      const server = leader === undefined ? at(servers, 0) : at(servers, Number(leader.slice(1)));
      killed.push(server);
      await server.kill();
    },
    start: async () => {
      const down = killed;
      killed = [];
      await Promise.all(down.map((server) => server.start()));
    },
    createByHand: async (config) => {
      await call(`STREAM.CREATE.${String(config["name"])}`, config);
    },
    deleteStream: async (stream) => {
      await call(`STREAM.DELETE.${stream}`);
    },
    consumers: async (stream) => (await call(`STREAM.INFO.${stream}`)).state?.consumer_count ?? 0,
    copy: async (stream) => {
      const server = at(servers, 0);
      const store = join(server.store, "jetstream", "$G", "streams", stream);
      const saved = join(server.directory, `copy-${stream}`);
      // Taken from a server that stands still: files that are being written would be no copy of one moment.
      await server.kill();
      mkdirSync(saved, { recursive: true });
      cpSync(store, saved, { recursive: true });
      await server.start();
      return async () => {
        await server.kill();
        rmSync(store, { recursive: true });
        cpSync(saved, store, { recursive: true });
        await server.start();
      };
    },
    close: async () => {
      await Promise.all(closers.map((close) => close()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await Promise.all(servers.map((server) => server.remove()));
    },
  };
}

async function startServers(make: (options: ServerOptions) => Server, count: 1 | 3): Promise<Server[]> {
  const users = [ADMIN, STRANGER];
  if (count === 1) {
    const server = make({ users });
    await server.start();
    return [server];
  }
  const ports = await freePorts(count);
  const servers = ports.map((port, n) => make({ name: `n${n}`, users, cluster: { port, ports } }));
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

function at(servers: readonly Server[], index: number): Server {
  const server = servers[index];
  if (server === undefined) throw new Error(`no server ${index}`);
  return server;
}
