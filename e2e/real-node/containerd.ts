import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Program } from "../stack/program.ts";
import { spawnSync } from "node:child_process";
import { tool } from "../tools/tool.ts";

export interface ContainerdOptions {
  /** Short: paths of sockets have at most 107 bytes. */
  readonly directory: string;
  /** The image of every pod's first container, imported already. */
  readonly pauseImage: string;
  /** Of the pods, as `10.244.0.0/24`; its .1 is the node's side of the bridge. */
  readonly podCidr: string;
}

/** A real containerd with runc and bridge networking, everything of it below one folder. */
export class Containerd {
  readonly socket: string;
  readonly program: Program;
  readonly #ctr: string;

  private constructor(socket: string, program: Program, ctr: string) {
    this.socket = socket;
    this.program = program;
    this.#ctr = ctr;
  }

  static async start({ directory, pauseImage, podCidr }: ContainerdOptions): Promise<Containerd> {
    const [command, ctr, shim] = await Promise.all([
      tool("containerd"),
      tool("ctr"),
      tool("containerd-shim-runc-v2"),
    ]);
    // All three are of one kit.
    const plugins = dirname(await tool("bridge"));
    const networks = join(directory, "net");
    mkdirSync(networks, { recursive: true });
    const network = {
      cniVersion: "1.0.0",
      name: "podgate",
      plugins: [
        {
          type: "bridge",
          bridge: "pods",
          isGateway: true,
          hairpinMode: true,
          ipam: {
            type: "host-local",
            dataDir: join(directory, "ipam"),
            ranges: [[{ subnet: podCidr }]],
            routes: [{ dst: "0.0.0.0/0" }],
          },
        },
      ],
    };
    writeFileSync(join(networks, "10-bridge.conflist"), JSON.stringify(network));
    const socket = join(directory, "c.sock");
    const file = join(directory, "containerd.toml");
    writeFileSync(file, configuration({ directory, pauseImage, plugins, networks, socket }));
    const program = new Program({
      name: "containerd",
      command,
      args: ["--config", file],
      // It looks for its shim there before the machine's own.
      env: { PATH: `${dirname(shim)}:${process.env["PATH"] ?? ""}` },
    });
    const containerd = new Containerd(socket, program, ctr);
    await program.until("containerd", () => containerd.run("version").ok || undefined, 30_000);
    return containerd;
  }

  /** An archive as `docker save` writes it. @throws with what ctr said */
  load(archive: string): void {
    const { ok, said } = this.run("--namespace", "k8s.io", "images", "import", "--local", archive);
    if (!ok) throw new Error(`${archive} could not be imported: ${said}`);
  }

  run(...args: readonly string[]): { readonly ok: boolean; readonly said: string } {
    const { status, stdout, stderr } = spawnSync(this.#ctr, ["--address", this.socket, ...args], {
      encoding: "utf8",
    });
    return { ok: status === 0, said: stdout + stderr };
  }
}

interface Places {
  readonly directory: string;
  readonly pauseImage: string;
  readonly plugins: string;
  readonly networks: string;
  readonly socket: string;
}

const configuration = ({ directory, pauseImage, plugins, networks, socket }: Places): string => `version = 3
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
[plugins."io.containerd.shim.v1.manager"]
  socket_dir = "${directory}/s"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE a pod's first container may not lower its score, and runc ends with a riddle.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["${plugins}"]
    conf_dir = "${networks}"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "${directory}/runc"
`;
