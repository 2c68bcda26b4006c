import type { ApiServer } from "./api-server.ts";
import type { Clock } from "./clock.ts";
import { definition } from "./custom-resources.ts";
import { Document, keyOf, record, type Json } from "./item.ts";
import type { Labels } from "./labels.ts";
import { podOf, type Pod, type PodFields } from "./pod.ts";
import { PodItem } from "./pod-item.ts";
import { CRDS, NAMESPACES, NODES, PODS, type Resource } from "./resource.ts";
import type { Change } from "./store.ts";

export interface NodeFields {
  readonly internal: readonly string[];
  readonly external?: readonly string[];
  readonly labels?: Labels;
}

const GROUP = "podgate.dev";

/** What other programs do to a cluster, in one line each. Every change is committed when the call returns. */
export class Cluster {
  readonly #api: ApiServer;
  readonly #clock: Clock;

  /** With the namespaces `default`, `kube-system` and `podgate`, and the definitions of Podgate's resources. */
  constructor(api: ApiServer, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
    for (const name of ["default", "kube-system", "podgate"]) this.createNamespace(name);
    this.#write(
      "POST",
      CRDS,
      "",
      definition(GROUP, "clusteraddressgroups", "ClusterAddressGroup", "Cluster"),
    );
    this.#write("POST", CRDS, "", definition(GROUP, "addressgroups", "AddressGroup", "Namespaced"));
  }

  /** uid of the namespace kube-system. */
  get uid(): string {
    return String(record(this.read("/api/v1/namespaces/kube-system")["metadata"])["uid"]);
  }

  createNamespace(name: string, labels: Labels = {}): void {
    const metadata = { name, labels: { "kubernetes.io/metadata.name": name, ...labels } };
    this.#write("POST", NAMESPACES, "", { metadata, spec: { finalizers: ["kubernetes"] } });
  }

  /** A label that is null is taken away. */
  labelNamespace(name: string, labels: Readonly<Record<string, string | null>>): void {
    this.#write("PATCH", NAMESPACES, name, { metadata: { name, labels } });
  }

  createNode(name: string, { internal, external = [], labels = {} }: NodeFields): void {
    this.#write("POST", NODES, "", {
      metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    });
    const addresses = [
      ...internal.map((address) => ({ type: "InternalIP", address })),
      ...external.map((address) => ({ type: "ExternalIP", address })),
    ];
    this.#write("PATCH", NODES, `${name}/status`, {
      status: { addresses, conditions: [{ type: "Ready", status: "True" }] },
    });
  }

  deleteNode(name: string): void {
    this.#write("DELETE", NODES, name, {});
  }

  /** A running pod with the addresses given, in one ADDED event, unless the fields say otherwise. */
  createPod(fields: PodFields): Change {
    const now = this.#clock.now();
    return this.#putPod(podOf(fields, this.#api.newUid(), now), now);
  }

  changePod(
    namespace: string,
    name: string,
    fields: Partial<Omit<Pod, "namespace" | "name" | "uid">>,
  ): Change {
    return this.#putPod({ ...this.pod(namespace, name), ...fields }, this.#clock.now());
  }

  /** Gone at once: one DELETED event. `Workloads` deletes them the way a kubelet does. */
  deletePod(namespace: string, name: string): Change {
    const pod = this.pod(namespace, name);
    return this.#api.store.delete(PODS, (version) => new PodItem(pod, version), this.#clock.now());
  }

  hasPod(namespace: string, name: string): boolean {
    return this.#api.store.get(PODS, keyOf(namespace, name)) !== undefined;
  }

  /** @throws Error when there is none, or it was not made here */
  pod(namespace: string, name: string): Pod {
    const item = this.#api.store.get(PODS, keyOf(namespace, name));
    if (!(item instanceof PodItem)) throw new Error(`there is no pod ${namespace}/${name}`);
    return item.pod;
  }

  pods(namespace = ""): Pod[] {
    return this.#api.store
      .list(PODS, namespace)
      .flatMap((item) => (item instanceof PodItem ? [item.pod] : []));
  }

  /** A pod of any shape: recorded JSON, say. Its resourceVersion becomes the next one. */
  putRawPod(object: Json): Change {
    return this.#api.store.put(PODS, (version) => new Document(object, version), this.#clock.now());
  }

  /** Creates it, or changes its spec. @param namespace empty for a ClusterAddressGroup */
  applyGroup(namespace: string, name: string, spec: Json): void {
    const path = this.#groupPath(namespace);
    const known = this.#call("GET", `${path}/${name}`).status === 200;
    if (known) this.#must("PATCH", `${path}/${name}`, { metadata: { name }, spec: { ...spec } });
    else this.#must("POST", path, { metadata: { name }, spec });
  }

  deleteGroup(namespace: string, name: string): void {
    this.#must("DELETE", `${this.#groupPath(namespace)}/${name}`, {});
  }

  group(namespace: string, name: string): Json {
    return this.read(`${this.#groupPath(namespace)}/${name}`);
  }

  /** Takes the definition away, and all its objects with it. */
  deleteDefinition(plural: "clusteraddressgroups" | "addressgroups"): void {
    this.#write("DELETE", CRDS, `${plural}.${GROUP}`, {});
  }

  /** Any object, as a GET with all rights shows it. @throws Error */
  read(path: string): Json {
    return this.#must("GET", path);
  }

  #groupPath(namespace: string): string {
    const root = `/apis/${GROUP}/v1alpha1`;
    return namespace === ""
      ? `${root}/clusteraddressgroups`
      : `${root}/namespaces/${namespace}/addressgroups`;
  }

  #putPod(pod: Pod, now: number): Change {
    return this.#api.store.put(PODS, (version) => new PodItem(pod, version), now);
  }

  #write(method: string, { group, version, plural }: Resource, name: string, body: Json): void {
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    this.#must(method, `${root}/${plural}${name === "" ? "" : `/${name}`}`, body);
  }

  #must(method: string, path: string, body?: Json): Json {
    const { status, text } = this.#call(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${text}`);
    return JSON.parse(text) as Json;
  }

  #call(method: string, path: string, body: Json = {}): { status: number; text: string } {
    return this.#api.own(method, path, JSON.stringify(body), this.#clock.now());
  }
}
