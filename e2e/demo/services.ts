import { spawnSync } from "node:child_process";
import type { Bus } from "@podgate/shared/bus/bus";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { natsBus } from "@podgate/shared/bus/nats";
import { systemClock } from "@podgate/shared/runtime/clock";
import { silentLogger } from "@podgate/shared/runtime/logger";
import { systemRandom } from "@podgate/shared/runtime/random";
import { configurationSchema as pusherSchema } from "@podgate/pusher/configuration";
import { run as runPusher } from "@podgate/pusher/run";
import { configurationSchema as watcherSchema } from "@podgate/watcher/configuration";
import { run as runWatcher } from "@podgate/watcher/run";
import { startNats } from "../stack/nats.ts";
import { Service } from "../stack/service.ts";

/** One service of the demo, which can be stopped and started again. */
export interface DemoService {
  start(): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** The bus, and the services on it. */
export interface DemoBus {
  /** As an onlooker with every right. */
  readonly onlooker: Bus;
  watcher(cluster: string, kubeconfig: string): DemoService;
  pusher(configuration: object): DemoService;
  close(): Promise<void>;
}

const OPS = { host: "127.0.0.1", port: 0 };

/** A real nats-server, and the services as the processes that users run. */
export async function realBus(clusters: readonly string[]): Promise<DemoBus> {
  const built = spawnSync(process.execPath, ["scripts/build.ts"], { stdio: ["ignore", "ignore", "inherit"] });
  if (built.status !== 0) throw new Error("the services could not be built");
  const nats = await startNats({ clusters });
  const section = (name: string): object => {
    const { user, passwordFile } = nats.user(name);
    return { servers: [nats.url], user, passwordFile };
  };
  const { user, passwordFile } = nats.user("admin");
  const onlooker = natsBus({
    servers: [nats.url],
    name: "demo",
    credentials: { kind: "password", user, passwordFile },
    clock: systemClock,
    random: systemRandom,
    onTrouble: () => undefined,
  });
  return {
    onlooker,
    watcher: (cluster, kubeconfigFile) =>
      service("watcher", { cluster, nats: section(cluster), kubernetes: { kubeconfigFile }, ops: OPS }),
    pusher: (configuration) => service("pusher", { ...configuration, nats: section("pusher"), ops: OPS }),
    close: async () => {
      await onlooker.close();
      await nats.close();
    },
  };
}

function service(kind: "watcher" | "pusher", configuration: object): DemoService {
  const program = new Service({ service: kind, configuration });
  return {
    start: () => program.start(),
    stop: async () => void (await program.stop()),
    close: () => program.close(),
  };
}

/** The embedded stand-in of NATS; the services run in this process, since nobody outside can reach it. */
export function embeddedBus(): DemoBus {
  const server = new MemoryBusServer({ clock: systemClock });
  const nats = { servers: ["nats://embedded:4222"] };
  return {
    onlooker: server.connect("onlooker"),
    watcher: (cluster, kubeconfigFile) => {
      const configuration = watcherSchema.parse({ cluster, nats, kubernetes: { kubeconfigFile }, ops: OPS });
      return inProcess((signal) =>
        runWatcher(configuration, "demo", silentLogger, signal, server.connect(cluster)),
      );
    },
    pusher: (settings) => {
      const configuration = pusherSchema.parse({ ...settings, nats, ops: OPS });
      return inProcess((signal) =>
        runPusher(configuration, "demo", silentLogger, signal, { bus: server.connect("pusher") }),
      );
    },
    close: async () => undefined,
  };
}

function inProcess(run: (signal: AbortSignal) => Promise<void>): DemoService {
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  return {
    start: async () => {
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    stop,
    close: stop,
  };
}
