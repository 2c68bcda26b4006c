import { spawnSync } from "node:child_process";
import { findTool } from "../tools/tool.ts";

/** How Compose is called here: the plugin of `docker` where it is installed, else the pinned program; undefined = not. */
export function composeCommand(): readonly string[] | undefined {
  if (answers("docker", "compose", "version")) return ["docker", "compose"];
  const pinned = findTool("docker-compose");
  return pinned === undefined ? undefined : [pinned.path];
}

/** The pinned program is wanted: an engine is here, and its client does not understand compose files. */
export const wantsCompose = (): boolean =>
  answers("docker", "info") && !answers("docker", "compose", "version");

function answers(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: 10_000 }).status === 0;
}
