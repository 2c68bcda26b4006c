import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import t, { type Test } from "tap";
import { PRODUCT_USER } from "../stack/firewall.ts";
import type { KubernetesClient } from "../stack/kubernetes-client.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { freePorts } from "../stack/ports.ts";
import type { Service } from "../stack/service.ts";
import { WATCHER_ACCOUNT, WATCHER_NAMESPACE } from "../stack/watcher-access.ts";
import { Canaries, Found } from "./canaries.ts";
import { changed, NOBODY_THERE, pusherCases, watcherCases, wrongEverywhere } from "./canary-cases.ts";
import { secretFiles } from "./canary-files.ts";
import {
  Blabbers,
  commandLine,
  COMMANDS,
  commandsInHelp,
  failingCommands,
  healthyCommands,
  oddCommands,
  run,
  runAll,
  type Command,
} from "./canary-commands.ts";
import { skip, stage, type Scene } from "./scene.ts";

const on = stage(t);

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

/** Every command of a service, one after the other, while nothing is wrong. */
async function allWell(
  t: Test,
  found: Found,
  service: "watcher" | "pusher",
  configuration: string,
  out: string,
): Promise<void> {
  for (const { code, ...command } of healthyCommands(service, configuration, out))
    t.equal(await run(found, command), code, `${command.what}: ${found.texts.at(-1)?.[1].slice(-500)}`);
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

for (const service of ["pusher", "watcher"] as const)
  t.test(
    `the search for secrets goes through every command that podgate-${service} --help names`,
    async (t) => {
      t.strictSame((await commandsInHelp(service)).toSorted(), Object.keys(COMMANDS[service]).toSorted());
    },
  );

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
    const blabbers = new Blabbers();
    t.teardown(() => blabbers.close());
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
      const command = (name: string): Command => ({
        what: `podgate-watcher ${name}, ${what}`,
        service: "watcher",
        args: [name],
        configuration,
      });
      // The others reach the API server in the same way.
      const isForAll = at === 0 || what === NOBODY_THERE;
      const others = isForAll
        ? failingCommands("watcher", what, ["kubernetes"], () => configuration)
        : [command("check")];
      return others.concat(command("run"));
    });
    const seeds = join(directory, "seeds");
    await allWell(t, found, "pusher", ofPusher, seeds);
    for (const name of readdirSync(seeds).filter((each) => each.endsWith(".nk")))
      canaries.plant(`seed ${name}`, readFileSync(join(seeds, name), "utf8"));
    await runAll(found, [
      ...pusherCases(files, free, typed).map(([what, change, env]): Command => ({
        what: `podgate-pusher check, ${what}`,
        service: "pusher",
        args: ["check", "--wait", "3"],
        configuration: changed(ofPusher, change),
        env,
      })),
      ...oddCommands("pusher", ofPusher),
      ...oddCommands("watcher", ofWatcher),
      ...(await wrongEverywhere(ofPusher, ofWatcher, files, free, typed, blabbers)),
      {
        what: "podgate-pusher run, a file that ends in the middle",
        service: "pusher",
        args: ["run"],
        configuration: `{"nats":{"password":"${typed}"`,
      },
      ...broken,
    ]);
    // Also takes back what commands without NATS have asked of the watcher.
    await allWell(t, found, "watcher", ofWatcher, seeds);
    await scene.untilEqual("canary", { count: 2 });
    const crashed = await run(found, {
      what: "a pusher without memory",
      service: "pusher",
      args: ["run"],
      configuration: ofPusher,
      nodeOptions: ["--max-old-space-size=8"],
    });
    t.not(crashed, 0, "it crashed");

    await troubles(scene, found, files.wrongToken);
    const forget: Command = {
      what: "podgate-pusher forget-cluster, of a silent one",
      service: "pusher",
      args: ["forget-cluster", "a", "--wait", "30"],
      configuration: ofPusher,
      ms: 60_000,
    };
    await scene.until(
      "the cluster to be silent, so that it can be forgotten",
      // It shows what it would do, though the device refused the token a moment ago.
      async () => (await run(found, forget)) === 1 || undefined,
      60_000,
    );
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
