import type { KubernetesClient, KubernetesObject, WatchEvent } from "../stack/kubernetes-client.ts";
import { isReady } from "./pods.ts";

/** How the rollout of a Deployment went, by every state that the API server told. */
export interface Rollout {
  readonly deployment: string;
  /** Pods that its strategy does without. */
  readonly mayBeMissing: number;
  /** The most that were not available at one time. */
  readonly missed: number;
  /** Milliseconds with fewer pods available than wanted. */
  readonly missedMs: number;
  /** Milliseconds from the making of a new pod until it was ready. */
  readonly startsMs: readonly number[];
  /** Pods that were ready, and then were not, before they were told to end. */
  readonly lapsed: readonly string[];
}

interface DeploymentObject extends KubernetesObject {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly strategy: { readonly rollingUpdate: { readonly maxUnavailable: number } };
  };
  readonly status?: { readonly availableReplicas?: number };
}

interface Heard<T> {
  readonly at: number;
  readonly object: T;
}

/** Watches the Deployments of a namespace and their pods. */
export class Rollouts {
  readonly #stopping = new AbortController();
  readonly #deployments = new Map<string, Heard<DeploymentObject>[]>();
  readonly #pods = new Map<string, Heard<KubernetesObject>[]>();
  /** Pods that were there before. */
  readonly #old = new Set<string>();
  readonly #watches: readonly { readonly over: Promise<void>; readonly begun: Promise<void> }[];

  constructor(client: KubernetesClient, namespace: string) {
    const watch = (apiVersion: string, kind: string, hear: (heard: Heard<KubernetesObject>) => void) => {
      const { promise: begun, resolve } = Promise.withResolvers<void>();
      const onEvent = ({ type, object }: WatchEvent): void => {
        if (type === "BOOKMARK") resolve();
        else if (type !== "DELETED") hear({ at: performance.now(), object });
      };
      const over = client.watch({ apiVersion, kind, namespace }, onEvent, this.#stopping.signal);
      over.catch(() => undefined);
      return { over, begun: Promise.race([begun, over]) };
    };
    this.#watches = [
      watch("apps/v1", "Deployment", (heard) => keep(this.#deployments, heard)),
      watch("v1", "Pod", (heard) => keep(this.#pods, heard)),
    ];
  }

  /** Resolves when it knows what is there. */
  async ready(): Promise<this> {
    await Promise.all(this.#watches.map(({ begun }) => begun));
    for (const name of this.#pods.keys()) this.#old.add(name);
    return this;
  }

  /** @throws when a watch broke before: something could have been missed */
  async stop(): Promise<Rollout[]> {
    this.#stopping.abort();
    await Promise.all(this.#watches.map(({ over }) => over));
    return [...this.#deployments.values()].map((heard) => this.#rollout(heard));
  }

  #rollout(heard: readonly Heard<DeploymentObject>[]): Rollout {
    const { metadata, spec } = (heard[0] as Heard<DeploymentObject>).object;
    const missing = heard.map(
      ({ at, object }) =>
        [at, Math.max(0, object.spec.replicas - (object.status?.availableReplicas ?? 0))] as const,
    );
    const labels = Object.entries(spec.selector.matchLabels);
    const pods = [...this.#pods].filter(([, [first]]) =>
      labels.every(([name, value]) => first?.object.metadata.labels?.[name] === value),
    );
    return {
      deployment: metadata.name,
      mayBeMissing: spec.strategy.rollingUpdate.maxUnavailable,
      missed: Math.max(...missing.map(([, count]) => count)),
      missedMs: missing.reduce(
        (sum, [at, count], place) => sum + (count > 0 ? (missing[place + 1]?.[0] ?? at) - at : 0),
        0,
      ),
      startsMs: pods.flatMap(([name, life]) => (this.#old.has(name) ? [] : startOf(life))),
      lapsed: pods.filter(([, life]) => hasLapsed(life)).map(([name]) => name),
    };
  }
}

function keep<T extends KubernetesObject>(
  into: Map<string, Heard<T>[]>,
  heard: Heard<KubernetesObject>,
): void {
  const { name } = heard.object.metadata;
  const list = into.get(name) ?? [];
  into.set(name, list);
  list.push(heard as Heard<T>);
}

const readyIn = ({ object }: Heard<KubernetesObject>): boolean => isReady(object["status"] ?? {});

/** Not known of one that never was ready. */
function startOf(life: readonly Heard<KubernetesObject>[]): number[] {
  const ready = life.find((heard) => readyIn(heard));
  return ready === undefined ? [] : [ready.at - (life[0]?.at ?? ready.at)];
}

function hasLapsed(life: readonly Heard<KubernetesObject>[]): boolean {
  const since = life.findIndex((heard) => readyIn(heard));
  const after = since < 0 ? [] : life.slice(since);
  return after.some((heard) => !readyIn(heard) && heard.object.metadata["deletionTimestamp"] === undefined);
}
