import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { docker } from "../../scripts/image.ts";
import { onEnd, temporaryDirectory } from "../stack/leftovers.ts";
import type { Project } from "./project.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface EngineProjectOptions {
  /** How Compose is called. */
  readonly command: readonly string[];
  /** Of its containers, networks and volumes. */
  readonly name: string;
  /** Of the images. */
  readonly tag: string;
}

/** The compose file in containers, by Docker and Compose. */
export class EngineProject implements Project {
  readonly #name: string;
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #ports: string;
  readonly #forget: () => void;

  constructor({ command, name, tag }: EngineProjectOptions, ports: string) {
    this.#name = name;
    this.#command = command;
    this.#ports = ports;
    this.#env = { ...process.env, PODGATE_TAG: tag, PODGATE_PORTS: ports };
    const [file = "", ...args] = this.#full("down", "--volumes", "--timeout", "1");
    this.#forget = onEnd(() => spawnSync(file, args, { cwd: ROOT, env: this.#env, stdio: "ignore" }));
  }

  async up(): Promise<void> {
    await this.run("up", "--wait");
  }

  async down(): Promise<void> {
    await this.run("down");
  }

  exec(service: string, ...command: readonly string[]): Promise<string> {
    return this.run("exec", "-T", service, ...command);
  }

  logs(...services: readonly string[]): Promise<string> {
    return this.run("logs", "--no-color", ...services);
  }

  async read(service: string, path: string): Promise<string> {
    const [folder, remove] = temporaryDirectory("compose");
    try {
      const file = join(folder, "file");
      await this.run("cp", `${service}:${path}`, file);
      return readFileSync(file, "utf8");
    } finally {
      remove();
    }
  }

  address(last: number): string {
    return `127.0.0.1:${this.#ports}${last}`;
  }

  async fallen(): Promise<string[]> {
    const ids = (await this.run("ps", "--all", "--quiet")).trim().split("\n");
    const restarts = docker(["inspect", "--format", "{{.RestartCount}} {{.Name}}", ...ids]).split("\n");
    return restarts.filter((line) => !line.startsWith("0 "));
  }

  async remove(): Promise<void> {
    await this.run("down", "--volumes");
    this.#forget();
  }

  leftovers(): string[] {
    return ["container", "network", "volume"].flatMap((kind) => {
      const filter = `label=com.docker.compose.project=${this.#name}`;
      const ids = docker([kind, "ls", "--quiet", "--filter", filter]).split("\n");
      return ids.filter((id) => id !== "").map((id) => `${kind} ${id}`);
    });
  }

  /** @returns what it printed. @throws Error it failed: what it said */
  async run(...args: readonly string[]): Promise<string> {
    const [file = "", ...rest] = this.#full(...args);
    const child = spawn(file, rest, { cwd: ROOT, env: this.#env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0)
      throw new Error(`docker compose ${args.join(" ")} ended with ${code}:\n${said.slice(-4000)}${out}`);
    return out;
  }

  #full(...args: readonly string[]): string[] {
    return [...this.#command, "--project-name", this.#name, ...args];
  }
}

/** A project on ports that are free. */
export async function newEngineProject(options: EngineProjectOptions): Promise<EngineProject> {
  for (;;) {
    const ports = String(1500 + Math.floor(Math.random() * 1500));
    const free = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((last) => isFree(Number(`${ports}${last}`))));
    if (!free.includes(false)) return new EngineProject(options, ports);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
