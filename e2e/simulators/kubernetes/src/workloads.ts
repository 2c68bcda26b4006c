import { AddressPool } from "./addresses.ts";
import type { Clock } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import type { Labels } from "./labels.ts";
import type { Pod } from "./pod.ts";

/** How long the steps of a pod's life take: milliseconds. */
export interface Pace {
  /** From its creation until it runs and has an address. */
  readonly start: number;
  /** From then until it is ready. */
  readonly ready: number;
  /** From its deletion until its container has stopped; beyond the grace period it is killed. */
  readonly stop: number;
  /** From then until the object is gone. */
  readonly gone: number;
  readonly graceSeconds: number;
}

/** As recorded on a real node (kubelet 1.37), with a container that stops within a second. */
export const REAL_PACE: Pace = { start: 450, ready: 15, stop: 1000, gone: 900, graceSeconds: 30 };

export interface WorkloadOptions {
  readonly pace?: Partial<Pace>;
  readonly addresses?: AddressPool;
}

interface Life {
  readonly name: string;
  slot: number | undefined;
  cancel: () => void;
}

interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  lives: Life[];
  made: number;
}

/** A small Deployment controller, scheduler and kubelet: pods come and go through the steps of a real pod's life. */
export class Workloads {
  pace: Pace;
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #nodes: () => readonly string[];
  readonly #pool: AddressPool;
  readonly #workloads = new Map<string, Workload>();
  readonly #dying = new Set<Life>();
  #turn = 0;

  /** @param nodes names of the nodes to use, in turn */
  constructor(cluster: Cluster, clock: Clock, nodes: () => readonly string[], options: WorkloadOptions = {}) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#nodes = nodes;
    this.pace = { ...REAL_PACE, ...options.pace };
    this.#pool = options.addresses ?? new AddressPool("10.244.0.1", 65_000);
  }

  /** Brings a workload to so many pods; the labels are those of its first call. The newest pods go first. */
  scale(namespace: string, name: string, labels: Labels, replicas: number): void {
    const key = `${namespace}/${name}`;
    const workload = this.#workloads.get(key) ?? { namespace, name, labels, lives: [], made: 0 };
    this.#workloads.set(key, workload);
    while (workload.lives.length < replicas) workload.lives.push(this.#begin(workload));
    for (const life of workload.lives.splice(replicas).toReversed()) this.#end(workload, life);
  }

  /** As many new pods, and the end of the old ones. */
  restart(namespace: string, name: string): void {
    const workload = this.#workloads.get(`${namespace}/${name}`);
    if (workload === undefined) throw new Error(`there is no workload ${namespace}/${name}`);
    const old = workload.lives;
    workload.lives = old.map(() => this.#begin(workload));
    for (const life of old) this.#end(workload, life);
  }

  /** Nothing happens any more. */
  stop(): void {
    for (const { lives } of this.#workloads.values()) for (const life of lives) life.cancel();
    for (const life of this.#dying) life.cancel();
  }

  #begin(workload: Workload): Life {
    const { namespace, labels } = workload;
    const owner = `${workload.name}-${hash(workload.name)}`;
    workload.made += 1;
    const life: Life = {
      name: `${owner}-${suffix(workload.made)}`,
      slot: undefined,
      cancel: () => undefined,
    };
    const nodes = this.#nodes();
    const nodeName = nodes[this.#turn % Math.max(1, nodes.length)] ?? "node-1";
    this.#turn += 1;
    this.#cluster.createPod({
      namespace,
      name: life.name,
      labels: { ...labels, "pod-template-hash": hash(workload.name) },
      owner,
      phase: "Pending",
      container: "none",
      sandbox: false,
      terminationGraceSeconds: this.pace.graceSeconds,
    });
    const change = this.#changer(namespace, life);
    change({ nodeName });
    change({ container: "waiting" });
    this.#later(life, this.pace.start, () => {
      const { slot, addresses } = this.#pool.take();
      life.slot = slot;
      change({ sandbox: true });
      // The address comes together with Running, never before.
      change({ phase: "Running", container: "running", addresses });
      this.#later(life, this.pace.ready, () => change({ container: "ready" }));
    });
    return life;
  }

  #end({ namespace }: Workload, life: Life): void {
    const { stop, gone, graceSeconds } = this.pace;
    life.cancel();
    this.#dying.add(life);
    const change = this.#changer(namespace, life);
    const over = (): void => {
      change({ deletion: { at: this.#clock.now(), graceSeconds: 0 } });
      this.#cluster.deletePod(namespace, life.name);
      if (life.slot !== undefined) this.#pool.release(life.slot);
      this.#dying.delete(life);
    };
    change({ deletion: { at: this.#clock.now() + graceSeconds * 1000, graceSeconds }, generation: 2 });
    // A pod that never ran has nothing to stop.
    if (life.slot === undefined) return over();
    change({ observedGeneration: 2 });
    const killed = stop > graceSeconds * 1000;
    this.#later(life, killed ? graceSeconds * 1000 : stop, () => {
      const result = killed
        ? ({ phase: "Failed", exitCode: 137 } as const)
        : ({ phase: "Succeeded", exitCode: 0 } as const);
      change({ ...result, container: "terminated", sandbox: false });
      this.#later(life, gone, over);
    });
  }

  #changer(
    namespace: string,
    life: Life,
  ): (fields: Partial<Omit<Pod, "namespace" | "name" | "uid">>) => void {
    return (fields) => {
      this.#cluster.changePod(namespace, life.name, fields);
    };
  }

  #later(life: Life, ms: number, run: () => void): void {
    life.cancel = this.#clock.timer(ms, run);
  }
}

/** Letters as in generated names; the same for the same number. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
function suffix(value: number): string {
  let text = "";
  // Odd factor, coprime to the number of names: each value its own name, without looking counted.
  for (let left = (value * 7_368_787) % 27 ** 5; text.length < 5; left = Math.floor(left / 27)) {
    text += ALPHABET[left % 27] ?? "";
  }
  return text;
}

function hash(text: string): string {
  let value = 0;
  for (const char of text) value = (value * 31 + (char.codePointAt(0) ?? 0)) % 27 ** 5;
  return suffix(value);
}
