import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { makeAuthority } from "../stack/certificates.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import type { Canaries } from "./canaries.ts";

/** Files that hold secrets, right ones and broken ones. */
export async function secretFiles(canaries: Canaries) {
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

export type SecretFiles = Awaited<ReturnType<typeof secretFiles>>;
