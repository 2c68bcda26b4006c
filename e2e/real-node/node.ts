import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import { SERVICE_ADDRESS, startControlPlane, type ControlPlane } from "../stack/control-plane.ts";
import { writeKubeconfig } from "../stack/kubeconfig.ts";
import { Program } from "../stack/program.ts";
import { tool } from "../tools/tool.ts";
import { Containerd } from "./containerd.ts";

export const NODE = "real";
const POD_CIDR = "10.244.0.0/24";
/** The kubelet sets these for the whole machine. */
const SYSCTLS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"];

export interface RealNodeOptions {
  /** For everything it keeps; whoever started the namespaces removes it after them. Short: see containerd.ts. */
  readonly directory: string;
  /** `docker save` archives. */
  readonly images: readonly string[];
  readonly pauseImage: string;
  /** The node's own address, where things outside the cluster are, too; it is put on the loopback interface. */
  readonly outside: string;
}

/**
 * A cluster of one real node: kubelet, containerd, real pods with real addresses. To be started in network, mount and
 * process namespaces of its own (`unshare`): what it changes on the machine ends with them.
 */
export class RealNode {
  readonly plane: ControlPlane;
  readonly containerd: Containerd;
  readonly #directory: string;
  readonly #undo: () => Promise<void>;

  private constructor(
    plane: ControlPlane,
    containerd: Containerd,
    directory: string,
    undo: () => Promise<void>,
  ) {
    this.plane = plane;
    this.#directory = directory;
    this.containerd = containerd;
    this.#undo = undo;
  }

  static async start({ directory, images, pauseImage, outside }: RealNodeOptions): Promise<RealNode> {
    const sysctls = SYSCTLS.map((name) => [name, readFileSync(`/proc/sys/${name}`, "utf8")] as const);
    prepare(directory, outside);
    const plane = await startControlPlane({ name: "real", nodes: 0, audit: true });
    const server = await forward(SERVICE_ADDRESS, 443, Number(new URL(plane.server).port));
    const containerd = await Containerd.start({ directory, pauseImage, podCidr: POD_CIDR });
    for (const image of images) containerd.load(image);
    const kubelet = await startKubelet(plane, directory, containerd.socket, outside);
    const node = new RealNode(plane, containerd, directory, async () => {
      await kubelet.kill();
      await containerd.program.kill();
      server.close();
      await plane.close();
      for (const [name, value] of sysctls) writeFileSync(`/proc/sys/${name}`, value);
    });
    await kubelet.until("the node to be ready", () => node.#isReady(), 90_000);
    return node;
  }

  /** What the containers of pods printed whose names begin so. */
  logs(pod: string): string {
    const files = globSync(`logs/*_${pod}*/*/*.log`, { cwd: this.#directory });
    return files.map((file) => readFileSync(join(this.#directory, file), "utf8")).join("");
  }

  async close(): Promise<void> {
    await this.#undo();
  }

  async #isReady(): Promise<true | undefined> {
    const found = await this.plane.client
      .get({ apiVersion: "v1", kind: "Node", name: NODE })
      .catch(() => undefined);
    const { conditions = [] } = (found?.["status"] ?? {}) as {
      conditions?: { type: string; status: string }[];
    };
    return conditions.some(({ type, status }) => type === "Ready" && status === "True") || undefined;
  }
}

function prepare(directory: string, outside: string): void {
  run("ip", "link", "set", "lo", "up");
  for (const address of [SERVICE_ADDRESS, outside]) run("ip", "address", "add", `${address}/32`, "dev", "lo");
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  // Mounts of kubelet and containerd reach the pods, and nothing leaves this namespace.
  run("mount", "--make-rshared", "/");
  // Some of their paths below /var are fixed.
  for (const name of ["var", "work"]) mkdirSync(join(directory, name));
  const layers = `lowerdir=/var,upperdir=${join(directory, "var")},workdir=${join(directory, "work")}`;
  run("mount", "--types", "overlay", "overlay", "--options", layers, "/var");
}

async function startKubelet(
  plane: ControlPlane,
  directory: string,
  socket: string,
  address: string,
): Promise<Program> {
  const { certificate, key } = await plane.issue({
    commonName: `system:node:${NODE}`,
    organization: "system:nodes",
  });
  const access = { server: plane.server, ca: plane.ca, cert: certificate, key };
  const kubeconfig = writeKubeconfig(join(directory, "kubelet.kubeconfig"), "kubelet", access);
  const caFile = join(directory, "ca.crt");
  writeFileSync(caFile, plane.ca);
  const file = join(directory, "kubelet.yaml");
  writeFileSync(
    file,
    stringify({
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      failCgroupV1: false,
      cgroupDriver: "cgroupfs",
      containerRuntimeEndpoint: `unix://${socket}`,
      port: 10_250,
      healthzPort: 0,
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: caFile },
      },
      authorization: { mode: "Webhook" },
      podLogsDir: join(directory, "logs"),
      volumePluginDir: join(directory, "volumes"),
      makeIPTablesUtilChains: false,
      failSwapOn: false,
      // Images cannot be pulled again.
      imageGCHighThresholdPercent: 100,
      evictionHard: {
        "memory.available": "100Mi",
        "nodefs.available": "1%",
        "imagefs.available": "1%",
        "nodefs.inodesFree": "1%",
      },
    }),
  );
  const root = join(directory, "kubelet");
  return new Program({
    name: "kubelet",
    command: await tool("kubelet"),
    args: [
      `--config=${file}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${root}`,
      `--cert-dir=${join(root, "pki")}`,
      `--hostname-override=${NODE}`,
      `--node-ip=${address}`,
    ],
  });
}

/** Pods reach the API server where a kube-proxy would lead them. */
async function forward(host: string, port: number, to: number): Promise<Server> {
  const server = createServer((from) => {
    const onward = connect(to, "127.0.0.1");
    from.on("error", () => onward.destroy());
    onward.on("error", () => from.destroy());
    from.pipe(onward).pipe(from);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  return server;
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}
