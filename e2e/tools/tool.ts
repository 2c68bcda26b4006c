import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { buildKit, PartMissing, type Say } from "./build.ts";
import { cacheFolder, isCached } from "./cache.ts";
import { findGo, GO_MINIMUM, isExecutable } from "./go.ts";
import { overrideOf, partOf, type ToolName } from "./parts.ts";

export type { ToolName } from "./parts.ts";
export { PartMissing } from "./build.ts";

export interface Found {
  readonly path: string;
  readonly version: string;
  /** `override` = a variable named it, `installed` = the right version stood on PATH. */
  readonly from: "override" | "installed" | "cache" | "built";
}

const installed = new Map<string, boolean>();

/**
 * A real part that needs no building: named by its variable, on PATH in the pinned version, or in the cache.
 *
 * @throws {PartMissing} its variable names what is no program
 */
export function findTool(name: ToolName, env: NodeJS.ProcessEnv = process.env): Found | undefined {
  const { kit, part } = partOf(name);
  const variable = overrideOf(name);
  const named = env[variable];
  if (named) {
    if (!isExecutable(named))
      throw new PartMissing(`${variable} is ${named}, which is no program: correct or unset it`);
    return { path: named, version: "as given", from: "override" };
  }
  for (const place of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(place, name);
    if (place === "" || !isExecutable(path)) continue;
    if (!installed.has(path)) {
      const asked = spawnSync(path, part.versionArguments, { encoding: "utf8", timeout: 10_000 });
      installed.set(path, part.says.test(`${asked.stdout ?? ""}${asked.stderr ?? ""}`));
    }
    if (installed.get(path) === true) return { path, version: kit.version, from: "installed" };
  }
  if (!isCached(kit, env)) return undefined;
  return { path: join(cacheFolder(kit, env), name), version: kit.version, from: "cache" };
}

/** Path of a part that needs no building; undefined when there is none. */
export const toolIfAtHand = (name: ToolName): string | undefined => findTool(name)?.path;

/**
 * A real part, built if need be.
 *
 * @throws {PartMissing} it cannot be had here; the message says what to install
 */
export async function obtainTool(
  name: ToolName,
  say: Say = (line) => console.error(line),
  env: NodeJS.ProcessEnv = process.env,
): Promise<Found> {
  const found = findTool(name, env);
  if (found !== undefined) return found;
  const { kit } = partOf(name);
  await buildKit(kit, say, env);
  return { path: join(cacheFolder(kit, env), name), version: kit.version, from: "built" };
}

/** Path of a real part, built if need be. */
export async function tool(name: ToolName, say?: Say): Promise<string> {
  return (await obtainTool(name, say)).path;
}

/** For `t.test(name, { skip }, …)`: why these parts cannot be had here, or false. Builds nothing. */
export function skipWithout(...names: readonly ToolName[]): string | false {
  const missing = names.filter((name) => findTool(name) === undefined);
  if (missing.length === 0) return false;
  const go = findGo();
  const remedy = "missing" in go ? go.missing : `build them: npm run tools (Go ${GO_MINIMUM} is here)`;
  return `needs ${missing.join(", ")}: ${remedy}`;
}
