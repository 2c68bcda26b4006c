import { request } from "undici";
import { tool } from "../tools/tool.ts";
import { freePorts } from "./ports.ts";
import { Program } from "./program.ts";

interface Toxic {
  readonly type: "latency" | "timeout" | "reset_peer" | "bandwidth";
  readonly attributes: Readonly<Record<string, number>>;
  /** Default both. */
  readonly stream?: "upstream" | "downstream";
}

/** The way to one server, which can be disturbed without either side hearing why. */
export class Link {
  readonly name: string;
  /** `127.0.0.1:40123`: whoever connects there reaches the server. */
  readonly address: string;
  readonly #call: Call;

  constructor(name: string, address: string, call: Call) {
    this.name = name;
    this.address = address;
    this.#call = call;
  }

  /** The server's URL with the link's address in place of its own. */
  through(url: string): string {
    return `${new URL(url).protocol}//${this.address}`;
  }

  /** Connections are closed, new ones refused. */
  async cut(): Promise<void> {
    await this.#call("POST", `/proxies/${this.name}`, { enabled: false });
  }

  /** So many milliseconds more in each direction, give or take a fifth. */
  async delay(ms: number): Promise<void> {
    await this.#both({
      type: "latency",
      attributes: { latency: Math.round(ms), jitter: Math.round(ms / 5) },
    });
  }

  /** Connections end now, and each new one is reset so many milliseconds after its client's first byte. */
  async reset(ms = 0): Promise<void> {
    await this.cut();
    await this.#call("POST", `/proxies/${this.name}`, { enabled: true });
    await this.#put({ type: "reset_peer", attributes: { timeout: ms }, stream: "upstream" });
  }

  /** Connections stay open and new ones are taken, but nothing arrives any more. */
  async blackHole(): Promise<void> {
    await this.#both({ type: "timeout", attributes: { timeout: 0 } });
  }

  /** Undisturbed again. What a black hole swallowed is lost, and its connections end now. */
  async heal(): Promise<void> {
    const { toxics } = (await this.#call("GET", `/proxies/${this.name}`)) as { toxics: Present[] };
    for (const { name, type, attributes } of toxics) {
      const path = `/proxies/${this.name}/toxics/${name}`;
      // To take one out that holds data back may wait for ever (Toxiproxy 2.12.0); a delay of nothing is as good.
      // To set that again does, too, where a reset behind it takes nothing any more.
      if (type === "latency" && attributes["latency"] === 0) continue;
      if (type === "latency") await this.#call("POST", path, { attributes: { latency: 0, jitter: 0 } });
      else await this.#call("DELETE", path);
    }
    await this.#call("POST", `/proxies/${this.name}`, { enabled: true });
  }

  async #both(toxic: Toxic): Promise<void> {
    for (const stream of ["upstream", "downstream"] as const) await this.#put({ ...toxic, stream });
  }

  async #put({ type, attributes, stream }: Toxic): Promise<void> {
    const { toxics } = (await this.#call("GET", `/proxies/${this.name}`)) as { toxics: Present[] };
    const name = `${type}_${stream ?? ""}`;
    const path = `/proxies/${this.name}/toxics`;
    if (toxics.some((present) => present.name === name))
      await this.#call("POST", `${path}/${name}`, { attributes });
    else await this.#call("POST", path, { name, type, stream, attributes, toxicity: 1 });
  }
}

type Present = Pick<Toxic, "type" | "attributes"> & { readonly name: string };
type Call = (method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<unknown>;

/** A running Toxiproxy. */
export class Network {
  readonly #program: Program;
  readonly #call: Call;

  constructor(program: Program, call: Call) {
    this.#program = program;
    this.#call = call;
  }

  /** @param server where it listens: `127.0.0.1:4222`, or a URL of it */
  async link(name: string, server: string): Promise<Link> {
    const upstream = server.includes("://") ? new URL(server).host : server;
    const made = await this.#call("POST", "/proxies", { name, listen: "127.0.0.1:0", upstream });
    return new Link(name, (made as { listen: string }).listen, this.#call);
  }

  async close(): Promise<void> {
    await this.#program.kill();
  }
}

export async function startNetwork(): Promise<Network> {
  const command = await tool("toxiproxy-server");
  const [port = 0] = await freePorts(1);
  const args = ["-host", "127.0.0.1", "-port", String(port)];
  const program = new Program({ name: "toxiproxy", command, args, env: { LOG_LEVEL: "warn" } });
  const call: Call = async (method, path, body) => {
    const response = await request(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300)
      throw new Error(`toxiproxy ${method} ${path}: ${response.statusCode} ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  };
  try {
    const isUp = (): Promise<true | undefined> =>
      call("GET", "/version").then(
        () => true as const,
        () => undefined,
      );
    await program.until("its API", isUp);
    return new Network(program, call);
  } catch (error) {
    await program.kill();
    throw error;
  }
}
