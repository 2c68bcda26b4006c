import { ApiServer } from "@podgate/kubernetes-simulator/api-server";
import { Cluster } from "@podgate/kubernetes-simulator/cluster";
import type { KubernetesRequest } from "@podgate/watcher/kubernetes/transport";
import type { Dice } from "./dice.ts";
import { EPOCH } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/** One Kubernetes cluster: what its API server has stored, and the API servers by which it is reached. */
export class SimulatedCluster {
  readonly name: string;
  /** The truth. */
  readonly api: ApiServer;
  readonly cluster: Cluster;
  readonly #timeline: Timeline;
  /** Nobody answers. */
  isAway = false;
  /** Another API server whose state is older than the truth; answers lists and watches while there is one. */
  lagging: ApiServer | undefined;
  /** What the watchers' token file holds. */
  token: string;
  /** A person is at work with the cluster as a whole. */
  isBusy = false;
  /** He is about to have it take the place of another one. */
  isNew = false;
  /** Its lists lack what is there. */
  isLacking = false;

  constructor(name: string, number: number, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
    this.api = new ApiServer({ uidPrefix: number.toString(16).padStart(8, "c"), bookmarkEvery: 30_000 });
    this.token = this.api.access.token;
    const clock = {
      now: (): number => EPOCH + timeline.now,
      timer: (ms: number, run: () => void) => timeline.after(ms, run),
    };
    this.cluster = new Cluster(this.api, clock);
  }

  /** Another cluster under the same name: some of the pods are not there any more, and kube-system is another one. */
  rebuild(dice: Dice): void {
    this.api.own("DELETE", "/api/v1/namespaces/kube-system", "{}", EPOCH + this.#timeline.now);
    this.cluster.createNamespace("kube-system");
    for (const { namespace, name } of this.cluster.pods())
      if (dice.chance(0.3)) this.cluster.deletePod(namespace, name);
  }

  /** Leases and what is written go to the truth: the real server reads them from etcd. */
  serverFor({ method, path }: KubernetesRequest): ApiServer | undefined {
    if (this.isAway) return undefined;
    const isRead =
      method === "GET" && /\/(pods|nodes|namespaces|addressgroups|clusteraddressgroups)\?/.test(path);
    return isRead && this.lagging !== undefined ? this.lagging : this.api;
  }
}
