import t from "tap";
import { configurationSchema } from "../src/configuration.ts";
import { staticGroups } from "../src/static-groups.ts";

const configuration = (groups: object[]) =>
  configurationSchema.parse({ cluster: "east", nats: { servers: ["nats://127.0.0.1:4222"] }, groups });

t.test("groups of the configuration become definitions", async (t) => {
  t.match(staticGroups(configuration([{ name: "web", podSelector: { matchLabels: { app: "web" } } }])), [
    { group: "web", addresses: "pod", source: { kind: "Static" } },
  ]);
});

t.test("{} selects all pods; a selector that is missing is a fault, never all pods", async (t) => {
  t.match(staticGroups(configuration([{ name: "web", podSelector: {} }])), [
    { group: "web", podSelector: {} },
  ]);
  t.throws(() => configuration([{ name: "web" }]), { message: /"groups",\s+0,\s+"podSelector"/ });
});

t.test("all their faults are named at once, each with its place", async (t) => {
  const groups = [
    { name: "web", podSelector: { matchLabels: { "not a key": "x" } } },
    { name: "web", podSelector: { matchExpressions: [{ key: "app", operator: "In" }] } },
  ];
  t.throws(() => staticGroups(configuration(groups)), {
    message:
      /groups\[0\]\.podSelector.*"not a key"[^]*groups\[1\]\.name: "web" is groups\[0\] already[^]*groups\[1\]\.podSelector.*In needs/,
  });
});
