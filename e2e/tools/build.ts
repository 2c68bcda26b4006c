import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder, KITS_FOLDER } from "./cache.ts";
import { findGo } from "./go.ts";
import { withLock } from "./lock.ts";
import type { Kit } from "./parts.ts";

const PROGRESS_SECONDS = 30;

/** A part cannot be had on this machine; the message says what to install. */
export class PartMissing extends Error {
  override readonly name = "PartMissing";
}

export type Say = (line: string) => void;

/**
 * Builds all programs of a kit into the cache, unless they are there.
 *
 * @throws {PartMissing} no Go that is new enough
 * @throws {Error} the build failed: what Go said
 */
export async function buildKit(kit: Kit, say: Say, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const folder = cacheFolder(kit, env);
  if (existsSync(folder)) return;
  const names = kit.parts.map(({ name }) => name).join(", ");
  const go = findGo(env);
  if ("missing" in go) throw new PartMissing(`${names} ${kit.version}: ${go.missing}`);
  mkdirSync(dirname(folder), { recursive: true });
  const onWait = (): void => say(`waiting for ${names}, which another process builds`);
  await withLock(`${folder}.lock`, onWait, async () => {
    if (existsSync(folder)) return;
    say(`building ${names} ${kit.version} with Go ${go.version}: about ${kit.seconds} s the first time`);
    const staging = mkdtempSync(`${folder}.new-`);
    try {
      await compile(go.command, kit, staging, say, env);
      for (const { name, built } of kit.parts)
        if (built !== undefined) renameSync(join(staging, built), join(staging, name));
      publish(staging, folder);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  });
}

async function compile(go: string, kit: Kit, into: string, say: Say, env: NodeJS.ProcessEnv): Promise<void> {
  const stamps = kit.stamps.map((stamp) => `-X ${stamp}`);
  const child = spawn(
    go,
    [
      "build",
      "-trimpath",
      "-buildvcs=false",
      "-mod=readonly",
      "-ldflags",
      ["-s -w", ...stamps].join(" "),
      "-o",
      `${into}/`,
      "tool",
    ],
    {
      cwd: join(KITS_FOLDER, kit.folder),
      // Static, as a scratch image needs it; and nothing of the host's own Go settings.
      env: { ...env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said = (said + chunk).slice(-4000)));
  const end = (): boolean => child.kill();
  process.once("exit", end);
  const started = performance.now();
  const progress = setInterval(() => {
    say(`  ${kit.folder}: ${Math.round((performance.now() - started) / 1000)} s`);
  }, PROGRESS_SECONDS * 1000);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`building ${kit.folder} ${kit.version} failed:\n${said.trim()}`);
  } finally {
    clearInterval(progress);
    process.off("exit", end);
  }
}

function publish(staging: string, folder: string): void {
  try {
    renameSync(staging, folder);
  } catch (error) {
    // Built by another process meanwhile: the same bytes.
    if (!existsSync(folder)) throw error;
  }
}
