import type { KubernetesObject } from "../stack/kubernetes-client.ts";

export const ADDRESS_GROUP = { apiVersion: "podgate.dev/v1alpha1", kind: "ClusterAddressGroup" } as const;
/** Labels of a namespace: the API server refuses pods that could do more than Pod Security `restricted` allows. */
export const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted" };

type Labels = Readonly<Record<string, string>>;

export function namespace(name: string, labels: Labels = {}): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

export function secret(where: string, name: string, stringData: Labels): KubernetesObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: where }, stringData };
}

export function configMap(where: string, name: string, data: Labels): KubernetesObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: where }, data };
}

/** A ClusterAddressGroup of the pods with the label `app`. */
export function group(name: string, app: string, addresses: "Pod" | "Node" = "Pod"): KubernetesObject {
  return {
    ...ADDRESS_GROUP,
    metadata: { name },
    spec: { podSelector: { matchLabels: { app } }, addresses },
  };
}

/** A Deployment of pods with the label `app`, its name. Applied again with other annotations it is a rolling update. */
export function deployment(
  where: string,
  name: string,
  image: string,
  replicas: number,
  annotations: Labels = {},
): KubernetesObject {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: where },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations },
        spec: {
          terminationGracePeriodSeconds: 5,
          automountServiceAccountToken: false,
          containers: [{ name, image, imagePullPolicy: "IfNotPresent" }],
        },
      },
    },
  };
}
