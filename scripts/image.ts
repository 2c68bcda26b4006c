import { spawnSync } from "node:child_process";

/** What `docker build` is told. */
export interface Image {
  readonly name: string;
  readonly dockerfile: string;
  readonly context: string;
  /** Build arguments. */
  readonly args: Readonly<Record<string, string>>;
  /** Every layer anew. */
  readonly fresh?: boolean;
}

/** @throws Error the build failed: the last lines of what Docker said */
export function buildImage({ name, dockerfile, context, args, fresh = false }: Image): void {
  const options = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
  if (fresh) options.push("--no-cache");
  docker(["build", "--tag", name, "--file", dockerfile, ...options, context]);
}

/** Bytes, all layers together, unpacked. */
export function imageSize(name: string): number {
  return Number(docker(["image", "inspect", "--format", "{{.Size}}", name]));
}

/** @returns what it printed. @throws Error it failed: the last lines of what it said */
export function docker(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync("docker", args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 ** 2,
  });
  if (error !== undefined) throw new Error(`docker cannot be run (${error.message}): install it`);
  if (status !== 0) {
    const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-8).join("\n");
    throw new Error(`docker ${args[0] ?? ""} failed:\n${said}`);
  }
  return stdout.trim();
}
