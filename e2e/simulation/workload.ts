import type { Pod } from "@podgate/kubernetes-simulator/pod";
import type { SimulatedCluster } from "./cluster.ts";
import type { Dice } from "./dice.ts";
import type { Timeline } from "./timeline.ts";

const APPS = ["web", "api", "db"] as const;
const TIERS = ["front", "back"] as const;
const NAMESPACES = ["shop", "lab", "ops"] as const;
const NODES = ["node-1", "node-2", "node-3", "node-4"] as const;
/** As many pods as there usually are, and how far from it their number strays. */
const USUAL = 30;
const STRAY = 4;
const GRACE_SECONDS = 8;

interface Held {
  readonly namespace: string;
  readonly name: string;
}

/** What other people and programs do to one cluster, drawn from the seed. */
export class Workload {
  readonly #site: SimulatedCluster;
  readonly #dice: Dice;
  readonly #timeline: Timeline;
  /** Addresses of its own. */
  readonly #pool: readonly string[];
  readonly #free: string[];
  readonly #used = new Set<string>();
  /** Of pods that do not show them yet. */
  readonly #coming = new Set<string>();
  readonly #shared: readonly string[];
  #made = 0;
  #pending = 0;

  /** @param shared addresses that other clusters give out as well */
  constructor(
    site: SimulatedCluster,
    number: number,
    dice: Dice,
    timeline: Timeline,
    shared: readonly string[],
  ) {
    this.#site = site;
    this.#dice = dice;
    this.#timeline = timeline;
    this.#shared = shared;
    this.#pool = Array.from({ length: 60 }, (_, at) => `10.${String(number)}.0.${String(at + 1)}`);
    this.#free = [...this.#pool];
    const { cluster } = site;
    cluster.createNamespace("shop", { team: "a" });
    cluster.createNamespace("lab", { team: "b" });
    cluster.createNamespace("ops", {});
    for (const [at, name] of NODES.entries()) this.#node(name, number, at);
    cluster.applyGroup("", "web", { podSelector: { matchLabels: { app: "web" } } });
    cluster.applyGroup("", "all-a", {
      podSelector: {},
      namespaceSelector: { matchLabels: { team: "a" } },
    });
    cluster.applyGroup("", "hosts", { podSelector: { matchLabels: { app: "db" } }, addresses: "Node" });
    cluster.applyGroup("shop", "front", { podSelector: { matchLabels: { tier: "front" } } });
    while (this.#count() < USUAL) this.createPod();
  }

  /** Pods on their way in or out. */
  get pending(): number {
    return this.#pending;
  }

  /** One thing happens. @param edits also what takes pods out of groups that go on running. @returns what */
  act(edits: boolean): string {
    const count = this.#count();
    if (count < USUAL - STRAY) return this.createPod();
    if (count > USUAL + STRAY) return this.#deletePod();
    const acts: (readonly [number, () => string])[] = [
      [24, () => this.createPod()],
      [22, () => this.#deletePod()],
      [5, () => this.#complete()],
      [4, () => this.#scale()],
      [4, () => this.#move()],
      [3, () => this.#nodes()],
    ];
    if (edits)
      acts.push([8, () => this.#relabel()], [3, () => this.#labelNamespace()], [5, () => this.#group()]);
    let left = this.#dice.random() * acts.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of acts) {
      left -= weight;
      if (left < 0) return act();
    }
    return this.createPod();
  }

  createPod(): string {
    const { cluster } = this.#site;
    const dice = this.#dice;
    this.#made += 1;
    const name = `pod-${String(this.#made)}`;
    const namespace = dice.pick(NAMESPACES);
    const labels = { app: dice.pick(APPS), tier: dice.pick(TIERS) };
    const nodeName = dice.pick(NODES);
    const isHost = dice.chance(0.05);
    const addresses = isHost ? ["192.0.2.1"] : this.#take();
    const common = {
      namespace,
      name,
      labels,
      nodeName,
      hostNetwork: isHost,
      terminationGraceSeconds: GRACE_SECONDS,
    };
    if (dice.chance(0.5)) cluster.createPod({ ...common, addresses });
    else {
      cluster.createPod({ ...common, nodeName: "", phase: "Pending", container: "none", sandbox: false });
      for (const address of addresses) this.#coming.add(address);
      this.#later(dice.between(50, 1500), () => {
        for (const address of addresses) this.#coming.delete(address);
        if (!this.#isAlive({ namespace, name })) return this.#give(addresses);
        cluster.changePod(namespace, name, {
          nodeName,
          phase: "Running",
          container: "ready",
          sandbox: true,
          addresses,
        });
      });
    }
    return `creates ${namespace}/${name} ${JSON.stringify(labels)} ${addresses.join(" ")}`;
  }

  #deletePod(): string {
    const pod = this.#some();
    if (pod === undefined) return this.createPod();
    return this.#dice.chance(0.3) ? this.#forceDelete(pod) : this.#deleteGracefully(pod);
  }

  #forceDelete(pod: Pod): string {
    this.#site.cluster.deletePod(pod.namespace, pod.name);
    this.#give(pod.addresses);
    return `deletes ${pod.namespace}/${pod.name} at once`;
  }

  #deleteGracefully({ namespace, name, addresses }: Pod): string {
    const { cluster } = this.#site;
    const dice = this.#dice;
    const at = 1_767_225_600_000 + this.#timeline.now + GRACE_SECONDS * 1000;
    cluster.changePod(namespace, name, { deletion: { at, graceSeconds: GRACE_SECONDS } });
    // Its node is lost: nobody says that it has stopped.
    const isSilent = dice.chance(0.1);
    const gone = (): void => {
      if (cluster.hasPod(namespace, name)) cluster.deletePod(namespace, name);
      this.#give(addresses);
    };
    if (isSilent) this.#later(dice.between(30_000, 90_000), gone);
    else
      this.#later(dice.between(20, GRACE_SECONDS * 1000), () => {
        if (!cluster.hasPod(namespace, name)) return;
        cluster.changePod(namespace, name, { container: "terminated", sandbox: false });
        this.#later(dice.between(10, 2000), gone);
      });
    return `deletes ${namespace}/${name} gracefully${isSilent ? ", but its node is lost" : ""}`;
  }

  #relabel(): string {
    const pod = this.#some();
    if (pod === undefined) return this.createPod();
    const labels = { app: this.#dice.pick(APPS), tier: this.#dice.pick(TIERS) };
    this.#site.cluster.changePod(pod.namespace, pod.name, { labels });
    return `labels ${pod.namespace}/${pod.name} ${JSON.stringify(labels)}`;
  }

  #complete(): string {
    const pod = this.#some();
    if (pod === undefined) return this.createPod();
    this.#site.cluster.changePod(pod.namespace, pod.name, { phase: "Succeeded", container: "terminated" });
    // Its address is free from now on, though its status still shows it.
    this.#give(pod.addresses);
    this.#later(this.#dice.between(5000, 60_000), () => {
      if (this.#site.cluster.hasPod(pod.namespace, pod.name))
        this.#site.cluster.deletePod(pod.namespace, pod.name);
    });
    return `${pod.namespace}/${pod.name} completes`;
  }

  /** A pod gets another address in place. */
  #move(): string {
    const pod = this.#some();
    if (pod === undefined || pod.hostNetwork) return this.createPod();
    const addresses = this.#take();
    this.#site.cluster.changePod(pod.namespace, pod.name, { addresses });
    this.#give(pod.addresses);
    return `${pod.namespace}/${pod.name} moves to ${addresses.join(" ")}`;
  }

  #scale(): string {
    const many = this.#dice.int(2, 4);
    const isUp = this.#count() <= USUAL;
    const done = Array.from({ length: many }, () => (isUp ? this.createPod() : this.#deletePod()));
    return `scales: ${done.join("; ")}`;
  }

  #labelNamespace(): string {
    const name = this.#dice.pick(NAMESPACES);
    const team = this.#dice.pick(["a", "b", null]);
    this.#site.cluster.labelNamespace(name, { team });
    return `labels namespace ${name} team=${String(team)}`;
  }

  #nodes(): string {
    const { cluster } = this.#site;
    // node-1 stays: the list of nodes is never empty.
    const name = this.#dice.pick(NODES.slice(1));
    const number = Number(this.#site.name.slice(1));
    const has = this.#site.api.own("GET", `/api/v1/nodes/${name}`, "", 0).status === 200;
    if (has) cluster.deleteNode(name);
    else this.#node(name, number, NODES.indexOf(name));
    return `node ${name} ${has ? "goes" : "comes"}`;
  }

  #node(name: string, number: number, at: number): void {
    this.#site.cluster.createNode(name, { internal: [`192.0.${String(number)}.${String(at + 1)}`] });
  }

  #group(): string {
    const { cluster } = this.#site;
    const dice = this.#dice;
    const name = dice.pick(["web", "extra", "hosts"]);
    const path = `/apis/podgate.dev/v1alpha1/clusteraddressgroups/${name}`;
    const has = this.#site.api.own("GET", path, "", 0).status === 200;
    if (has && dice.chance(0.4)) {
      cluster.deleteGroup("", name);
      return `deletes group ${name}`;
    }
    const podSelector = dice.pick<Readonly<Record<string, unknown>>>([
      { matchLabels: { app: dice.pick(APPS) }, matchExpressions: null },
      {
        matchLabels: null,
        matchExpressions: [{ key: "app", operator: dice.pick(["In", "NotIn"]), values: [dice.pick(APPS)] }],
      },
    ]);
    const addresses = name === "hosts" ? "Node" : "Pod";
    cluster.applyGroup("", name, { podSelector, addresses });
    return `applies group ${name} ${JSON.stringify(podSelector)}`;
  }

  /** A pod that runs. */
  #some(): Pod | undefined {
    const pods = this.#site.cluster
      .pods()
      .filter(({ deletion, phase }) => deletion === undefined && phase === "Running");
    return pods.length === 0 ? undefined : this.#dice.pick(pods);
  }

  #count(): number {
    return this.#site.cluster.pods().length;
  }

  #isAlive({ namespace, name }: Held): boolean {
    return (
      this.#site.cluster.hasPod(namespace, name) &&
      this.#site.cluster.pod(namespace, name).deletion === undefined
    );
  }

  /** The address that became free last is the first to be given out again. */
  #take(): string[] {
    const dice = this.#dice;
    if (dice.chance(0.05)) return [dice.pick(this.#shared)];
    if (this.#free.length === 0) this.#reclaim();
    const address = this.#free.pop();
    if (address === undefined) throw new Error(`${this.#site.name} has no free address`);
    this.#used.add(address);
    return dice.chance(0.2)
      ? [
          address,
          `fd00::${address
            .split(".")
            .map(Number)
            .map((part) => part.toString(16))
            .join(":")}`,
        ]
      : [address];
  }

  #give(addresses: readonly string[]): void {
    for (const address of addresses) if (this.#used.delete(address)) this.#free.push(address);
  }

  /** A cluster that is made anew takes its pods along without a word. */
  #reclaim(): void {
    const shown = new Set(this.#site.cluster.pods().flatMap(({ addresses }) => addresses));
    this.#give(this.#pool.filter((address) => !shown.has(address) && !this.#coming.has(address)));
  }

  #later(ms: number, run: () => void): void {
    this.#pending += 1;
    this.#timeline.after(ms, () => {
      this.#pending -= 1;
      run();
    });
  }
}
