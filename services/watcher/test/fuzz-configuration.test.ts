import t from "tap";
import { fuzzConfiguration } from "../../../shared/test/fuzz-configuration.ts";
import { configurationSchema } from "../src/configuration.ts";

/** Every field that there is, once. */
const RIGHT = {
  cluster: "east",
  nats: {
    servers: ["tls://bus:4222"],
    credsFile: "/run/creds",
    tls: { caFile: "/run/ca.pem", certFile: "/run/cert.pem", keyFile: "/run/key.pem" },
  },
  kubernetes: { kubeconfigFile: "/run/kubeconfig", context: "east", customResources: true },
  groups: [
    {
      name: "web",
      addresses: "Pod",
      nodeAddressType: "InternalIP",
      podSelector: {
        matchLabels: { app: "web" },
        matchExpressions: [{ key: "tier", operator: "In", values: ["front"] }],
      },
      namespaceSelector: { matchLabels: { team: "shop" } },
    },
  ],
  lease: { namespace: "podgate", name: "podgate-watcher", seconds: 10 },
  heartbeatSeconds: 2,
  ops: { host: "127.0.0.1", port: 8080 },
  log: { level: "info" },
};

fuzzConfiguration(t, "watcher", configurationSchema, RIGHT);
