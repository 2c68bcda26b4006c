import type { Test } from "tap";
import { usedRights } from "../packaging/rights.ts";
import { WATCHER_USER } from "../stack/control-plane.ts";
import { membershipHistory } from "../stack/history.ts";
import type { KubernetesObject } from "../stack/kubernetes-client.ts";
import type { Service } from "../stack/service.ts";
import { startStack, type Cluster, type Stack, type StackOptions } from "../stack/stack.ts";
import { skipWithout } from "../tools/tool.ts";
import { judge, rightful, type Sighting, type Verdict } from "./judge.ts";
import { ClusterRecord, listPresent, seenBy, type Family } from "./record.ts";

/** For `skip` of every scenario: the real parts that are missing, or false. */
export const skip = skipWithout(
  "nats-server",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
);

/** How far the firewall may lag behind the cluster on a machine that runs all of this at once. */
const BOUND_MS = 5000;
const POLL_MS = 50;
const QUIET_MS = 2000;
const WAIT_MS = 30_000;
const LOG_LINES = 80;
/** A file takes two minutes; a machine may be busy with others. */
const FILE_MS = 600_000;

type Labels = Readonly<Record<string, string>>;

export interface InCluster {
  /** Default: the only one, or the first. */
  readonly cluster?: string;
}

export interface OnFirewall {
  /** Target; default: the only one, or the first. */
  readonly firewall?: string;
  readonly vdom?: string;
  readonly family?: Family;
}

export interface GroupOptions extends InCluster {
  /** Labels of the pods. */
  readonly pods: Labels;
  /** Labels of their namespaces; default all of them. */
  readonly namespaces?: Labels;
  readonly addresses?: "Pod" | "Node";
  /** The group's name on the firewall; default its own. */
  readonly groupName?: string;
}

export interface DeploymentOptions extends InCluster {
  /** Default 1. */
  readonly replicas?: number;
  /** Labels of its pods besides `app: <name>`. */
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

export interface PodOptions extends InCluster {
  /** Where it runs; default wherever the scheduler puts it. */
  readonly node?: string;
}

export interface EqualOptions extends OnFirewall {
  /** Whose pods count; default every cluster's. */
  readonly clusters?: readonly string[];
  /** Also so many members. */
  readonly count?: number;
  readonly ms?: number;
}

export interface JudgeScene extends OnFirewall {
  /** Milliseconds the firewall may lag behind; default 5,000. */
  readonly boundMs?: number;
  /** How much later than the watcher this process may hear of a change; default 1,000 ms. */
  readonly slackMs?: number;
  /** Members that are not Kubernetes'. */
  readonly foreign?: Iterable<string>;
  /** Milliseconds since 1970; how late the firewall was is told of later changes only. */
  readonly since?: number;
}

/** A running stack, and the few words in which scenarios are told. */
export class Scene {
  readonly stack: Stack;
  readonly #records: ReadonlyMap<string, ClusterRecord>;
  readonly #takenAway = new Set<string>();

  constructor(stack: Stack, records: ReadonlyMap<string, ClusterRecord>) {
    this.stack = stack;
    this.#records = records;
  }

  cluster(name?: string): Cluster {
    return this.stack.cluster(name);
  }

  async namespace(name: string, { labels = {}, cluster }: InCluster & { labels?: Labels } = {}) {
    await this.cluster(cluster).plane.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels },
    });
  }

  /** A ClusterAddressGroup. */
  async group(name: string, { pods, namespaces, addresses, groupName, cluster }: GroupOptions) {
    await this.cluster(cluster).plane.apply({
      apiVersion: "podgate.dev/v1alpha1",
      kind: "ClusterAddressGroup",
      metadata: { name },
      spec: {
        podSelector: { matchLabels: pods },
        ...(namespaces && { namespaceSelector: { matchLabels: namespaces } }),
        ...(addresses && { addresses }),
        ...(groupName !== undefined && { groupName }),
      },
    });
  }

  /** Applied again, with other labels or annotations, it is a rolling update. */
  async deployment(namespace: string, name: string, options: DeploymentOptions = {}) {
    const { replicas = 1, labels = {}, annotations = {}, cluster } = options;
    await this.cluster(cluster).plane.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name, ...labels }, annotations },
          spec: { containers: [CONTAINER] },
        },
      },
    });
  }

  /** A pod by itself. */
  async pod(namespace: string, name: string, labels: Labels, { node, cluster }: PodOptions = {}) {
    await this.cluster(cluster).plane.client.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels },
      spec: { containers: [CONTAINER], ...(node !== undefined && { nodeName: node }) },
    });
  }

  async scale(namespace: string, name: string, replicas: number, { cluster }: InCluster = {}) {
    await this.cluster(cluster).plane.client.scale("Deployment", namespace, name, replicas);
  }

  async pods(namespace: string, { cluster }: InCluster = {}): Promise<KubernetesObject[]> {
    return this.cluster(cluster).plane.client.list({ apiVersion: "v1", kind: "Pod", namespace });
  }

  /** What the API servers say now that a group of the firewall should hold, sorted. */
  async expected(
    group: string,
    family: Family = "ipv4",
    clusters: Iterable<string> = this.stack.clusters.keys(),
  ): Promise<string[]> {
    const found = new Set<string>();
    for (const name of clusters) {
      const { plane } = this.cluster(name);
      const present = await listPresent(plane.client);
      const now = present.all("Pod").map((pod): Sighting => ({
        at: 0,
        type: "ADDED",
        object: seenBy(group, family, pod, present),
      }));
      for (const [address, spans] of rightful(now, () => true))
        if (spans.some(({ to }) => to === Number.POSITIVE_INFINITY)) found.add(address);
    }
    return [...found].toSorted();
  }

  /** A group as the firewall has it, through its children; undefined where there is none. */
  members(group: string, { firewall, ...where }: OnFirewall = {}): Promise<string[] | undefined> {
    return this.stack.firewall(firewall).members(group, where);
  }

  /**
   * Waits until a group of the firewall holds what the API servers say.
   *
   * @returns its members
   * @throws when the time is over, with both
   */
  async untilEqual(
    group: string,
    { count, ms = WAIT_MS, clusters, ...where }: EqualOptions = {},
  ): Promise<readonly string[]> {
    let expected: readonly string[] = [];
    let actual: readonly string[] | undefined;
    const isEqual = async () => {
      expected = await this.expected(group, where.family, clusters);
      if (count !== undefined && expected.length !== count) return undefined;
      actual = await this.members(group, where);
      return actual !== undefined && actual.join() === expected.join() ? actual : undefined;
    };
    return this.until(
      () =>
        `${group} to hold ${count ?? "its"} addresses; pods: ${expected.join(" ")}; firewall: ${actual?.join(" ") ?? "no such group"}`,
      isEqual,
      ms,
    );
  }

  /** Waits until `look` gives something. @throws when the time is over */
  async until<T>(
    what: string | (() => string),
    look: () => Promise<T | undefined> | T | undefined,
    ms = WAIT_MS,
  ): Promise<T> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > deadline)
        throw new Error(`waited ${ms} ms for ${typeof what === "string" ? what : what()}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Every state a group was in, against what the API servers told. */
  judge(
    group: string,
    { boundMs = BOUND_MS, slackMs, foreign, since, firewall, ...where }: JudgeScene = {},
  ): Verdict {
    const sightings = [...this.#records.values()]
      .flatMap((record) => record.sightings(group, where.family ?? "ipv4"))
      .toSorted((one, other) => one.at - other.at);
    const history = membershipHistory(this.stack.firewall(firewall), group, where);
    const options = {
      boundMs,
      until: Date.now(),
      ...(slackMs !== undefined && { slackMs }),
      ...(since !== undefined && { since }),
      ...(foreign && { foreign: new Set(foreign) }),
    };
    return judge(group, sightings, () => true, history, options);
  }

  /** Everything that API servers and the firewall said of an address, in order: for people who doubt a verdict. */
  story(group: string, address: string, { family = "ipv4", firewall, ...where }: OnFirewall = {}): string[] {
    const said: { at: number; text: string }[] = [];
    for (const [cluster, record] of this.#records)
      for (const { at, type, object } of record.sightings(group, family)) {
        const { metadata, status } = object;
        const pods = (object as unknown as KubernetesObject)["status"] as { podIP?: string } | undefined;
        if (pods?.podIP !== address) continue;
        const holds = status?.podIPs?.some(({ ip }) => ip === address) === true ? "holds" : "does not hold";
        const ending = metadata.deletionTimestamp === undefined ? "" : ", terminating";
        const stopped = status?.containerStatuses?.every(({ state }) => state?.terminated !== undefined);
        const text = `${cluster} ${type} ${metadata.name} ${metadata.uid}: ${holds} it${ending}${stopped === true ? ", stopped" : ""}`;
        said.push({ at, text });
      }
    let before = false;
    for (const { at, members } of membershipHistory(this.stack.firewall(firewall), group, where)) {
      if (members.has(address) !== before) said.push({ at, text: before ? "firewall: out" : "firewall: in" });
      before = members.has(address);
    }
    return said
      .toSorted((one, other) => one.at - other.at)
      .map(({ at, text }) => `${new Date(at).toISOString()} ${text}`);
  }

  /**
   * What was so far is forgotten, here and on the firewalls: verdicts are of what comes from now on. Waits until no pod
   * has changed for so long that the firewalls have followed.
   */
  async forget(quietMs = QUIET_MS, ms = WAIT_MS): Promise<void> {
    const records = [...this.#records.values()];
    const quiet = () => records.every(({ lastPodAt }) => Date.now() - lastPodAt > quietMs) || undefined;
    await this.until("pods to change no more", quiet, ms);
    for (const record of this.#records.values()) record.forget();
    for (const { simulator } of this.stack.firewalls.values()) {
      simulator.device.log.clear();
      simulator.device.chronicle.clear(simulator.device.configuration);
    }
  }

  /** The product's last lines, for people who look for what went wrong. */
  explain(): void {
    const services: Service[] = [this.stack.pusher];
    for (const { watcher } of this.stack.clusters.values()) services.push(watcher);
    for (const { name, output } of services)
      console.error(`--- ${name}\n${output.slice(-LOG_LINES).join("\n")}`);
  }

  /** From now on the watcher may be refused what it does with this resource: somebody takes a right away. */
  takesAway(resource: string): void {
    this.#takenAway.add(resource);
  }

  /** What the product asked for without a right to it; the stack gives it those that the documentation tells. */
  overreached(): string[] {
    const { firewalls, clusters } = this.stack;
    return [
      ...[...firewalls.values()].flatMap((firewall) => firewall.overreached),
      ...[...clusters.values()].flatMap(({ plane }) => usedRights(plane.audited(), WATCHER_USER).refused),
    ].filter((refused) => !this.#takenAway.has(refused.split(/[ :]/)[1] ?? ""));
  }

  /** @throws when a record had a gap: its verdicts would be worth nothing; and when the product asked for too much */
  async close(): Promise<void> {
    try {
      await Promise.all([...this.#records.values()].map((record) => record.stop()));
      const refused = this.overreached();
      if (refused.length > 0)
        throw new Error(`refused for want of a right: ${[...new Set(refused)].join("; ")}`);
    } finally {
      await this.stack.close();
    }
  }
}

const CONTAINER = { name: "main", image: "registry.invalid/main:1" };

/** Scenarios share a device: none is to wait for the budget that another one used up. */
const BUDGET = { burst: 100, perSecond: 100 };

export async function startScene(options: StackOptions = {}): Promise<Scene> {
  const { pusher } = options;
  const stack = await startStack({
    ...options,
    pusher: { ...pusher, target: { ...BUDGET, ...pusher?.target } },
  });
  try {
    const records = new Map<string, ClusterRecord>();
    for (const { name, plane } of stack.clusters.values())
      records.set(name, await new ClusterRecord(plane.client).ready());
    return new Scene(stack, records);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

type Play = (t: Test, scene: Scene) => Promise<unknown>;

/**
 * One stack for the tests of a file: started by the first that runs, ended after the last. When one of them fails,
 * the product's logs are printed.
 */
export function stage(root: Test, options: StackOptions = {}): (play: Play) => (t: Test) => Promise<void> {
  let scene: Promise<Scene> | undefined;
  root.setTimeout(FILE_MS);
  root.teardown(async () => {
    // One that could not be started was told by the test that wanted it, and left nothing behind.
    const running = await scene?.catch(() => undefined);
    await running?.close();
  });
  return (play) => async (t) => {
    const running = await (scene ??= startScene(options));
    let isOver = false;
    try {
      await play(t, running);
      isOver = true;
    } finally {
      if (!isOver || !t.passing()) running.explain();
    }
  };
}
