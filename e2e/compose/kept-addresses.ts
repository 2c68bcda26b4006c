import { ENDS_AS } from "../stack/fake-nodes.ts";

/**
 * A stage for KWOK that changes nothing in a pod that runs. KWOK 0.8.0 keeps in memory which addresses it gave out, and
 * after a restart it learns those of earlier pods only by a stage that fits them: without one it gives them out again.
 */
export function keptAddresses(): object {
  return {
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "Stage",
    metadata: { name: "pod-keeps-its-address" },
    spec: {
      resourceRef: { apiGroup: "v1", kind: "Pod" },
      selector: {
        matchExpressions: [
          { key: ".metadata.deletionTimestamp", operator: "DoesNotExist" },
          { key: ".status.phase", operator: "In", values: ["Running"] },
          // Other stages end these.
          { key: `.metadata.annotations["${ENDS_AS}"]`, operator: "DoesNotExist" },
          { key: ".metadata.ownerReferences.[].kind", operator: "NotIn", values: ["Job"] },
        ],
      },
      next: { statusTemplate: "phase: Running" },
    },
  };
}
