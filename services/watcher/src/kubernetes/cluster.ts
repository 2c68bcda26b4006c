import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { UserError } from "@podgate/shared/runtime/errors";
import { object, text } from "../facts/json.ts";
import { requestJson, type KubernetesTransport } from "./transport.ts";

export interface KubeConfigSource {
  readonly kubeconfigFile?: string | undefined;
  readonly context?: string | undefined;
}

/** The kubeconfig file named, or the pod's own service account. @throws UserError */
export function kubeConfig({ kubeconfigFile, context }: KubeConfigSource): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfigFile === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfigFile);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "not usable";
    const from = kubeconfigFile ?? "the pod's service account";
    throw new UserError(
      `kubernetes.kubeconfigFile: ${from} cannot be read (${code}); outside a cluster name a kubeconfig`,
    );
  }
  if (context !== undefined) config.setCurrentContext(context);
  if (config.getCurrentCluster() === null) {
    throw new UserError(
      `kubernetes.context: ${context ?? config.getCurrentContext()} is not in the kubeconfig`,
    );
  }
  const { server = "", skipTLSVerify = false } = config.getCurrentCluster() ?? {};
  if (server.startsWith("http:") && !skipTLSVerify) {
    throw new UserError(
      `kubernetes.kubeconfigFile: the server ${server} is not reached by TLS; use its https:// address`,
    );
  }
  return config;
}

/** uid of the namespace kube-system: one per cluster, for as long as it lives. @throws KubernetesError */
export async function clusterUid(transport: KubernetesTransport, signal: AbortSignal): Promise<string> {
  const request = { method: "GET" as const, path: "/api/v1/namespaces/kube-system", signal };
  return text(object(object(await requestJson(transport, request))["metadata"])["uid"]);
}
