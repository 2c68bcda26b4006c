import t from "tap";
import { fuzzConfiguration } from "../../../shared/test/fuzz-configuration.ts";
import { configurationSchema } from "../src/configuration.ts";

/** Every field that there is, once. */
const RIGHT = {
  install: "a1",
  nats: { servers: ["nats://bus:4222"], user: "pusher", passwordFile: "/run/password" },
  bus: { replicas: 1 },
  clusters: [{ name: "east", uid: "u-1", groups: ["*"], cidrs: ["10.0.0.0/8"] }],
  targets: [
    {
      name: "fw1",
      url: "https://fw1.example.com",
      vdom: "root",
      tokenFile: "/run/token",
      caFile: "/run/ca.pem",
      mode: "enforce",
      removals: "sync",
      burst: 10,
      perSecond: 4,
      timeoutSeconds: 30,
    },
  ],
  routes: [{ targets: ["fw1"], clusters: ["east"], groups: ["*"], name: "k8s-{group}" }],
  silentSeconds: 10,
  driftSeconds: 300,
  repair: true,
  ops: { host: "127.0.0.1", port: 8080 },
  log: { level: "info" },
};

fuzzConfiguration(t, "pusher", configurationSchema, RIGHT);
