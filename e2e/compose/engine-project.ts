import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { onEnd } from "../stack/leftovers.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface ProjectOptions {
  /** How Compose is called. */
  readonly command: readonly string[];
  /** Of its containers, networks and volumes. */
  readonly name: string;
  /** Of the images. */
  readonly tag: string;
}

/** The compose file as a project of its own: with volumes, networks and ports that no other one has. */
export class Project {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #ports: string;
  readonly #forget: () => void;

  constructor({ command, name, tag }: ProjectOptions, ports: string) {
    this.name = name;
    this.#command = command;
    this.#ports = ports;
    this.#env = { ...process.env, PODGATE_TAG: tag, PODGATE_PORTS: ports };
    const [file = "", ...args] = this.#full("down", "--volumes", "--timeout", "1");
    this.#forget = onEnd(() => spawnSync(file, args, { cwd: ROOT, env: this.#env, stdio: "ignore" }));
  }

  /** On this machine. @param last digit of the port, as in the compose file */
  address(last: number): string {
    return `127.0.0.1:${this.#ports}${last}`;
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

  kubectl(...args: readonly string[]): Promise<string> {
    return this.run("exec", "-T", "kube-apiserver", "kubectl", ...args);
  }

  /** Everything of it is gone, also what it kept. */
  async remove(): Promise<void> {
    await this.run("down", "--volumes");
    this.#forget();
  }

  #full(...args: readonly string[]): string[] {
    return [...this.#command, "--project-name", this.name, ...args];
  }
}

/** A project on ports that are free. */
export async function newProject(options: ProjectOptions): Promise<Project> {
  for (;;) {
    const ports = String(1500 + Math.floor(Math.random() * 1500));
    const free = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((last) => isFree(Number(`${ports}${last}`))));
    if (!free.includes(false)) return new Project(options, ports);
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
