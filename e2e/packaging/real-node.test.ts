// The installed product on a real node. What it needs of images is built here; the rest runs in network, mount and
// process namespaces of its own (e2e/real-node/test/installed.ts), and says what it found in this process's place.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildImage, skipWithoutDocker } from "../stack/docker.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { skipWithout, tool } from "../tools/tool.ts";
import { buildTestImages, TEST_TAG } from "./test-images.ts";

const skip =
  (await skipWithoutDocker()) ||
  skipWithout(...STACK_PARTS, "helm", "kubelet", "containerd", "bridge", "pause") ||
  skipWithoutRoot();

if (skip !== false) {
  const { default: t } = await import("tap");
  t.test("the charts, installed on a real node", { skip }, () => undefined);
} else {
  const [directory] = temporaryDirectory("node");
  buildTestImages("watcher", "pusher");
  const services = ["podgate/watcher", "podgate/pusher"];
  // To upgrade to: the same under another name.
  for (const name of services) run("docker", ["tag", `${name}:${TEST_TAG}`, `${name}:${TEST_TAG}-next`]);
  const images = [
    ...services.flatMap((name) => [`${name}:${TEST_TAG}`, `${name}:${TEST_TAG}-next`]),
    await buildImage("podgate-test/nats:1", await tool("nats-server")),
    await buildImage("podgate-test/pause:1", await tool("pause")),
  ];
  const archive = join(directory, "images.tar");
  run("docker", ["save", "--output", archive, ...images]);
  const inside = fileURLToPath(new URL("../real-node/test/installed.ts", import.meta.url));
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
  const { status } = spawnSync("unshare", [...namespaces, process.execPath, inside, directory, archive], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}

/** For `skip`: namespaces and cgroups are root's, and runc is the machine's. */
function skipWithoutRoot(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const found = (process.env["PATH"] ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, "runc"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return found ? false : "needs runc (Debian: apt-get install runc)";
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}
