import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clusterPermissions, pusherPermissions, type Permissions } from "@podgate/shared/bus/permissions";
import { stringify } from "yaml";
import { kwokConfiguration } from "../stack/fake-nodes.ts";
import { writeKubeconfig } from "../stack/kubeconfig.ts";
import { WATCHER_ACCOUNT, WATCHER_NAMESPACE } from "../stack/watcher-access.ts";
import { keptAddresses } from "./kept-addresses.ts";
import type { Keys } from "./keys.ts";

/** Of the one cluster, and of its user of NATS. */
export const CLUSTER = "dev";
export const NATS_USERS = [CLUSTER, "pusher", "admin"];
export const POD_CIDR = "10.42.0.0/16";
export const NODE_NETWORK = "192.168.1";
/** Where the API server is: inside of the stack. */
export const API_SERVER = "https://kube-apiserver:6443";

export interface Place {
  /** Has one folder for each volume. */
  readonly volumes: string;
  /** Of the API server on the host. */
  readonly hostPort: string;
}

/** Writes what each part reads into its volume: the same files each time. */
export function writeFiles({ volumes, hostPort }: Place, keys: Keys): void {
  const put = (path: string, text: string): void => {
    const file = join(volumes, path);
    writeFileSync(file, text, { mode: 0o600 });
  };
  const putSettings = (path: string, settings: object): void =>
    put(path, `${JSON.stringify(settings, undefined, 2)}\n`);
  for (const volume of ["kubernetes", "nats", "firewall", "watcher", "pusher"])
    mkdirSync(join(volumes, volume), { recursive: true });

  const { ca, server, admin, signing } = keys.kubernetes;
  put("kubernetes/ca.crt", ca);
  put("kubernetes/server.crt", server.certificate);
  put("kubernetes/server.key", server.key);
  put("kubernetes/service-accounts.pub", signing.publicKey);
  put("kubernetes/service-accounts.key", signing.privateKey);
  const parts = [...kwokConfiguration(), keptAddresses()].map((part) => stringify(part));
  put("kubernetes/kwok.yaml", parts.join("---\n"));
  for (const [name, address] of [
    ["admin", API_SERVER],
    ["host", `https://127.0.0.1:${hostPort}`],
  ] as const) {
    const access = { server: address, ca, cert: admin.certificate, key: admin.key };
    writeKubeconfig(join(volumes, `kubernetes/${name}.kubeconfig`), CLUSTER, access);
  }

  const permissions: Readonly<Record<string, Permissions>> = {
    [CLUSTER]: clusterPermissions(CLUSTER),
    pusher: pusherPermissions([CLUSTER]),
  };
  putSettings("nats/nats.conf", {
    listen: "0.0.0.0:4222",
    http: "127.0.0.1:8222",
    jetstream: { store_dir: join(volumes, "nats-data"), max_mem: 64_000_000, max_file: 4 * 1024 ** 3 },
    authorization: {
      users: Object.entries(keys.nats).map(([user, password]) => ({
        user,
        password,
        permissions: permissions[user],
      })),
    },
  });
  put("nats/admin.password", keys.nats["admin"] ?? "");

  put("firewall/token", keys.firewallToken);

  put("watcher/nats.password", keys.nats[CLUSTER] ?? "");
  putSettings("watcher/config.yaml", {
    cluster: CLUSTER,
    nats: { servers: ["nats://nats:4222"], user: CLUSTER, passwordFile: "/etc/podgate/nats.password" },
    kubernetes: { kubeconfigFile: "/etc/podgate/watcher.kubeconfig" },
    lease: { namespace: WATCHER_NAMESPACE, name: WATCHER_ACCOUNT },
  });

  put("pusher/nats.password", keys.nats["pusher"] ?? "");
  put("pusher/firewall.token", keys.firewallToken);
  putSettings("pusher/config.yaml", {
    install: "dev",
    nats: { servers: ["nats://nats:4222"], user: "pusher", passwordFile: "/etc/podgate/nats.password" },
    clusters: [{ name: CLUSTER, cidrs: [POD_CIDR, `${NODE_NETWORK}.0/24`] }],
    targets: [
      {
        name: "firewall",
        url: "https://firewall:8443",
        tokenFile: "/etc/podgate/firewall.token",
        // The firewall writes it when it starts.
        caFile: "/firewall/ca.pem",
      },
    ],
    routes: [{ targets: ["firewall"], clusters: [CLUSTER], groups: ["*"] }],
  });
}
