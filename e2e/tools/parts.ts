/** A Go module that pins programs: `<folder>/go.mod` with one `tool` line for each. */
export interface Kit {
  /** Folder beside this file, and the name in the cache. */
  readonly folder: string;
  readonly version: string;
  /** Of a first build on two cores, so that nobody takes it for a hang. */
  readonly seconds: number;
  /** Go's `-X` settings: programs built from a module do not know their version otherwise. */
  readonly stamps: readonly string[];
  readonly parts: readonly Part[];
}

export interface Part {
  readonly name: string;
  /** Go names the program after the last element of its import path. Default: the name. */
  readonly built?: string;
  readonly versionArguments: readonly string[];
  /** What it prints then, of the right version. */
  readonly says: RegExp;
}

const KUBERNETES = "1.37.2";
const HELM = "3.22.0";
const KUBECONFORM = "0.8.0";
const PROMETHEUS = "3.16.0";
const TOXIPROXY = "2.12.0";
const COMPOSE = "2.40.3";
const CONTAINERD = "2.4.2";
const COMPONENT = "k8s.io/component-base/version";
const KUBERNETES_STAMPS = [
  `${COMPONENT}.gitVersion=v${KUBERNETES}`,
  `${COMPONENT}.gitMajor=1`,
  `${COMPONENT}.gitMinor=37`,
  `${COMPONENT}.gitTreeState=clean`,
];
const kubernetes = (name: string): Part => ({
  name,
  versionArguments: ["--version"],
  says: exactly(`Kubernetes v${KUBERNETES}`),
});

export const KITS: readonly Kit[] = [
  {
    folder: "nats-server",
    version: "2.15.2",
    seconds: 30,
    stamps: [],
    parts: [
      {
        name: "nats-server",
        versionArguments: ["--version"],
        says: exactly("nats-server: v2.15.2"),
      },
    ],
  },
  {
    folder: "etcd",
    version: "3.7.3",
    seconds: 20,
    stamps: [],
    parts: [
      {
        name: "etcd",
        built: "server",
        versionArguments: ["--version"],
        says: exactly("etcd Version: 3.7.3"),
      },
    ],
  },
  {
    folder: "kwok",
    version: "0.8.0",
    seconds: 65,
    stamps: [],
    parts: [{ name: "kwok", versionArguments: ["--version"], says: /\bv?0\.8\.0\b/ }],
  },
  {
    folder: "toxiproxy",
    version: TOXIPROXY,
    seconds: 15,
    stamps: [`github.com/Shopify/toxiproxy/v2.Version=${TOXIPROXY}`],
    parts: [
      {
        name: "toxiproxy-server",
        built: "server",
        versionArguments: ["-version"],
        says: exactly(`toxiproxy-server version ${TOXIPROXY}`),
      },
    ],
  },
  {
    folder: "compose",
    version: COMPOSE,
    seconds: 145,
    stamps: [`github.com/docker/compose/v2/internal.Version=v${COMPOSE}`],
    parts: [
      {
        name: "docker-compose",
        built: "cmd",
        versionArguments: ["version"],
        says: exactly(`Docker Compose version v${COMPOSE}`),
      },
    ],
  },
  {
    folder: "helm",
    version: HELM,
    seconds: 140,
    // The second two: the version of Kubernetes that `helm template` renders for.
    stamps: [
      `helm.sh/helm/v3/internal/version.version=v${HELM}`,
      "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
      "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37",
    ],
    parts: [{ name: "helm", versionArguments: ["version", "--short"], says: exactly(`v${HELM}`) }],
  },
  {
    folder: "kubeconform",
    version: KUBECONFORM,
    seconds: 10,
    stamps: [`main.version=v${KUBECONFORM}`],
    parts: [{ name: "kubeconform", versionArguments: ["-v"], says: exactly(`v${KUBECONFORM}`) }],
  },
  {
    // Its module counts from 0.300.0 = 3.0.0.
    folder: "promtool",
    version: PROMETHEUS,
    seconds: 205,
    stamps: [`github.com/prometheus/common/version.Version=${PROMETHEUS}`],
    parts: [
      {
        name: "promtool",
        versionArguments: ["--version"],
        says: exactly(`promtool, version ${PROMETHEUS}`),
      },
    ],
  },
  {
    folder: "containerd",
    version: CONTAINERD,
    seconds: 60,
    stamps: [`github.com/containerd/containerd/v2/version.Version=v${CONTAINERD}`],
    parts: ["containerd", "ctr", "containerd-shim-runc-v2"].map((name) => ({
      name,
      versionArguments: [name === "containerd-shim-runc-v2" ? "-v" : "--version"],
      says: new RegExp(String.raw`\bv${CONTAINERD.replaceAll(".", String.raw`\.`)}\b`),
    })),
  },
  {
    folder: "cni-plugins",
    version: "1.9.1",
    seconds: 10,
    stamps: ["github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v1.9.1"],
    parts: ["bridge", "host-local", "loopback"].map((name) => ({
      name,
      versionArguments: ["--version"],
      says: /v1\.9\.1/,
    })),
  },
  {
    folder: "pause",
    version: "1",
    seconds: 5,
    stamps: [],
    parts: [{ name: "pause", versionArguments: ["--version"], says: /^pause 1$/m }],
  },
  {
    folder: "kubelet",
    version: KUBERNETES,
    seconds: 60,
    stamps: KUBERNETES_STAMPS,
    parts: [kubernetes("kubelet")],
  },
  {
    folder: "kubernetes",
    version: KUBERNETES,
    seconds: 270,
    stamps: KUBERNETES_STAMPS,
    parts: [
      kubernetes("kube-apiserver"),
      kubernetes("kube-controller-manager"),
      kubernetes("kube-scheduler"),
      {
        name: "kubectl",
        versionArguments: ["version", "--client"],
        says: exactly(`Client Version: v${KUBERNETES}`),
      },
    ],
  },
];

export type ToolName =
  | "nats-server"
  | "etcd"
  | "kwok"
  | "toxiproxy-server"
  | "helm"
  | "kubeconform"
  | "docker-compose"
  | "containerd"
  | "ctr"
  | "containerd-shim-runc-v2"
  | "bridge"
  | "host-local"
  | "loopback"
  | "pause"
  | "kubelet"
  | "promtool"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubectl";

/** What a stack is made of; the others are for single tests. */
export const STACK_PARTS: readonly ToolName[] = [
  "nats-server",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
  "kwok",
];

export function partOf(name: ToolName): { kit: Kit; part: Part } {
  for (const kit of KITS) {
    const part = kit.parts.find((each) => each.name === name);
    if (part !== undefined) return { kit, part };
  }
  throw new Error(`no part is named ${name}`);
}

/** PODGATE_NATS_SERVER, PODGATE_KUBE_APISERVER … */
export const overrideOf = (name: string): string => `PODGATE_${name.toUpperCase().replaceAll("-", "_")}`;

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.()]/g, String.raw`\$&`)}\\b`, "m");
}
