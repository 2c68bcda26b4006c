import { adoptClusterCommand } from "@podgate/pusher/commands/adopt-cluster";
import type { Answer } from "@podgate/pusher/commands/answer";
import { forgetClusterCommand } from "@podgate/pusher/commands/forget-cluster";
import type { LookPorts } from "@podgate/pusher/commands/look";
import type { Configuration } from "@podgate/pusher/configuration";
import { unobserved } from "@podgate/pusher/reconcile/observe";
import { namesOf, targetFirewall, type TargetTransport } from "@podgate/pusher/target-firewall";
import { describeError } from "@podgate/shared/runtime/errors";
import { silentLogger } from "@podgate/shared/runtime/logger";
import type { KubernetesTransport } from "@podgate/watcher/kubernetes/transport";
import { drain, resume, toMaintenance } from "@podgate/watcher/phase-change";
import type { SimulatedCluster } from "./cluster.ts";
import type { Dice } from "./dice.ts";
import type { History } from "./history.ts";
import type { BusPort } from "./ports/bus-port.ts";
import { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

export interface LifeCycleOptions {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly history: History;
  readonly configuration: Configuration;
  readonly busOf: (process: Process, user: string) => BusPort;
  readonly kubernetesOf: (process: Process, cluster: SimulatedCluster) => KubernetesTransport;
  readonly deviceOf: (process: Process, url: string) => TargetTransport;
}

/** What a command said: its exit code and its words, or why it could not do what was asked. */
export interface Said {
  readonly code: number;
  readonly words: string;
}

/** Where the watchers of a chart with default values keep their Lease. */
const LEASE = { namespace: "podgate", name: "podgate-watcher" };
const WAIT_MS = 60_000;
const PHASES = { drain, maintenance: toMaintenance, resume };
const FAILED = 2;

/** A person who retires, freezes, forgets and adopts clusters, by the commands that people use for it. */
export class LifeCycle {
  readonly #options: LifeCycleOptions;

  constructor(options: LifeCycleOptions) {
    this.#options = options;
  }

  /** `podgate-watcher drain --yes`, `maintenance`, `resume` in the cluster. */
  phase(what: keyof typeof PHASES, cluster: SimulatedCluster): Promise<Said> {
    const { busOf, kubernetesOf } = this.#options;
    return this.#command(`${what} ${cluster.name}`, async (process) => {
      const bus = busOf(process, cluster.name);
      const said: string[] = [];
      const ports = {
        bus,
        transport: kubernetesOf(process, cluster),
        clock: process.clock,
        say: (line: string) => void said.push(line),
        confirm: () => Promise.resolve(true),
      };
      try {
        const code = await PHASES[what]({ cluster: cluster.name, lease: LEASE, waitMs: WAIT_MS }, ports);
        return { code, words: said.join("; ") };
      } finally {
        await bus.close();
      }
    });
  }

  /** `podgate-pusher forget-cluster`, without a hash or with it. */
  forget(cluster: string, approve?: string): Promise<Said & { readonly hash?: string }> {
    return this.#atCentre("forget-cluster", forgetClusterCommand, cluster, approve);
  }

  /** `podgate-pusher adopt-cluster`, likewise. */
  adopt(cluster: string, approve?: string): Promise<Said & { readonly hash?: string }> {
    return this.#atCentre("adopt-cluster", adoptClusterCommand, cluster, approve);
  }

  #atCentre(
    name: string,
    command: typeof forgetClusterCommand | typeof adoptClusterCommand,
    cluster: string,
    approve: string | undefined,
  ): Promise<Said & { readonly hash?: string }> {
    const { busOf, deviceOf, dice, configuration } = this.#options;
    return this.#command(`${name} ${cluster} ${approve ?? ""}`, async (process) => {
      const bus = busOf(process, "pusher");
      const { clock } = process;
      const ports: LookPorts = {
        bus,
        clock,
        random: dice.random,
        logger: silentLogger,
        observe: unobserved,
        names: namesOf(configuration.install),
        makeFirewall: (target, onFailover, mayCall) =>
          targetFirewall(
            target,
            deviceOf(process, target.url),
            namesOf(configuration.install),
            clock,
            onFailover,
            mayCall,
          ),
      };
      try {
        const options = { cluster, approve, who: "operator", waitMs: WAIT_MS };
        const answer: Answer = await command(configuration, ports, options);
        return { code: answer.code, words: answer.text, hash: (answer.json as { hash: string }).hash };
      } finally {
        await bus.close();
      }
    });
  }

  async #command<T extends Said>(
    what: string,
    run: (process: Process) => Promise<T>,
  ): Promise<T | (Said & { readonly hash?: never })> {
    const { timeline, history } = this.#options;
    const process = new Process("operator", timeline);
    history.note("operator", what);
    try {
      const said = await run(process);
      history.note("operator", `${what}: ${String(said.code)}: ${said.words.slice(0, 300)}`);
      return said;
    } catch (error) {
      // For people: what is in the way, and what to do. He tries again later.
      const words = describeError(error);
      history.note("operator", `${what}: ${words}`);
      return { code: FAILED, words };
    } finally {
      process.kill();
    }
  }
}
