import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { bundleOf } from "../stack/service.ts";
import type { Found } from "./canaries.ts";

export type ServiceName = "watcher" | "pusher";

export interface Command {
  readonly what: string;
  readonly service: ServiceName;
  readonly args: readonly string[];
  /** As in the file. */
  readonly configuration: string;
  readonly env?: Record<string, string> | undefined;
  readonly nodeOptions?: readonly string[];
  /** One that waits for something that never comes is ended after so long; default 15 s. */
  readonly ms?: number;
}

const COMMAND_MS = 15_000;
/** Whatever is to happen happens by then. */
const SUCCESS_MS = 60_000;

export const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, "utf8");

/** Runs a command of a service to its end. @returns its exit code, or the signal that ended it */
export async function run(found: Found, command: Command): Promise<number | string> {
  const { what, service, args, configuration, env, nodeOptions = [], ms = COMMAND_MS } = command;
  const [directory, remove] = temporaryDirectory("secrets");
  const file = join(directory, "config.json");
  writeFileSync(file, configuration, { mode: 0o600 });
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(
    process.execPath,
    [...nodeOptions, "--enable-source-maps", bundleOf(service), ...args, "--config", file],
    { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  found.add(`command line of ${what}`, commandLine(child.pid ?? 0));
  const late = [1, 2].map((times) =>
    setTimeout(() => child.kill(times === 1 ? "SIGTERM" : "SIGKILL"), times * ms),
  );
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  for (const timer of late) clearTimeout(timer);
  remove();
  if (output === "") throw new Error(`${what} said nothing: what should be looked at?`);
  found.add(what, output);
  return code ?? signal ?? 0;
}

/** A few at a time: most of them only wait. */
export async function runAll(found: Found, commands: readonly Command[]): Promise<void> {
  const queue = [...commands];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(found, next);
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}

interface Spec {
  readonly args: readonly string[];
  /** With which arguments it comes to a refusal of its own, too. */
  readonly odd?: readonly string[];
  readonly needs: "device" | "nats" | "kubernetes" | "nothing";
  /** It has a --wait. */
  readonly waits?: true;
  /** Milliseconds that it takes to give up, where nobody can say how long; default 15 s. */
  readonly patience?: number;
  /** Exit code where nothing is wrong. */
  readonly code?: number;
}

const HASH = "0123456789ab";

/** Every command of the services, by its name in `--help`, in an order in which they can be run. */
export const COMMANDS: Readonly<Record<ServiceName, Readonly<Record<string, Spec>>>> = {
  pusher: {
    run: { args: ["run", "--check-config"], needs: "nothing" },
    "bus init": { args: ["bus", "init"], needs: "nats", waits: true },
    "bus users": { args: ["bus", "users"], needs: "nothing" },
    check: { args: ["check"], needs: "device", waits: true },
    plan: { args: ["plan"], odd: ["--output", "json"], needs: "device", waits: true },
    explain: { args: ["explain", "10.42.0.1"], odd: ["second"], needs: "device", waits: true },
    approve: { args: ["approve"], odd: [HASH], needs: "nats", waits: true },
    // The one of that name lives: it can't be forgotten, and there is none to adopt.
    "forget-cluster": {
      args: ["forget-cluster", "a"],
      odd: ["--approve", HASH],
      needs: "device",
      waits: true,
      code: 2,
    },
    "adopt-cluster": {
      args: ["adopt-cluster", "a"],
      odd: ["--approve", HASH],
      needs: "device",
      waits: true,
      code: 2,
    },
    clean: { args: ["clean", "fw"], odd: ["--approve", HASH], needs: "device", waits: true },
  },
  watcher: {
    run: { args: ["run", "--check-config"], needs: "nothing" },
    check: { args: ["check"], needs: "kubernetes" },
    explain: {
      args: ["explain", "canary/nobody"],
      odd: ["second"],
      needs: "kubernetes",
      code: 1,
      patience: 45_000,
    },
    maintenance: { args: ["maintenance"], needs: "kubernetes", waits: true },
    drain: { args: ["drain", "--yes"], needs: "kubernetes", waits: true },
    resume: { args: ["resume"], needs: "kubernetes", waits: true },
  },
};

const named = (service: ServiceName) => Object.entries(COMMANDS[service]);
const waiting = ({ waits }: Spec, seconds: number): string[] =>
  waits === true ? ["--wait", String(seconds)] : [];

/** Everything at its best, one after the other, and what each exits with then. `bus users` writes to `out`. */
export function healthyCommands(
  service: ServiceName,
  configuration: string,
  out: string,
): readonly (Command & { readonly code: number })[] {
  return named(service).map(([name, spec]) => ({
    what: `podgate-${service} ${name}, all well`,
    service,
    args: [...spec.args, ...waiting(spec, 45), ...(name === "bus users" ? ["--out", out] : [])],
    configuration,
    ms: SUCCESS_MS,
    code: spec.code ?? 0,
  }));
}

/** Each command with arguments that it refuses, or that show more. */
export function oddCommands(service: ServiceName, configuration: string): readonly Command[] {
  return named(service).flatMap(([name, spec]): Command[] =>
    spec.odd === undefined
      ? []
      : [
          {
            what: `podgate-${service} ${name} ${spec.odd.join(" ")}`,
            service,
            args: [...spec.args, ...waiting(spec, 10), ...spec.odd],
            configuration,
            ms: 20_000,
          },
        ],
  );
}

/** Each command that needs one of these, where something is wrong with it. @param configuration asked for each command */
export function failingCommands(
  service: ServiceName,
  wrong: string,
  needs: readonly Spec["needs"][],
  configuration: () => string,
  out = "/nowhere",
): readonly Command[] {
  return named(service)
    .filter(([, spec]) => needs.includes(spec.needs))
    .map(([name, spec]) => ({
      what: `podgate-${service} ${name}, ${wrong}`,
      service,
      args: [...spec.args, ...waiting(spec, 3), ...(name === "bus users" ? ["--out", out] : [])],
      configuration: configuration(),
      ms: spec.patience ?? COMMAND_MS,
    }));
}

/** The commands that a service names in its `--help`; those of `bus init|users` are two. */
export async function commandsInHelp(service: ServiceName): Promise<string[]> {
  const help = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [bundleOf(service), ...args, "--help"], { env: {} })).stdout;
  const rows = (await help()).split("\n\n")[2]?.split("\n") ?? [];
  const names = rows.flatMap((row) => /^ {2}([a-z-]+) {2}/.exec(row)?.[1] ?? []);
  const all = await Promise.all(
    names.map(async (name) => {
      const operands = /^Usage: .* ([a-z-]+(?:\|[a-z-]+)+)$/m.exec(await help(name))?.[1];
      return operands === undefined ? [name] : operands.split("|").map((operand) => `${name} ${operand}`);
    }),
  );
  return all.flat();
}

/**
 * Devices that refuse everything, and tell on their page what they were asked with: each a device of its own, so that
 * none is left alone because of another one's refusal.
 */
export class Blabbers {
  readonly #servers: ReturnType<typeof createServer>[] = [];

  /** @returns its URL */
  async one(status: number): Promise<string> {
    const server = createServer((request, response) => {
      response.writeHead(status, { "content-type": "text/html", "www-authenticate": "Bearer" });
      response.end(`<html>${status} ${request.url ?? ""} ${JSON.stringify(request.headers)}</html>`);
    });
    this.#servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const server of this.#servers) server.close().closeAllConnections();
  }
}
