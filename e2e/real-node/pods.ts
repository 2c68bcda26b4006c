import type { KubernetesClient } from "../stack/kubernetes-client.ts";

export interface PodView {
  readonly name: string;
  readonly address: string | undefined;
  readonly ready: boolean;
  readonly restarts: number;
}

/** Of a pod's `status`. */
export interface PodStatus {
  readonly podIP?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  readonly containerStatuses?: readonly { readonly restartCount: number }[];
}

/** @param app value of `app.kubernetes.io/name`; default any */
export async function podsOf(client: KubernetesClient, namespace: string, app?: string): Promise<PodView[]> {
  const query = app === undefined ? {} : { labelSelector: `app.kubernetes.io/name=${app}` };
  const pods = await client.list({ apiVersion: "v1", kind: "Pod", namespace }, query);
  return pods.map((pod): PodView => {
    const status = (pod["status"] ?? {}) as PodStatus;
    const restarts = status.containerStatuses ?? [];
    return {
      name: pod.metadata.name,
      address: status.podIP,
      ready: isReady(status),
      restarts: restarts.reduce((sum, { restartCount }) => sum + restartCount, 0),
    };
  });
}

export function isReady({ conditions = [] }: PodStatus): boolean {
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}
