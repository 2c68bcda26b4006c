import { ApiServer } from "@podgate/kubernetes-simulator/api-server";
import { Cluster } from "@podgate/kubernetes-simulator/cluster";
import type { KubernetesRequest } from "@podgate/watcher/kubernetes/transport";
import { EPOCH } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/** One Kubernetes cluster: what its API server has stored, and the API servers by which it is reached. */
export class SimulatedCluster {
  readonly name: string;
  /** The truth. */
  readonly api: ApiServer;
  readonly cluster: Cluster;
  /** Nobody answers. */
  isAway = false;
  /** Another API server whose state is older than the truth; answers lists and watches while there is one. */
  lagging: ApiServer | undefined;

  constructor(name: string, number: number, timeline: Timeline) {
    this.name = name;
    this.api = new ApiServer({ uidPrefix: number.toString(16).padStart(8, "c"), bookmarkEvery: 30_000 });
    const clock = {
      now: (): number => EPOCH + timeline.now,
      timer: (ms: number, run: () => void) => timeline.after(ms, run),
    };
    this.cluster = new Cluster(this.api, clock);
  }

  /** Leases and what is written go to the truth: the real server reads them from etcd. */
  serverFor({ method, path }: KubernetesRequest): ApiServer | undefined {
    if (this.isAway) return undefined;
    const isRead =
      method === "GET" && /\/(pods|nodes|namespaces|addressgroups|clusteraddressgroups)\?/.test(path);
    return isRead && this.lagging !== undefined ? this.lagging : this.api;
  }
}
