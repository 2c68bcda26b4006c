import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { docker } from "../../scripts/image.ts";
import { onEnd, temporaryDirectory } from "../stack/leftovers.ts";

export interface ServiceContainerOptions {
  readonly image: string;
  /** Whole; its files stand in `/etc/podgate`. */
  readonly configuration: object;
  /** What lies beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Limit, in MiB. */
  readonly memory: number;
}

/** A service's image as Kubernetes would run it: nothing may be written, no capability, a limit of memory. */
export class ServiceContainer {
  readonly #options: ServiceContainerOptions;
  readonly #directory: string;
  readonly #remove: () => void;
  #id = "";
  #port = 0;

  constructor(options: ServiceContainerOptions) {
    this.#options = options;
    [this.#directory, this.#remove] = temporaryDirectory("service-container");
    // Its user is none of this machine.
    chmodSync(this.#directory, 0o755);
    const files = { ...options.files, "config.yaml": JSON.stringify(options.configuration) };
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(this.#directory, name), text, { mode: 0o644 });
  }

  /** Until its ops server listens. @returns milliseconds from the start of its first process till then */
  async start(): Promise<number> {
    const { image, memory } = this.#options;
    const limits = [`--memory=${memory}m`, `--memory-swap=${memory}m`, "--pids-limit=64"];
    const rights = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
    const place = ["--network=host", `--volume=${this.#directory}:/etc/podgate:ro`];
    this.#id = docker(["run", "--detach", "--pull=never", ...limits, ...rights, ...place, image]);
    const id = this.#id;
    this.#forget = onEnd(() => spawnSync("docker", ["rm", "--force", id], { stdio: "ignore" }));
    const line = await this.logged("ops server listens");
    this.#port = Number(line["port"]);
    return Date.parse(String(line["time"])) - Date.parse(this.inspect("{{.State.StartedAt}}"));
  }

  /** SIGTERM. @returns its exit code and how many milliseconds it took */
  stop(): { readonly code: number; readonly ms: number } {
    const started = performance.now();
    docker(["stop", "--time=25", this.#id]);
    const ms = performance.now() - started;
    return { code: Number(this.inspect("{{.State.ExitCode}}")), ms };
  }

  /** As `kill -9`. */
  kill(): void {
    docker(["kill", this.#id]);
  }

  inspect(format: string): string {
    return docker(["inspect", "--format", format, this.#id]);
  }

  /** Runs a line of JavaScript in the container. @returns what it printed */
  script(code: string): string {
    return docker(["exec", this.#id, "/nodejs/bin/node", "-e", code]);
  }

  /** Commands of its processes. */
  processes(): string[] {
    return docker(["top", this.#id, "-eo", "pid,args"]).split("\n").slice(1);
  }

  log(): string {
    const { stdout, stderr } = spawnSync("docker", ["logs", this.#id], { encoding: "utf8" });
    return `${stdout}${stderr}`;
  }

  /** Waits for a line of its log. @throws it ended first, or the time is over */
  async logged(message: string, ms = 20_000): Promise<Readonly<Record<string, unknown>>> {
    const deadline = performance.now() + ms;
    for (;;) {
      const line = this.log()
        .split("\n")
        .find((each) => each.includes(`"msg":"${message}"`));
      if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
      if (this.inspect("{{.State.Running}}") !== "true" || performance.now() > deadline)
        throw new Error(`no "${message}" from ${this.#options.image}:\n${this.log().slice(-2000)}`);
      await pause(20);
    }
  }

  async metric(name: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/metrics`);
    const found = new RegExp(`^${name}(?:{.*})? (.*)$`, "m").exec(await response.text());
    return Number(found?.[1]);
  }

  /** The present run ends and is forgotten; it can be started again. */
  discard(): void {
    if (this.#id === "") return;
    docker(["rm", "--force", this.#id]);
    this.#forget();
    this.#id = "";
  }

  close(): void {
    this.discard();
    this.#remove();
  }

  #forget = (): void => undefined;
}
