import { writeFileSync } from "node:fs";
import type { Access } from "./kubernetes-client.ts";

/** Writes a kubeconfig with everything inside; JSON is YAML, too. */
export function writeKubeconfig(
  file: string,
  cluster: string,
  { server, ca, cert, key, token }: Access,
): string {
  const user = {
    ...(cert !== undefined && { "client-certificate-data": data(cert) }),
    ...(key !== undefined && { "client-key-data": data(key) }),
    ...(token !== undefined && { token }),
  };
  writeFileSync(
    file,
    JSON.stringify(
      {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: cluster, cluster: { server, "certificate-authority-data": data(ca) } }],
        users: [{ name: cluster, user }],
        contexts: [{ name: cluster, context: { cluster, user: cluster } }],
        "current-context": cluster,
      },
      undefined,
      2,
    ),
    { mode: 0o600 },
  );
  return file;
}

const data = (pem: string): string => Buffer.from(pem).toString("base64");
