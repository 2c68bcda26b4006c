import { spawnSync } from "node:child_process";

/** Of images that tests build, so that they are not taken for those that somebody works with. */
export const TEST_TAG = "test";

/** As `npm run build:images` does where no registry can be reached. @throws Error what it said */
export function buildTestImages(...names: readonly ("watcher" | "pusher" | "stack")[]): string {
  const args = ["scripts/build-images.ts", "--base", "local", "--tag", TEST_TAG, ...names];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the images could not be built:\n${stdout}${stderr}`);
  return stdout;
}
