import type { Canaries } from "./canaries.ts";
import { COMMANDS, failingCommands, type Blabbers, type Command } from "./canary-commands.ts";
import type { SecretFiles } from "./canary-files.ts";

type Json = Record<string, unknown>;

export const changed = (configuration: string, change: (all: Json) => void): string => {
  const all = JSON.parse(configuration) as Json;
  change(all);
  return JSON.stringify(all);
};
const nats = (all: Json): Json => all["nats"] as Json;
const target = (all: Json): Json => (all["targets"] as Json[])[0] as Json;

/** NATS with nothing but this to prove itself by. */
const alone = (all: Json, more: Json): void => {
  all["nats"] = { servers: nats(all)["servers"], ...more };
};

type Case = readonly [string, (all: Json) => void, Record<string, string>?];

export function pusherCases(files: SecretFiles, free: number, typed: string): readonly Case[] {
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

export const NOBODY_THERE = "nobody there";

/** Broken ways to reach a cluster, each with a secret in it. */
export function watcherCases(
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
      NOBODY_THERE,
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

/** Every command of both services, where what it needs refuses it, is not there, or tells what it was asked with. */
export async function wrongEverywhere(
  ofPusher: string,
  ofWatcher: string,
  files: SecretFiles,
  free: number,
  typed: string,
  blabbers: Blabbers,
): Promise<Command[]> {
  const atDevice = (url: string): string =>
    changed(ofPusher, (all) => {
      Object.assign(target(all), { url, tokenFile: files.wrongToken });
      delete target(all)["caFile"];
    });
  const count = Object.keys(COMMANDS.pusher).length;
  const pages = await Promise.all(
    [401, 500].map(async (status) => ({
      status,
      urls: await Promise.all(Array.from({ length: count }, () => blabbers.one(status))),
    })),
  );
  const password = (all: Json): void => void Object.assign(nats(all), { passwordFile: files.password });
  const inItself = (all: Json): void => void Object.assign(nats(all), { password: typed });
  const all = ["device", "nats", "kubernetes", "nothing"] as const;
  return [
    ...pages.flatMap(({ status, urls }) =>
      failingCommands("pusher", `a page with ${status} that tells the token`, ["device"], () =>
        atDevice(urls.pop() ?? ""),
      ),
    ),
    ...failingCommands("pusher", "no device there", ["device"], () => atDevice(`https://127.0.0.1:${free}`)),
    ...failingCommands("pusher", "a wrong NATS password", ["device", "nats"], () =>
      changed(ofPusher, password),
    ),
    ...failingCommands("watcher", "a wrong NATS password", ["kubernetes"], () =>
      changed(ofWatcher, password),
    ),
    ...failingCommands("pusher", "a secret in the configuration", all, () => changed(ofPusher, inItself)),
    ...failingCommands("watcher", "a secret in the configuration", all, () => changed(ofWatcher, inItself)),
  ];
}
