import t from "tap";
import { loadConfig } from "@podgate/shared/runtime/config";
import { UserError } from "@podgate/shared/runtime/errors";
import { configurationSchema, type Configuration } from "../src/configuration.ts";

const RIGHT = `
install: a1
nats: { servers: ["nats://bus:4222"] }
clusters:
  - { name: east, cidrs: ["10.0.0.0/8"] }
  - { name: west, groups: ["web*"] }
targets:
  - { name: fw1, url: "https://fw1.example.com", tokenFile: /run/token }
  - { name: fw1-dmz, url: "https://fw1.example.com:443/", vdom: dmz, tokenFile: /run/token, mode: observe }
routes:
  - { targets: [fw1, fw1-dmz], clusters: [east, west], groups: ["*"] }
`;

const load = (yaml: string): Configuration =>
  loadConfig(configurationSchema, { file: "pusher.yaml", env: {}, read: () => yaml });

function faultsOf(yaml: string): string {
  try {
    load(yaml);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "";
}

t.test("a short configuration is enough, the rest has defaults", (t) => {
  const { targets, clusters, repair, bus } = load(RIGHT);
  t.match(targets[0], { vdom: "root", mode: "enforce", removals: "sync", burst: 10, perSecond: 4 });
  t.match(clusters[0], { groups: ["*"] });
  t.equal(repair, true);
  t.equal(bus.replicas, 1);
  t.end();
});

const FAULTS: readonly [string, string, string, RegExp][] = [
  ["the install id", "install: a1", "install: A-1", /install: "A-1": must be 1 to 16/],
  ["a CIDR", "10.0.0.0/8", "10.0.0.0/33", /clusters\[0\]\.cidrs\[0\]: "10\.0\.0\.0\/33"/],
  ["a cluster name", "name: west", "name: West", /clusters\[1\]\.name: "West": must be 1 to 63/],
  [
    "a repeated cluster",
    "name: west",
    "name: east",
    /clusters\[1\]\.name: "east": this name stands twice; give each/,
  ],
  [
    "a repeated target",
    "name: fw1-dmz, url",
    "name: fw1, url",
    /targets\[1\]\.name: "fw1": this name stands twice/,
  ],
  ["one VDOM twice", "vdom: dmz", "vdom: root", /targets\[1\]\.url: .*device and VDOM stand twice/],
  [
    "plain HTTP",
    '"https://fw1.example.com"',
    '"http://fw1.example.com"',
    /targets\[0\]\.url: .*never sent over plain/,
  ],
  ["a path in the URL", "com:443/", "com/api", /targets\[1\]\.url: .*must look like https:\/\/host/],
  ["a port out of range", "com:443/", "com:99999", /targets\[1\]\.url: .*port between 1 and 65535/],
  [
    "a password in the URL",
    "https://fw1.example.com:443",
    "https://u:p@fw1.example.com",
    /targets\[1\]\.url: "https:\/\/\*\*\*@fw1\.example\.com\/": must look like/,
  ],
  [
    "no verification of TLS",
    "vdom: dmz",
    "vdom: dmz, insecure: true",
    /targets\[1\]\.insecure: unknown field/,
  ],
  ["a misspelled field", "tokenFile: /run/token }", "tokenfile: /run/token }", /did you mean tokenFile\?/],
  ["an unknown mode", "mode: observe", "mode: watch", /targets\[1\]\.mode: "watch"/],
  [
    "budgets that differ on one device",
    "mode: observe",
    "burst: 99",
    /targets\[1\]\.burst: 99: targets of one device share its budget; give it the value of target fw1 \(10\)/,
  ],
  [
    "an unknown target",
    "targets: [fw1, fw1-dmz]",
    "targets: [fw2]",
    /routes\[0\]\.targets\[0\]: "fw2": no such target \(there are: fw1, fw1-dmz\); define/,
  ],
  [
    "an unknown cluster",
    "clusters: [east, west]",
    "clusters: [north]",
    /routes\[0\]\.clusters\[0\]: "north": no such cluster/,
  ],
  [
    "one name for many groups",
    'groups: ["*"] }\n',
    'groups: ["*"], name: all }\n',
    /routes\[0\]\.name: "all": several groups would share one name; put \{group\}/,
  ],
  [
    "an unknown placeholder",
    'groups: ["*"] }\n',
    'groups: ["*"], name: "{grup}" }\n',
    /routes\[0\]\.name: .*only placeholders/,
  ],
  [
    "two routes for one name",
    'routes:\n  - { targets: [fw1, fw1-dmz], clusters: [east, west], groups: ["*"] }',
    "routes:\n  - { targets: [fw1], clusters: [east], groups: [web] }\n  - { targets: [fw1], clusters: [west], groups: [web] }",
    /routes\[1\]\.groups: .*web would be "web" on fw1, as web of routes\[0\] is; list all clusters in one route/,
  ],
];

for (const [what, from, to, fault] of FAULTS) {
  t.test(`a fault is told with place, value and remedy: ${what}`, (t) => {
    t.ok(RIGHT.includes(from), "the case changes the configuration");
    t.match(faultsOf(RIGHT.replace(from, to)), fault);
    t.end();
  });
}

t.test("faults of single fields and of several together are told at once", (t) => {
  const message = faultsOf(
    RIGHT.replace("install: a1", "install: A-1")
      .replace("name: west", "name: east")
      .replace("clusters: [east, west]", "clusters: [north]"),
  );
  t.match(message, /3 faults/);
  t.match(message, /install: .*\n.*clusters\[1\]\.name: .*\n.*routes\[0\]\.clusters\[0\]: /);
  t.end();
});

t.test("a configuration without any sense still gives faults, not a failure", (t) => {
  t.match(faultsOf("clusters: 7\ntargets: [1, {url: 5}]\nroutes: {}\n"), /clusters: 7/);
  t.match(faultsOf("[]"), /must be a mapping/);
  t.end();
});

t.test("the configuration names files for secrets and never holds one", (t) => {
  t.match(faultsOf(RIGHT.replace("tokenFile: /run/token }", "token: abc }")), /targets\[0\]\.token: unknown/);
  t.end();
});
