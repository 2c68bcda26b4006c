import type { KubernetesClient, KubernetesObject, WatchEvent } from "../stack/kubernetes-client.ts";
import type { PodObject, Sighting } from "./judge.ts";

export type Family = "ipv4" | "ipv6";

const GROUPS = "podgate.dev/v1alpha1";
const WATCHED = [
  { apiVersion: "v1", kind: "Node" },
  { apiVersion: "v1", kind: "Namespace" },
  { apiVersion: "v1", kind: "Pod" },
  { apiVersion: GROUPS, kind: "ClusterAddressGroup" },
  { apiVersion: GROUPS, kind: "AddressGroup" },
] as const;

type Kind = (typeof WATCHED)[number]["kind"];

interface Heard {
  readonly at: number;
  readonly type: Sighting["type"];
  readonly object: KubernetesObject;
}

/** An API server that is restarted is back by then; what happened meanwhile is heard late, but whole. */
const PATIENCE_MS = 120_000;

/** What an API server said of everything that decides who is in a group, with the time at which it was heard. */
export class ClusterRecord {
  #heard: Heard[] = [];
  readonly #known = new Map<string, KubernetesObject>();
  readonly #stopping = new AbortController();
  readonly #watching: readonly Promise<void>[];
  readonly #caughtUp: Promise<unknown>;

  constructor(client: KubernetesClient) {
    const watches = WATCHED.map((where) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      /** Known before a new beginning, and not told again yet. */
      let doubted: Set<string> | undefined;
      const hear = ({ type, object }: WatchEvent): void => {
        if (type === "ERROR") return;
        const at = Date.now();
        if (type === "BOOKMARK") {
          resolve();
          for (const uid of doubted ?? []) {
            this.#heard.push({ at, type: "DELETED", object: this.#known.get(uid) as KubernetesObject });
            this.#known.delete(uid);
          }
          doubted = undefined;
          return;
        }
        const { uid = "" } = object.metadata;
        if (type === "DELETED") this.#known.delete(uid);
        else this.#known.set(uid, object);
        doubted?.delete(uid);
        this.#heard.push({ at, type, object });
      };
      const onAgain = (): void => {
        const mine = [...this.#known].filter(([, object]) => object.kind === where.kind);
        doubted = new Set(mine.map(([uid]) => uid));
      };
      const resume = { patienceMs: PATIENCE_MS, onAgain };
      const watching = client.watch(where, hear, this.#stopping.signal, {}, resume);
      return { watching, caughtUp: Promise.race([promise, watching]) };
    });
    this.#watching = watches.map(({ watching }) => watching);
    this.#caughtUp = Promise.all(watches.map(({ caughtUp }) => caughtUp));
    // A watch that breaks is told by `ready` or `stop`.
    for (const promise of [...this.#watching, this.#caughtUp]) promise.catch(() => undefined);
  }

  /** Resolves when what was there is in it. @throws when a watch could not begin */
  async ready(): Promise<this> {
    await this.#caughtUp;
    return this;
  }

  /** When a pod was last heard of, in milliseconds since 1970. */
  get lastPodAt(): number {
    return this.#heard.findLast(({ object }) => object.kind === "Pod")?.at ?? 0;
  }

  /** Only what is there now counts from now on, as if it had always been. */
  forget(): void {
    const order: readonly string[] = WATCHED.map(({ kind }) => kind);
    const present = [...this.#known.values()].toSorted(
      (one, other) => order.indexOf(one.kind) - order.indexOf(other.kind),
    );
    this.#heard = present.map((object) => ({ at: 0, type: "ADDED", object }));
  }

  /** @throws when a watch broke: the record would have a gap */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#watching);
  }

  /**
   * The pods as a group sees them: `podIPs` are the addresses a pod gives the group, none while it is not selected.
   *
   * @param group its name on the firewall
   */
  sightings(group: string, family: Family): Sighting[] {
    const present = new Present();
    return this.#heard.flatMap(({ at, type, object }) =>
      present.take(type, object).map((pod) => ({
        at,
        type: pod === object && type === "DELETED" ? type : "MODIFIED",
        object: seenBy(group, family, pod, present),
      })),
    );
  }
}

/** Objects as they are at one moment, by kind and name. */
export class Present {
  readonly #kinds = new Map<string, Map<string, KubernetesObject>>();

  /** @returns the pods that this may concern */
  take(type: Sighting["type"], object: KubernetesObject): KubernetesObject[] {
    const { name, namespace = "" } = object.metadata;
    const objects = this.#kinds.get(object.kind) ?? new Map<string, KubernetesObject>();
    this.#kinds.set(object.kind, objects);
    if (type === "DELETED") objects.delete(`${namespace}/${name}`);
    else objects.set(`${namespace}/${name}`, object);
    if (object.kind === "Pod") return [object];
    const pods = this.all("Pod");
    return object.kind === "Namespace" ? pods.filter((pod) => pod.metadata.namespace === name) : pods;
  }

  all(kind: Kind): KubernetesObject[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])];
  }

  find(kind: Kind, name: string): KubernetesObject | undefined {
    return this.#kinds.get(kind)?.get(`/${name}`);
  }

  /** The definitions that fill this group of the firewall. */
  definitions(group: string): KubernetesObject[] {
    return [...this.all("ClusterAddressGroup"), ...this.all("AddressGroup")].filter(
      (definition) => nameOf(definition) === group,
    );
  }
}

/** Everything of a cluster that decides who is in a group, as its API server lists it now. */
export async function listPresent(client: KubernetesClient): Promise<Present> {
  const present = new Present();
  const lists = await Promise.all(WATCHED.map(async (where) => ({ where, items: await client.list(where) })));
  // Items of a list may come without the kind that all of them have.
  for (const { where, items } of lists)
    for (const item of items) present.take("ADDED", { ...item, ...where });
  return present;
}

/** A pod with the addresses that it gives a group as its own. */
export function seenBy(group: string, family: Family, pod: KubernetesObject, present: Present): PodObject {
  const { spec, status, ...rest } = pod as unknown as PodObject & { readonly spec: PodSpec };
  const definition = present.definitions(group).find((one) => selects(one, pod, present));
  const ofNode = (definition?.["spec"] as GroupSpec | undefined)?.addresses === "Node";
  const ips = ofNode ? nodeAddresses(present, spec.nodeName) : (status?.podIPs ?? []);
  return {
    ...rest,
    spec: { hostNetwork: spec.hostNetwork === true && !ofNode },
    status: {
      ...status,
      podIPs:
        definition === undefined ? [] : ips.filter(({ ip }) => ip.includes(":") === (family === "ipv6")),
    },
  };
}

interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly nodeName?: string;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: unknown;
}

interface GroupSpec {
  readonly groupName?: string;
  readonly addresses?: "Pod" | "Node";
  readonly podSelector: Selector;
  readonly namespaceSelector?: Selector;
}

function nameOf({ kind, metadata, spec }: KubernetesObject): string {
  if (kind === "AddressGroup") return `${metadata.namespace ?? ""}.${metadata.name}`;
  return (spec as GroupSpec).groupName ?? metadata.name;
}

function selects(definition: KubernetesObject, pod: KubernetesObject, present: Present): boolean {
  const { podSelector, namespaceSelector } = definition["spec"] as GroupSpec;
  const { namespace = "", labels } = pod.metadata;
  if (!matches(podSelector, labels)) return false;
  if (definition.kind === "AddressGroup") return definition.metadata.namespace === namespace;
  return (
    namespaceSelector === undefined ||
    matches(namespaceSelector, present.find("Namespace", namespace)?.metadata.labels)
  );
}

/** @throws on what scenarios do not use: a judge that guesses is none */
function matches(
  { matchLabels = {}, matchExpressions }: Selector,
  labels: KubernetesObject["metadata"]["labels"] = {},
): boolean {
  if (matchExpressions !== undefined) throw new Error("the record of a scenario reads matchLabels only");
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}

function nodeAddresses(present: Present, name = ""): { readonly ip: string }[] {
  const status = present.find("Node", name)?.["status"] as NodeStatus | undefined;
  return (status?.addresses ?? [])
    .filter(({ type }) => type === "InternalIP")
    .map(({ address }) => ({ ip: address }));
}

interface NodeStatus {
  readonly addresses?: readonly { readonly type: string; readonly address: string }[];
}
