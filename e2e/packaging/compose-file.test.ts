import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import t from "tap";
import { composeCommand } from "../compose/command.ts";
import { readComposeFile, type ServiceDefinition } from "../compose/compose-file.ts";

const FILE = "docker-compose.yml";
const command = composeCommand();
const text = readFileSync(FILE, "utf8");
const services = (yaml: string): ReadonlyMap<string, ServiceDefinition> =>
  readComposeFile(yaml, { TAG: "7" }).services;

t.test("what the compose file starts has no rights and is published on loopback only", async (t) => {
  const all = readComposeFile(text, {}).services;
  t.ok(all.size >= 13);
  for (const [name, { rights, ports }] of all) {
    t.strictSame(rights, { readOnly: true, dropped: ["ALL"], options: ["no-new-privileges:true"] }, name);
    for (const { address, published } of ports) {
      t.equal(address, "127.0.0.1", name);
      t.match(String(published), /^\d{4}[0-7]$/, name);
    }
  }
});

t.test("variables, merged parts and short forms are written out", async (t) => {
  const read = services(`
x-part: &part { image: "img:\${TAG}", restart: unless-stopped }
services:
  first:
    <<: *part
    restart: "no"
    network_mode: none
    command: [echo, "$$HOME", "\${NONE:-fallback}"]
  second:
    <<: *part
    depends_on: { first: { condition: service_completed_successfully } }
    healthcheck: { test: [CMD, ask], interval: 2s, timeout: 500ms, retries: 4 }
    stop_grace_period: 1m
    ports: ["127.0.0.1:170\${TAG}:80"]
    volumes: ["data:/data", "./files:/files:ro"]
  third:
    <<: *part
    networks: [inner]
    depends_on: [second]
networks: { default: {}, inner: { internal: true } }
volumes: { data: }
`);
  t.match(read.get("first"), {
    image: "img:7",
    command: ["echo", "$HOME", "fallback"],
    isLasting: false,
    networks: [],
    graceMs: 10_000,
  });
  t.match(read.get("second"), {
    isLasting: true,
    networks: ["default"],
    health: { command: ["ask"], intervalMs: 2000, timeoutMs: 500, retries: 4 },
    graceMs: 60_000,
    ports: [{ address: "127.0.0.1", published: 1707, target: 80 }],
    mounts: [
      { source: "data", target: "/data", readOnly: false },
      { source: "./files", target: "/files", readOnly: true },
    ],
  });
  t.strictSame([...(read.get("second")?.dependsOn ?? [])], [["first", "service_completed_successfully"]]);
  t.strictSame(read.get("third")?.networks, ["inner"]);
  t.strictSame([...(read.get("third")?.dependsOn ?? [])], [["second", "service_started"]]);
});

for (const [fault, service, said] of [
  ["a key of a service", "mem_limit: 1g", "services.a.mem_limit: is not known here"],
  [
    "a key of a health check",
    "healthcheck: { test: [CMD, x], start_period: 1s }",
    "healthcheck.start_period",
  ],
  ["a health check by a shell", "healthcheck: { test: [CMD-SHELL, x] }", "services.a.healthcheck.test"],
  ["another network mode", "network_mode: host", 'services.a.network_mode: is "host"; give none'],
  ["another restart", "restart: always", 'services.a.restart: is "always"; give no or unless-stopped'],
  ["a command for a shell", "command: run it", 'services.a.command: is "run it"; give a list of texts'],
  ["a setting that is no text", "environment: { A: 1 }", "services.a.environment.A: is no text; quote it"],
  ["a duration that is none", "stop_grace_period: soon", "services.a.stop_grace_period"],
  ["a port of every address", 'ports: ["80:80"]', "services.a.ports: 80:80 does not fit"],
  ["a volume with another mode", 'volumes: ["v:/v:z"]', "services.a.volumes: v:/v:z does not fit"],
  ["a volume that nothing declares", 'volumes: ["w:/w"]', "services.a.volumes: there is no volume w"],
  ["a network that nothing declares", "networks: [n]", "services.a.networks: there is no network n"],
  ["a service that is not there", "depends_on: [b]", "services.a.depends_on: there is no service b"],
  ["a service that waits for itself", "depends_on: [a]", "services.a.depends_on: it waits for itself"],
  [
    "one that is to be healthy and cannot say so",
    "depends_on: { a: { condition: service_healthy } }",
    "services.a.depends_on.a: it has no healthcheck",
  ],
  ["a variable without a value", "image: $TAG", "$TAG: a $ of its own has no value"],
  ["a variable without a value", "image: ${NONE}", "${NONE}: NONE has no value"],
] as const) {
  t.test(`refused: ${fault} (${service})`, async (t) => {
    const yaml = `services:\n  a:\n    ${service}\nnetworks: { default: }\nvolumes: { v: }\n`;
    t.match(refusalOf(yaml), said);
  });
}

t.test("all faults are told at once", async (t) => {
  const yaml =
    "services: { a: { privileged: true, networks: [n] } }\nsecrets: {}\nvolumes: { v: { external: true } }";
  const said = [
    "docker-compose.yml cannot be followed:",
    "services.a.privileged: is not known here",
    "volumes.v.external: is not known here",
    "secrets: is not known here",
    "services.a.networks: there is no network n",
  ];
  t.equal(refusalOf(yaml), said.join("\n"));
});

const skip = command === undefined && "needs Compose, which is had where a Docker engine is";
t.test("the compose file is read as Compose reads it", { skip }, async (t) => {
  const [file = "", ...args] = command ?? [];
  const wanted = [...args, "--file", FILE, "--profile", "monitoring", "config", "--format", "json"];
  const { stdout } = spawnSync(file, wanted, { encoding: "utf8" });
  const config = JSON.parse(stdout) as { services: Record<string, Configured> };
  const own = readComposeFile(text, process.env).services;
  t.strictSame([...own.keys()].toSorted(), Object.keys(config.services).toSorted());
  for (const [name, definition] of own) {
    const compose = config.services[name];
    const { health } = definition;
    t.strictSame(
      {
        image: compose?.image,
        command: compose?.command ?? undefined,
        environment: compose?.environment ?? {},
        dependsOn: Object.fromEntries(
          Object.entries(compose?.depends_on ?? {}).map(([other, { condition }]) => [other, condition]),
        ),
        health: compose?.healthcheck?.test,
        networks: Object.keys(compose?.networks ?? {}).toSorted(),
        ports: (compose?.ports ?? []).map((port) => [port.host_ip, Number(port.published), port.target]),
        mounts: (compose?.volumes ?? []).map(({ target, read_only }) => [target, read_only === true]),
        tmpfs: compose?.tmpfs ?? [],
        isLasting: compose?.restart === "unless-stopped",
        readOnly: compose?.read_only,
      },
      {
        image: definition.image,
        command: definition.command,
        environment: definition.environment,
        dependsOn: Object.fromEntries(definition.dependsOn),
        health: health && ["CMD", ...health.command],
        networks: definition.networks.toSorted(),
        ports: definition.ports.map(({ address, published, target }) => [address, published, target]),
        mounts: definition.mounts.map(({ target, readOnly }) => [target, readOnly]),
        tmpfs: definition.tmpfs,
        isLasting: definition.isLasting,
        readOnly: definition.rights.readOnly,
      },
      name,
    );
  }
});

function refusalOf(yaml: string): string {
  try {
    services(yaml);
    return "nothing was refused";
  } catch (error) {
    return (error as Error).message;
  }
}

/** A service as Compose prints it. */
interface Configured {
  readonly image: string;
  readonly command?: readonly string[] | null;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly {
    readonly host_ip: string;
    readonly published: string;
    readonly target: number;
  }[];
  readonly volumes?: readonly { readonly target: string; readonly read_only?: boolean }[];
  readonly tmpfs?: readonly string[];
  readonly restart?: string;
  readonly read_only?: boolean;
}
