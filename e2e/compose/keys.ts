import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeAuthority, makeSigningKeys, type Pair } from "../stack/certificates.ts";

const DAYS = 3650;

/** Everything secret in the development stack. */
export interface Keys {
  /** Passwords of the users of NATS, by name. */
  readonly nats: Readonly<Record<string, string>>;
  /** Token of the firewall's API user. */
  readonly firewallToken: string;
  readonly kubernetes: {
    /** PEM of the authority. */
    readonly ca: string;
    readonly server: Pair;
    readonly admin: Pair;
    /** They sign tokens of service accounts. */
    readonly signing: { readonly publicKey: string; readonly privateKey: string };
  };
}

/** The keys in the file; made and written there the first time. */
export async function keysIn(file: string, users: readonly string[]): Promise<Keys> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Keys;
  const authority = await makeAuthority("podgate development", DAYS);
  const keys: Keys = {
    nats: Object.fromEntries(users.map((user) => [user, secret()])),
    firewallToken: secret(),
    kubernetes: {
      ca: authority.certificate,
      server: await authority.issue({
        commonName: "kube-apiserver",
        hosts: ["localhost", "127.0.0.1", "kube-apiserver", "kubernetes.default.svc", "10.96.0.1"],
      }),
      admin: await authority.issue({ commonName: "admin", organization: "system:masters" }),
      signing: await makeSigningKeys(),
    },
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(keys), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return keys;
}

const secret = (): string => randomBytes(18).toString("base64url");
