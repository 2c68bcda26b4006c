import type { Bus } from "@podgate/shared/bus/bus";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { streamFor } from "@podgate/shared/bus/topology";
import { streamOf } from "@podgate/shared/contract/subjects";
import type { Logger } from "@podgate/shared/runtime/logger";
import { seededRandom } from "@podgate/shared/runtime/random";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import type { AskedPhase } from "../../src/kubernetes/asked-phase.ts";
import { quiet } from "../../src/publish/quiet.ts";
import { reign, type Leadership } from "../../src/publish/reign.ts";
import { Cluster, Source } from "./cluster.ts";
import { Fold } from "./fold.ts";

export const CLUSTER = "east";
export const STREAM = streamOf(CLUSTER);

/** A Lease: one holder at a time; `expire` takes it away as when renewals fail. */
export class Lease {
  holder = "";
  readonly #lost = new Map<string, () => void>();
  readonly #waiting: (() => void)[] = [];
  readonly released: string[] = [];
  readonly #asking = new Set<() => void>();
  #asked: AskedPhase = "synced";

  /** An operator asks for a phase. */
  ask(phase: AskedPhase): void {
    this.#asked = phase;
    for (const run of this.#asking) run();
  }

  leadership(name: string): Leadership {
    const asked = (): AskedPhase => this.#asked;
    return {
      get asked() {
        return asked();
      },
      onAsked: (run) => {
        this.#asking.add(run);
        return () => void this.#asking.delete(run);
      },
      acquire: async (signal) => {
        while (this.holder !== "" && this.holder !== name) {
          await new Promise<void>((resolve) => {
            this.#waiting.push(resolve);
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
          signal.throwIfAborted();
        }
        this.holder = name;
      },
      keep: (signal) =>
        new Promise((resolve) => {
          this.#lost.set(name, resolve);
          signal.addEventListener("abort", () => resolve(), { once: true });
        }),
      verify: async () => this.holder === name,
      release: async () => {
        this.released.push(name);
        if (this.holder === name) this.#free();
      },
    };
  }

  /** Its holder stops renewing and, unless it sleeps, notices. */
  expire({ noticed }: { readonly noticed: boolean }): void {
    const name = this.holder;
    this.#free();
    if (noticed) this.#lost.get(name)?.();
  }

  notice(name: string): void {
    this.#lost.get(name)?.();
  }

  #free(): void {
    this.holder = "";
    for (const run of this.#waiting.splice(0)) run();
  }
}

export interface Watcher {
  readonly name: string;
  readonly troubles: string[];
  readonly lines: string[];
  readonly sources: Source[];
  readonly bus: Bus;
  turns: number;
  stop(): void;
  readonly done: Promise<void>;
}

/** Watchers of one cluster on one in-memory bus, in virtual time, and an independent reader of all that is stored. */
export class Scene {
  readonly clock = new VirtualClock();
  readonly fold = new Fold();
  readonly server: MemoryBusServer;
  readonly lease = new Lease();
  readonly cluster = new Cluster();
  readonly operator: Bus;
  reads: number | undefined;
  /** uid of the cluster that the pusher knows. */
  known: string | undefined;

  constructor() {
    this.server = new MemoryBusServer({
      clock: this.clock,
      onStored: (stream, message) => {
        if (stream === STREAM) this.fold.take(message);
      },
    });
    this.operator = this.server.connect("operator");
  }

  static async make(): Promise<Scene> {
    const scene = new Scene();
    await scene.createStream();
    return scene;
  }

  async createStream(): Promise<void> {
    await this.operator.createStream(
      streamFor(CLUSTER, {
        replicas: 1,
        maxBytes: 100_000_000,
        maxMessages: 1_000_000,
        maxMessageBytes: 1_000_000,
      }),
    );
  }

  watcher(name: string, options: { cluster?: Cluster; lease?: Pick<Lease, "leadership"> } = {}): Watcher {
    const { cluster = this.cluster, lease = this.lease } = options;
    const stopping = new AbortController();
    const bus = this.server.connect(name);
    const troubles: string[] = [];
    const lines: string[] = [];
    const sources: Source[] = [];
    const line = (_: unknown, message: string): void => void lines.push(message);
    const logger: Logger = { debug: () => undefined, info: line, warn: line, error: line };
    const watcher: Watcher = {
      name,
      troubles,
      lines,
      sources,
      bus,
      turns: 0,
      stop: () => stopping.abort(),
      done: reign(
        { cluster: CLUSTER, clusterUid: cluster.uid, watcherVersion: "1.0.0", heartbeatMs: 2000 },
        {
          bus,
          leadership: lease.leadership(name),
          source: () => {
            const source = new Source(cluster);
            sources.push(source);
            return source;
          },
          reads: () => this.reads,
          known: () => this.known,
          clock: this.clock,
          random: seededRandom(7),
          logger: quiet(logger, this.clock, 600_000),
          observe: {
            published: () => undefined,
            state: () => undefined,
            turn: () => void (watcher.turns += 1),
            rest: () => undefined,
            leads: () => undefined,
            trouble: (kind) => void troubles.push(kind),
          },
        },
        stopping.signal,
      ),
    };
    return watcher;
  }

  /** Until the newest state says `synced` and the stream holds what the cluster does. */
  settled(ms = 60_000): Promise<boolean> {
    return this.clock.run(
      ms,
      () =>
        this.fold.states.at(-1)?.phase === "synced" &&
        JSON.stringify(this.fold.keys()) === JSON.stringify(this.cluster.keys()),
    );
  }

  /** Ends the watchers, and lets them finish. */
  async end(...watchers: Watcher[]): Promise<void> {
    for (const watcher of watchers) watcher.stop();
    let over = false;
    void Promise.all(watchers.map(({ done }) => done)).then(() => (over = true));
    await this.clock.run(30_000, () => over);
  }
}
