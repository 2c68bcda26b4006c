import type { KubernetesObject } from "./kubernetes-client.ts";

export interface FakeNodesOptions {
  readonly count: number;
  /** All nodes share these; KWOK gives each pod one address of each. */
  readonly podCidrs: readonly string[];
  /** First three numbers of the nodes' own addresses: `192.168.1`. */
  readonly network: string;
}

/** Nodes as KWOK takes care of them: no machine behind them, room for everything. */
export function fakeNodes({ count, podCidrs, network }: FakeNodesOptions): KubernetesObject[] {
  return Array.from({ length: count }, (_, at) => {
    const name = `node-${at + 1}`;
    const room = { cpu: "1k", memory: "1Ti", pods: "1M" };
    return {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
      spec: { podCIDR: podCidrs[0], podCIDRs: [...podCidrs] },
      status: {
        addresses: [
          { type: "InternalIP", address: `${network}.${at + 1}` },
          { type: "Hostname", address: name },
        ],
        allocatable: room,
        capacity: room,
        // Ready from the start: the scheduler need not wait for KWOK.
        conditions: [condition("Ready", "True"), condition("MemoryPressure", "False")],
        phase: "Running",
      },
    };
  });
}

function condition(type: string, status: string): object {
  const now = new Date().toISOString();
  return { type, status, reason: "Fake", message: "", lastHeartbeatTime: now, lastTransitionTime: now };
}

/** A label or annotation with this key makes a pod end by itself (`Succeeded`, `Failed`). */
export const ENDS_AS = "podgate.dev/ends-as";

const running = `
conditions:
{{ range $type := list "Initialized" "PodReadyToStartContainers" "Ready" "ContainersReady" }}
- { type: {{ $type }}, status: "True", lastTransitionTime: {{ Now | Quote }} }
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- { name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: true, started: true, restartCount: 0, state: { running: { startedAt: {{ Now | Quote }} } } }
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
{{ with PodIPsWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") (or .metadata.name "") (or .metadata.namespace "") }}
podIP: {{ index . 0 | Quote }}
podIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
phase: Running
startTime: {{ Now | Quote }}
`;

const ended = (phase: string, code: number): string => `
containerStatuses:
{{ range .spec.containers }}
- { name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: false, started: false, restartCount: 0, state: { terminated: { exitCode: ${code}, reason: Ended, finishedAt: {{ Now | Quote }}, startedAt: {{ Now | Quote }} } } }
{{ end }}
phase: ${phase}
`;

type Condition = { key: string; operator: string; values?: string[] };
const is = (key: string, ...values: string[]): Condition => ({ key, operator: "In", values });
const exists = (key: string): Condition => ({ key, operator: "Exists" });
const absent = (key: string): Condition => ({ key, operator: "DoesNotExist" });
const DELETING = ".metadata.deletionTimestamp";

/**
 * What KWOK does with a pod: it runs as soon as it is scheduled (with its addresses, as on a real node: both come
 * together), ends if it says so (and every pod of a Job does), and is gone as soon as it is deleted.
 */
export function kwokConfiguration(): object[] {
  return [
    {
      apiVersion: "config.kwok.x-k8s.io/v1alpha1",
      kind: "KwokConfiguration",
      // All of them: one that is given takes the defaults of the others away (KWOK 0.8.0). One pod at a time: of the
      // first two of a CIDR that it plays at once, both may get the first address (pod_controller.go, ipPool).
      options: {
        nodePlayStageParallelism: 4,
        nodeLeaseParallelism: 4,
        podPlayStageParallelism: 1,
        podsOnNodeSyncParallelism: 4,
      },
    },
    stage(
      "Node",
      "node-ready",
      [is('.status.conditions.[] | select( .type == "Ready" ) | .status', "False")],
      {
        statusTemplate: "phase: Running",
      },
    ),
    stage("Pod", "pod-runs", [absent(DELETING), is(".status.phase", "Pending")], { statusTemplate: running }),
    ...["Succeeded", "Failed"].map((phase, at) =>
      stage(
        "Pod",
        `pod-${phase.toLowerCase()}`,
        [absent(DELETING), is(".status.phase", "Running"), is(`.metadata.annotations["${ENDS_AS}"]`, phase)],
        { statusTemplate: ended(phase, at) },
      ),
    ),
    stage(
      "Pod",
      "pod-of-job-succeeds",
      [absent(DELETING), is(".status.phase", "Running"), is(".metadata.ownerReferences.[].kind", "Job")],
      { statusTemplate: ended("Succeeded", 0) },
    ),
    stage("Pod", "pod-deleted", [exists(DELETING)], { delete: true }),
  ];
}

function stage(kind: string, name: string, matchExpressions: Condition[], next: object): object {
  return {
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "Stage",
    metadata: { name },
    spec: { resourceRef: { apiGroup: "v1", kind }, selector: { matchExpressions }, next },
  };
}
