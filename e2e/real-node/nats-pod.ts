import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busUsersCommand } from "@podgate/pusher/commands/bus-users";
import { namespace, secret } from "../packaging/manifests.ts";
import { makeAuthority } from "../stack/certificates.ts";
import type { ControlPlane } from "../stack/control-plane.ts";

const NATS_PORT = 4222;

export interface NatsPodOptions {
  readonly plane: ControlPlane;
  readonly image: string;
  /** Each gets a user. */
  readonly clusters: readonly string[];
  /** The node's, where the server listens. */
  readonly address: string;
  /** For keys and certificates. */
  readonly directory: string;
}

export interface NatsPod {
  readonly url: string;
  readonly caFile: string;
  /** Seeds of the users' nkeys: `pusher` or `cluster-<name>`. */
  readonly seedFile: (user: string) => string;
}

/** NATS with TLS as a pod, with the users that `podgate-pusher bus users` made. */
export async function startNatsPod({
  plane,
  image,
  clusters,
  address,
  directory,
}: NatsPodOptions): Promise<NatsPod> {
  const users = join(directory, "users");
  busUsersCommand(
    { clusters: clusters.map((name) => ({ name, groups: ["*"], cidrs: [] })) },
    { folder: users, rotate: undefined },
  );
  const authority = await makeAuthority("nats of the test");
  const { certificate, key } = await authority.issue({ commonName: "nats", hosts: [address] });
  const caFile = join(directory, "nats-ca.crt");
  writeFileSync(caFile, authority.certificate);
  const files = {
    "users.conf": readFileSync(join(users, "users.conf"), "utf8"),
    "server.crt": certificate,
    "server.key": key,
    "nats-server.conf": `listen: "${address}:${NATS_PORT}"
tls { cert_file: "/config/server.crt", key_file: "/config/server.key" }
jetstream { store_dir: "/store" }
include users.conf
`,
  };
  await plane.apply(namespace("bus"), secret("bus", "nats", files), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "nats", namespace: "bus" },
    spec: {
      hostNetwork: true,
      automountServiceAccountToken: false,
      containers: [
        {
          name: "nats",
          image,
          imagePullPolicy: "IfNotPresent",
          args: ["-c", "/config/nats-server.conf"],
          volumeMounts: [
            { name: "config", mountPath: "/config" },
            { name: "store", mountPath: "/store" },
          ],
        },
      ],
      volumes: [
        { name: "config", secret: { secretName: "nats" } },
        { name: "store", emptyDir: {} },
      ],
    },
  });
  return {
    url: `tls://${address}:${NATS_PORT}`,
    caFile,
    seedFile: (user) => join(users, `${user}.nk`),
  };
}
