import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Kit } from "./parts.ts";

/** Where the Go modules of the kits are. */
export const KITS_FOLDER = fileURLToPath(new URL(".", import.meta.url));

/**
 * `$XDG_CACHE_HOME/podgate/tools/<kit>-<version>-<hash>`, by default under `~/.cache`. The hash is of everything
 * that decides what is built, so a changed pin is another folder and an old one is never taken for it.
 */
export function cacheFolder(kit: Kit, env: NodeJS.ProcessEnv = process.env): string {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch} ${kit.stamps.join(" ")}`);
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(KITS_FOLDER, kit.folder, file)));
  const key = hash.digest("hex").slice(0, 12);
  return join(cacheRoot(env), "tools", `${kit.folder}-${kit.version}-${key}`);
}

export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "podgate");
}

/** A folder of the cache appears whole, by one rename: what is there is complete. */
export const isCached = (kit: Kit, env?: NodeJS.ProcessEnv): boolean => existsSync(cacheFolder(kit, env));
