import {
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.ts";
import { buildImage } from "../../scripts/image.ts";
import type { Say } from "../tools/build.ts";
import { STACK_PARTS } from "../tools/parts.ts";
import { obtainTool } from "../tools/tool.ts";

export const STACK_IMAGE = "podgate-dev/stack";
export const STACK_DOCKERFILE = "e2e/compose/Dockerfile";

/** Each is a folder that belongs to the user of the image. */
const VOLUMES = [
  "keys",
  "kubernetes",
  "etcd",
  "nats",
  "nats-data",
  "firewall",
  "firewall-data",
  "watcher",
  "pusher",
];

/** @throws PartMissing */
export async function buildStackImage(
  name: string,
  args: Readonly<Record<string, string>>,
  say: Say,
): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), "podgate-stack-image-"));
  try {
    await fillStackContext(context, say);
    buildImage({ name, dockerfile: STACK_DOCKERFILE, context, args });
  } finally {
    rmSync(context, { recursive: true });
  }
}

/**
 * What the Dockerfile copies: programs that this machine can build or has, so for its own platform only.
 *
 * @throws PartMissing
 */
export async function fillStackContext(context: string, say: Say): Promise<void> {
  const into = (...path: string[]): string => {
    const folder = join(context, ...path);
    mkdirSync(folder, { recursive: true });
    return folder;
  };
  const bin = into("bin");
  for (const program of STACK_PARTS) {
    const { path } = await obtainTool(program, say);
    copyFileSync(path, join(bin, program), constants.COPYFILE_FICLONE);
    chmodSync(join(bin, program), 0o755);
    utimesSync(join(bin, program), 0, 0);
  }
  // As in the checkout: the setup finds the chart's files by the way from itself.
  const home = into("podgate", "e2e", "compose");
  await bundle({ entry: "e2e/compose/setup.ts", outfile: join(home, "setup.mjs") });
  await bundle({ entry: "e2e/simulators/fortios/src/main.ts", outfile: join(home, "firewall.mjs") });
  for (const map of ["setup.mjs.map", "firewall.mjs.map"]) rmSync(join(home, map));
  cpSync("charts/podgate-watcher/files", into("podgate", "charts", "podgate-watcher", "files"), {
    recursive: true,
  });
  for (const volume of VOLUMES) into("volumes", volume);
}
