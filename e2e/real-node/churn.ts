import { setTimeout as pause } from "node:timers/promises";
import { fakeNodes } from "../stack/fake-nodes.ts";
import type { KubernetesClient, KubernetesObject, Where } from "../stack/kubernetes-client.ts";
import { until } from "../stack/until.ts";

export interface ChurnOptions {
  readonly client: KubernetesClient;
  /** Has to be there. */
  readonly namespace: string;
  /** Label `app` of the pods. */
  readonly app: string;
  /** First three numbers of the pods' addresses: `10.245.0`. */
  readonly network: string;
  /** Pods that live through all of it. */
  readonly standing: number;
  /** Pods beside them at any time; each lives until as many younger ones are there. */
  readonly passing: number;
}

/** Given out in turn, as a CNI does it: one that was freed is used again after all others, one that is used never. */
const ADDRESSES = 250;
const NODE = "node-1";

/**
 * Pods that come and go without a container behind them: they are bound to a node that no kubelet looks after, and this
 * writes to the API server what a kubelet would: address, containers that run or have stopped, the end.
 */
export class Churn {
  readonly #options: ChurnOptions;
  readonly #passing: { readonly name: string; readonly address: string }[] = [];
  readonly #standing: string[] = [];
  #made = 0;
  #events = 0;
  #startedAt = 0;
  #stopped: Promise<void> = Promise.resolve();
  #isStopping = false;

  private constructor(options: ChurnOptions) {
    this.#options = options;
  }

  /** All pods that live at one time, with their addresses. */
  static async populate(options: ChurnOptions): Promise<Churn> {
    const { client, namespace, standing, passing } = options;
    const churn = new Churn(options);
    const [node] = fakeNodes({ count: 1, podCidrs: [`${options.network}.0/24`], network: "192.168.77" });
    // Real pods go elsewhere.
    const spec = { ...(node?.["spec"] as object), unschedulable: true };
    await client.create({ ...(node as KubernetesObject), spec });
    await until("an account for pods", () =>
      client
        .get({ apiVersion: "v1", kind: "ServiceAccount", namespace, name: "default" })
        .catch(() => undefined),
    );
    for (let n = 0; n < standing; n += 1) churn.#standing.push(await churn.#come(`standing-${n}`));
    for (let n = 0; n < passing; n += 1) await churn.#add();
    return churn;
  }

  /** Of the pods that are there, sorted. */
  get addresses(): string[] {
    return [...this.#standing, ...this.#passing.map(({ address }) => address)].toSorted();
  }

  /** From now on a pod comes or goes so often. */
  begin(perSecond: number): void {
    this.#startedAt = performance.now();
    this.#stopped = this.#run(perSecond);
    this.#stopped.catch(() => undefined);
  }

  /** @returns pods that came or went, and in how many milliseconds. @throws what the API server refused */
  async stop(): Promise<{ readonly events: number; readonly ms: number }> {
    this.#isStopping = true;
    await this.#stopped;
    return { events: this.#events, ms: performance.now() - this.#startedAt };
  }

  async #run(perSecond: number): Promise<void> {
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    for (let n = 0; !this.#isStopping && failures.length === 0; n += 1) {
      const due = this.#startedAt + (n * 1000) / perSecond;
      if (due > performance.now()) await pause(due - performance.now());
      // One after the other would be as slow as the API server.
      const event = (n % 2 === 0 ? this.#add() : this.#remove(n % 4 === 1)).then(
        () => void (this.#events += 1),
        (error: unknown) => void failures.push(error),
      );
      running.add(event);
      void event.finally(() => running.delete(event));
    }
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
  }

  async #add(): Promise<void> {
    const name = `passing-${this.#made}`;
    const pod = { name, address: this.#nextAddress() };
    this.#passing.push(pod);
    await this.#come(name, pod.address);
  }

  /** @param isOrderly its container is told to end first; else it is gone at once, as with a node that is removed */
  async #remove(isOrderly: boolean): Promise<void> {
    const { client } = this.#options;
    const pod = this.#passing.shift();
    if (pod === undefined) throw new Error("no pod is left");
    const where = this.#where(pod.name);
    if (isOrderly) {
      await client.delete(where);
      await client.patch({ ...where, subresource: "status" }, { status: stopped() });
    }
    await client.delete(where, 0);
  }

  /** @returns its address */
  async #come(name: string, address = this.#nextAddress()): Promise<string> {
    const { client, namespace, app } = this.#options;
    await client.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels: { app } },
      spec: { nodeName: NODE, automountServiceAccountToken: false, containers: [CONTAINER] },
    });
    await client.patch({ ...this.#where(name), subresource: "status" }, { status: running(address) });
    return address;
  }

  #nextAddress(): string {
    const { network, standing } = this.#options;
    const turn =
      this.#made < standing ? this.#made : standing + ((this.#made - standing) % (ADDRESSES - standing));
    this.#made += 1;
    return `${network}.${turn + 1}`;
  }

  #where(name: string): Where {
    return { apiVersion: "v1", kind: "Pod", namespace: this.#options.namespace, name };
  }
}

const CONTAINER = { name: "main", image: "registry.invalid/main:1" };

const running = (address: string): object => ({
  phase: "Running",
  podIP: address,
  podIPs: [{ ip: address }],
  conditions: [{ type: "Ready", status: "True" }],
  containerStatuses: [statusOf({ running: { startedAt: new Date().toISOString() } }, true)],
});

const stopped = (): object => ({
  containerStatuses: [statusOf({ terminated: { exitCode: 0 } }, false)],
});

const statusOf = (state: object, isRunning: boolean): object => ({
  ...CONTAINER,
  imageID: "",
  ready: isRunning,
  started: isRunning,
  restartCount: 0,
  state,
});
