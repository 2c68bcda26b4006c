import { randomBytes } from "node:crypto";
import { ApiServer, type ApiServerOptions } from "./api-server.ts";
import { systemClock, type Clock } from "./clock.ts";
import { Cluster } from "./cluster.ts";
import { NODES } from "./resource.ts";
import { listen, type Tls } from "./server.ts";
import { Workloads, type WorkloadOptions } from "./workloads.ts";

export interface SimulatorOptions extends ApiServerOptions, WorkloadOptions {
  readonly host?: string;
  /** 0 (default) = any free one. */
  readonly port?: number;
  /** Speaks TLS; without it plain HTTP. `ca` (PEM) is what clients shall trust. */
  readonly tls?: Tls & { readonly ca: string };
  readonly clock?: Clock;
}

/** An API server behind HTTP, and the ways to act on it, to look at it and to break it. */
export interface Simulator {
  readonly url: string;
  readonly token: string;
  readonly api: ApiServer;
  readonly cluster: Cluster;
  readonly workloads: Workloads;
  /** A kubeconfig (JSON, which is YAML) for it. */
  kubeconfig(): string;
  /** Connections that are open now. */
  connections(): number;
  close(): Promise<void>;
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const clock = options.clock ?? systemClock;
  const api = new ApiServer({ uidPrefix: randomBytes(4).toString("hex"), ...options });
  const cluster = new Cluster(api, clock);
  const nodes = (): string[] => api.store.list(NODES).map(({ key }) => key);
  const workloads = new Workloads(cluster, clock, nodes, options);
  const host = options.host ?? "127.0.0.1";
  const edge = await listen(api, clock, host, options.port ?? 0, options.tls);
  const url = `${options.tls ? "https" : "http"}://${host}:${String(edge.port)}`;
  return {
    url,
    get token() {
      return api.access.token;
    },
    api,
    cluster,
    workloads,
    kubeconfig: () => kubeconfigOf(url, api.access.token, options.tls?.ca),
    connections: () => edge.connections(),
    close: async () => {
      workloads.stop();
      await edge.close();
    },
  };
}

function kubeconfigOf(server: string, token: string, ca: string | undefined): string {
  const authority = ca !== undefined && { "certificate-authority-data": Buffer.from(ca).toString("base64") };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "simulator", cluster: { server, ...authority } }],
    users: [{ name: "simulator", user: { token } }],
    contexts: [{ name: "simulator", context: { cluster: "simulator", user: "simulator" } }],
    "current-context": "simulator",
  });
}
