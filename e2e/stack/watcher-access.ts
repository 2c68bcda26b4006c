import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { ControlPlane } from "./control-plane.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { KubernetesClient, type KubernetesObject } from "./kubernetes-client.ts";

/** The same files the chart installs. */
const FILES = fileURLToPath(new URL("../../charts/podgate-watcher/files/", import.meta.url));
const TOKEN_SECONDS = 86_400;

export const WATCHER_NAMESPACE = "podgate";
export const WATCHER_ACCOUNT = "podgate-watcher";

/** What is needed of a cluster: a client with all rights, and where its kubeconfigs go. */
export type AccessibleCluster = Pick<ControlPlane, "name" | "directory" | "server" | "ca" | "client">;

export interface WatcherAccess {
  /** Of the watcher's own service account, with the rights of the chart and none else. */
  readonly kubeconfig: string;
  /** A client with the same rights. The caller closes it. */
  readonly client: () => KubernetesClient;
}

/**
 * Installs what a cluster needs for a watcher: definitions, namespace, account, roles; and gets it a token.
 *
 * @param server where the watcher is to reach the API server
 * @param tokenSeconds how long its token lives
 */
export async function grantWatcherAccess(
  plane: AccessibleCluster,
  server: string = plane.server,
  tokenSeconds: number = TOKEN_SECONDS,
): Promise<WatcherAccess> {
  const namespace = WATCHER_NAMESPACE;
  const name = WATCHER_ACCOUNT;
  const subjects = [{ kind: "ServiceAccount", name, namespace }];
  const rbac = "rbac.authorization.k8s.io";
  await plane.client.apply(
    ...customResources(),
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: { name },
      rules: rules("cluster-role-rules.yaml"),
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      subjects,
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata: { name, namespace },
      rules: rules("role-rules.yaml"),
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: { name, namespace },
      subjects,
      roleRef: { apiGroup: rbac, kind: "Role", name },
    },
  );
  return accountAccess(plane, server, tokenSeconds);
}

/** A token for the account, once something made it: `grantWatcherAccess`, or the chart. */
export async function accountAccess(
  plane: AccessibleCluster,
  server: string = plane.server,
  tokenSeconds: number = TOKEN_SECONDS,
): Promise<WatcherAccess> {
  const token = await requestToken(plane, tokenSeconds);
  const access = { server, ca: plane.ca, token };
  return {
    kubeconfig: writeKubeconfig(join(plane.directory, "watcher.kubeconfig"), plane.name, access),
    client: () => new KubernetesClient(access),
  };
}

export function customResources(): KubernetesObject[] {
  return globSync("crds/*.yaml", { cwd: FILES })
    .toSorted()
    .map((file) => parse(readFileSync(join(FILES, file), "utf8")) as KubernetesObject);
}

function rules(file: string): unknown {
  return parse(readFileSync(join(FILES, file), "utf8"));
}

async function requestToken({ client }: AccessibleCluster, seconds: number): Promise<string> {
  const path = `/api/v1/namespaces/${WATCHER_NAMESPACE}/serviceaccounts/${WATCHER_ACCOUNT}/token`;
  const answer = await client.call("POST", path, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: seconds },
  });
  return (answer as { status: { token: string } }).status.token;
}
