import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { nkeys, type NatsConnection } from "@nats-io/transport-node";
import t from "tap";
import { makeAuthority } from "../stack/certificates.ts";
import { PRODUCT_USER } from "../stack/firewall.ts";
import type { KubernetesClient } from "../stack/kubernetes-client.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { freePorts } from "../stack/ports.ts";
import { bundleOf, type Service } from "../stack/service.ts";
import { WATCHER_ACCOUNT, WATCHER_NAMESPACE } from "../stack/watcher-access.ts";
import { Canaries } from "./canaries.ts";
import { skip, stage, type Scene } from "./scene.ts";

const on = stage(t);
/** A command that waits for something that never comes is ended after so long. */
const COMMAND_MS = 8000;

type Json = Record<string, unknown>;

/** Everything that anybody can read of the product, under the name of the place where it stood. */
class Found {
  readonly texts: [string, string][] = [];
  add(place: string, text: string): void {
    this.texts.push([place, text]);
  }
}

const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, "utf8");

interface Command {
  readonly what: string;
  readonly service: "watcher" | "pusher";
  readonly args: readonly string[];
  /** As in the file. */
  readonly configuration: string;
  readonly env?: Record<string, string> | undefined;
  readonly nodeOptions?: readonly string[];
}

/** Runs a command of a service to its end. @returns its exit code, or the signal that ended it */
async function run(found: Found, command: Command): Promise<number | string> {
  const { what, service, args, configuration, env, nodeOptions = [] } = command;
  const [directory, remove] = temporaryDirectory("secrets");
  const file = join(directory, "config.json");
  writeFileSync(file, configuration, { mode: 0o600 });
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(
    process.execPath,
    [...nodeOptions, "--enable-source-maps", bundleOf(service), ...args, "--config", file],
    { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  found.add(`command line of ${what}`, commandLine(child.pid ?? 0));
  const late = [1, 2].map((times) =>
    setTimeout(() => child.kill(times === 1 ? "SIGTERM" : "SIGKILL"), times * COMMAND_MS),
  );
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  for (const timer of late) clearTimeout(timer);
  remove();
  if (output === "") throw new Error(`${what} said nothing: what should be looked at?`);
  found.add(what, output);
  return code ?? signal ?? 0;
}

/** A few at a time: most of them only wait. */
async function runAll(found: Found, commands: readonly Command[]): Promise<void> {
  const queue = [...commands];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(found, next);
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}

/** What a running service says and shows now. */
async function look(found: Found, when: string, service: Service): Promise<void> {
  found.add(`${service.name}, ${when}: output`, service.output.join("\n"));
  if (!service.running) return;
  found.add(`${service.name}, ${when}: command line`, commandLine(service.pid));
  for (const path of ["/metrics", "/livez", "/readyz", "/", "/nowhere?token=x", "/metrics/../config.json"]) {
    const answer = await fetch(`${service.opsUrl}${path}`);
    const headers = JSON.stringify([...answer.headers]);
    found.add(`${service.name}, ${when}: ${path}`, `${headers}\n${await answer.text()}`);
  }
}

/** Everything that is published, on whatever subject. */
async function eavesdrop(connection: NatsConnection, found: Found): Promise<void> {
  for await (const message of connection.subscribe(">")) {
    const headers = message.headers === undefined ? "" : JSON.stringify([...message.headers]);
    found.add(
      `NATS ${message.subject}`,
      `${message.subject} ${message.reply ?? ""} ${headers} ${message.string()}`,
    );
  }
}

/** Streams and buckets with all that they hold. */
async function stored(connection: NatsConnection, found: Found): Promise<void> {
  const manager = await jetstreamManager(connection);
  for await (const { config, state } of manager.streams.list()) {
    found.add(`stream ${config.name}`, JSON.stringify(config));
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await manager.streams.getMessage(config.name, { seq }).catch(() => null);
      if (message !== null)
        found.add(`stream ${config.name}`, `${message.subject} ${new TextDecoder().decode(message.data)}`);
    }
  }
}

async function objects(client: KubernetesClient, found: Found): Promise<void> {
  for (const [apiVersion, kind] of [
    ["v1", "Event"],
    ["v1", "ConfigMap"],
    ["coordination.k8s.io/v1", "Lease"],
    ["podgate.dev/v1alpha1", "ClusterAddressGroup"],
    ["podgate.dev/v1alpha1", "AddressGroup"],
  ] as const)
    found.add(`${kind}s of the cluster`, JSON.stringify(await client.list({ apiVersion, kind })));
}

const changed = (configuration: string, change: (all: Json) => void): string => {
  const all = JSON.parse(configuration) as Json;
  change(all);
  return JSON.stringify(all);
};
const nats = (all: Json): Json => all["nats"] as Json;
const target = (all: Json): Json => (all["targets"] as Json[])[0] as Json;

/** Files that hold secrets, right ones and broken ones. */
async function secretFiles(canaries: Canaries) {
  const [directory, remove] = temporaryDirectory("secret-files");
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const authority = await makeAuthority("canary");
  const pair = await authority.issue({ commonName: "canary" });
  const seed = new TextDecoder().decode(nkeys.createUser().getSeed());
  const jwt = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ";
  canaries.plant("private key", pair.key);
  canaries.plant("nkey seed", seed);
  canaries.plant("JWT of a creds file", jwt);
  const creds = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  return {
    remove,
    key: file("key.pem", pair.key),
    certificate: file("cert.pem", pair.certificate),
    authority: file("ca.pem", authority.certificate),
    /** A key where certificates should be. */
    keyAsAuthority: file("ca-is-a-key.pem", pair.key),
    /** Has a beginning, and then no certificate. */
    brokenAuthority: file("ca-broken.pem", `-----BEGIN CERTIFICATE-----\n${pair.key}`),
    brokenKey: file("key-broken.pem", pair.key.slice(0, -60)),
    password: file("password", canaries.plant("wrong NATS password", "canary-nats-password-1")),
    token: file("nats-token", canaries.plant("NATS token", "canary-nats-token-2")),
    seed: file("seed", `${seed}\n`),
    brokenSeed: file("seed-broken", `${canaries.plant("broken nkey seed", `${seed.slice(0, -6)}CANARY`)}\n`),
    creds: file("creds", creds),
    brokenCreds: file("creds-broken", creds.slice(0, -80)),
    wrongToken: file("device-token", canaries.plant("wrong FortiGate token", "canary-fortigate-token-3")),
    strangeToken: file(
      "device-token-strange",
      canaries.plant("FortiGate token with a header behind it", "canary-fortigate-token-4\r\nX-Canary: yes"),
    ),
  };
}

/** NATS with nothing but this to prove itself by. */
const alone = (all: Json, more: Json): void => {
  all["nats"] = { servers: nats(all)["servers"], ...more };
};

type Case = readonly [string, (all: Json) => void, Record<string, string>?];

function pusherCases(
  files: Awaited<ReturnType<typeof secretFiles>>,
  free: number,
  typed: string,
): readonly Case[] {
  return [
    ["a wrong NATS password", (all) => Object.assign(nats(all), { passwordFile: files.password })],
    ["a NATS token that is none", (all) => alone(all, { tokenFile: files.token })],
    ["an nkey that nobody knows", (all) => alone(all, { nkeySeedFile: files.seed })],
    ["a broken nkey", (all) => alone(all, { nkeySeedFile: files.brokenSeed })],
    ["creds that nobody knows", (all) => alone(all, { credsFile: files.creds })],
    ["broken creds", (all) => alone(all, { credsFile: files.brokenCreds })],
    ["creds where a seed should be", (all) => alone(all, { nkeySeedFile: files.creds })],
    [
      "TLS to a NATS that has none, with a client's key",
      (all) =>
        Object.assign(nats(all), {
          servers: [String((nats(all)["servers"] as string[])[0]).replace("nats:", "tls:")],
          tls: { caFile: files.authority, certFile: files.certificate, keyFile: files.key },
        }),
    ],
    [
      "a broken client's key",
      (all) =>
        Object.assign(nats(all), {
          servers: [String((nats(all)["servers"] as string[])[0]).replace("nats:", "tls:")],
          tls: { caFile: files.keyAsAuthority, certFile: files.certificate, keyFile: files.brokenKey },
        }),
    ],
    ["no NATS there", (all) => Object.assign(nats(all), { servers: [`nats://127.0.0.1:${free}`] })],
    ["a token of two lines", (all) => Object.assign(target(all), { tokenFile: files.strangeToken })],
    ["a key where the CA should be", (all) => Object.assign(target(all), { caFile: files.keyAsAuthority })],
    ["a broken CA", (all) => Object.assign(target(all), { caFile: files.brokenAuthority })],
    ["another CA", (all) => Object.assign(target(all), { caFile: files.authority })],
    ["no device there", (all) => Object.assign(target(all), { url: `https://127.0.0.1:${free}` })],
    [
      "secrets in the configuration itself",
      (all) => {
        Object.assign(nats(all), { password: typed, token: typed, nkeySeed: typed, creds: typed });
        Object.assign(target(all), { token: typed, url: `https://admin:${typed}@127.0.0.1` });
      },
    ],
    ["a secret in the environment", () => undefined, { PODGATE_NATS__PASSWORD: typed, PODGATE_TOKEN: typed }],
  ];
}

/** Broken ways to reach a cluster, each with a secret in it. */
function watcherCases(
  kubeconfig: string,
  canaries: Canaries,
  free: number,
): readonly (readonly [string, string])[] {
  const token = canaries.plant(
    "wrong Kubernetes token",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5NQ",
  );
  const password = canaries.plant("password of a kubeconfig", "canary-kubernetes-password-6");
  const altered = (
    change: (all: { users: { user: Json }[]; clusters: { cluster: Json }[] }) => void,
  ): string => {
    const all = JSON.parse(kubeconfig) as { users: { user: Json }[]; clusters: { cluster: Json }[] };
    change(all);
    return JSON.stringify(all);
  };
  const user = (value: Json): string => altered((all) => all.users.forEach((entry) => (entry.user = value)));
  const key = Buffer.from(canaries.plant("broken key of a kubeconfig", "canary-kubernetes-key-7")).toString(
    "base64",
  );
  return [
    ["a wrong token", user({ token })],
    ["a password", user({ username: "canary", password })],
    ["a broken client's key", user({ "client-certificate-data": key, "client-key-data": key })],
    ["a kubeconfig that ends in the middle", user({ token }).slice(0, -40)],
    [
      "nobody there",
      altered((all) =>
        all.clusters.forEach(({ cluster }) => (cluster["server"] = `https://127.0.0.1:${free}`)),
      ),
    ],
    [
      "no TLS there",
      altered((all) =>
        all.clusters.forEach(
          ({ cluster }) => (cluster["server"] = String(cluster["server"]).replace("https:", "http:")),
        ),
      ),
    ],
    [
      "another CA",
      altered((all) => all.clusters.forEach(({ cluster }) => delete cluster["certificate-authority-data"])),
    ],
  ];
}

/** What goes wrong under services that run. */
async function troubles(scene: Scene, found: Found, wrongToken: string): Promise<void> {
  const { pusher, nats: bus } = scene.stack;
  const firewall = scene.stack.firewall();
  const { device } = firewall.simulator;
  const { watcher, plane } = scene.cluster();
  const both = async (when: string): Promise<void> => {
    await look(found, when, pusher);
    await look(found, when, watcher);
  };
  const right = readFileSync(firewall.tokenFile, "utf8");
  const user = device.users.find(({ name }) => name === PRODUCT_USER);
  if (user === undefined) throw new Error("the device has no user for the product");
  let replicas = 2;
  const failed = async (what: string): Promise<void> => {
    const after = pusher.log.length;
    replicas += 1;
    await scene.scale("canary", "canary", replicas);
    await pusher.logged(what, ({ level }) => level === "warn" || level === "error", after, 60_000);
    await both(what);
  };

  device.setRights(PRODUCT_USER, { fwgrp: "read", sysgrp: "none" });
  await failed("403");
  device.setRights(PRODUCT_USER, user.profile);
  for (const status of [502, 429]) {
    const fault = device.faults.add({ kind: "status-before", status, times: 0 });
    await failed(`a page with ${status}`);
    device.faults.clear(fault);
  }
  await firewall.renewCertificate();
  await failed("a certificate of another authority");
  firewall.trust();

  await bus.withdraw("pusher");
  await bus.withdraw("a");
  await scene.scale("canary", "canary", 1);
  await watcher
    .logged(
      "a refusal of NATS",
      ({ level }) => level === "warn" || level === "error",
      watcher.log.length,
      60_000,
    )
    .catch(() => undefined);
  await both("without rights on NATS");
  await bus.kill();
  await bus.start();
  await both("NATS killed");
  await bus.restore("pusher");
  await bus.restore("a");

  writeFileSync(firewall.tokenFile, readFileSync(wrongToken, "utf8"));
  const after = pusher.log.length;
  await pusher.restart();
  await pusher.logged("a refused token", ({ reason }) => reason === "unauthorized", after, 60_000);
  await both("401");
  await pusher.kill();
  writeFileSync(firewall.tokenFile, right);

  const account = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    name: WATCHER_ACCOUNT,
    namespace: WATCHER_NAMESPACE,
  };
  await plane.client.delete(account);
  const before = watcher.log.length;
  await watcher.restart();
  await watcher.logged(
    "a refused token of Kubernetes",
    ({ level }) => level === "warn" || level === "error",
    before,
    60_000,
  );
  await look(found, "401", watcher);
}

t.test(
  "no secret is in anything that is said, shown or stored, whatever goes wrong",
  { skip },
  on(async (t, scene) => {
    const canaries = new Canaries();
    const found = new Found();
    const files = await secretFiles(canaries);
    t.teardown(files.remove);
    const firewall = scene.stack.firewall();
    const { watcher, plane, access } = scene.cluster();
    for (const { name, token } of firewall.simulator.device.users)
      canaries.plant(`FortiGate token of ${name}`, token);
    for (const name of ["pusher", "a"])
      canaries.plant(`NATS password of ${name}`, scene.stack.nats.user(name).password);
    const kubeconfig = readFileSync(access.kubeconfig, "utf8");
    canaries.plant(
      "Kubernetes token",
      (JSON.parse(kubeconfig) as { users: { user: { token: string } }[] }).users[0]?.user.token ?? "",
    );
    const typed = canaries.plant("a secret typed into a wrong place", "canary-typed-8");
    const [free = 0] = await freePorts(1);
    const connection = await scene.stack.nats.admin();
    // It ends with the server, which is killed on the way.
    const listening = eavesdrop(connection, found).catch(() => undefined);

    await scene.namespace("canary");
    await scene.group("canary", { pods: { app: "canary" } });
    await scene.deployment("canary", "canary", { replicas: 2 });
    await scene.untilEqual("canary", { count: 2 });
    await look(found, "at rest", scene.stack.pusher);
    await look(found, "at rest", watcher);

    const ofPusher = readFileSync(scene.stack.pusher.configFile, "utf8");
    const ofWatcher = readFileSync(watcher.configFile, "utf8");
    const [directory, remove] = temporaryDirectory("kubeconfigs");
    t.teardown(remove);
    const broken = watcherCases(kubeconfig, canaries, free).flatMap(([what, text], at) => {
      const file = join(directory, `kubeconfig-${at}`);
      writeFileSync(file, text);
      const configuration = changed(ofWatcher, (all) => (all["kubernetes"] = { kubeconfigFile: file }));
      return ["check", "run"].map((name): Command => ({
        what: `podgate-watcher ${name}, ${what}`,
        service: "watcher",
        args: [name],
        configuration,
      }));
    });
    await runAll(found, [
      ...pusherCases(files, free, typed).map(([what, change, env]): Command => ({
        what: `podgate-pusher check, ${what}`,
        service: "pusher",
        args: ["check", "--wait", "3"],
        configuration: changed(ofPusher, change),
        env,
      })),
      ...[
        ["plan", "--wait", "3"],
        ["run", "--check-config"],
      ].map((args): Command => ({
        what: `podgate-pusher ${args.join(" ")}`,
        service: "pusher",
        args,
        configuration: ofPusher,
      })),
      {
        what: "podgate-pusher run, a file that ends in the middle",
        service: "pusher",
        args: ["run"],
        configuration: `{"nats":{"password":"${typed}"`,
      },
      ...broken,
    ]);
    const crashed = await run(found, {
      what: "a pusher without memory",
      service: "pusher",
      args: ["run"],
      configuration: ofPusher,
      nodeOptions: ["--max-old-space-size=8"],
    });
    t.not(crashed, 0, "it crashed");

    await troubles(scene, found, files.wrongToken);
    await objects(plane.client, found);
    await connection.close();
    await listening;
    const again = await scene.stack.nats.admin();
    await stored(again, found);
    await again.close();

    t.ok(canaries.count > 15, `${canaries.count} canaries`);
    t.ok(found.texts.length > 100, `${found.texts.length} texts`);
    for (const place of [
      "stream PODGATE_a",
      "stream KV_podgate-status",
      "Events of the cluster",
      "Leases of the cluster",
    ])
      t.ok(
        found.texts.some(([where]) => where === place),
        place,
      );
    const leaks = found.texts.flatMap(([place, text]) =>
      canaries.in(text).map((what) => `${what} in ${place}`),
    );
    t.strictSame(leaks, []);
    t.comment(`${canaries.count} canaries, ${found.texts.length} texts, ${leaks.length} found`);
    t.strictSame(
      canaries.in(`x${typed}y`),
      ["a secret typed into a wrong place"],
      "the search finds what is there",
    );
    const encoded = Buffer.from(`user:${typed}`).toString("base64");
    t.strictSame(canaries.in(encoded), ["a secret typed into a wrong place"], "also in base64");
  }),
);
