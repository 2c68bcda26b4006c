import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What the go.mod files ask for. */
export const GO_MINIMUM = "1.26";
const USUAL = "/usr/local/go/bin";

export interface Go {
  readonly command: string;
  readonly version: string;
}

/** A Go that can build the parts, or what to do about it. */
export function findGo(env: NodeJS.ProcessEnv = process.env): Go | { readonly missing: string } {
  const places = [...(env["PATH"] ?? "").split(delimiter), USUAL].filter((place) => place !== "");
  const command = places.map((place) => join(place, "go")).find(isExecutable);
  if (command === undefined) return { missing: `install Go ${GO_MINIMUM} or newer (https://go.dev/dl)` };
  const asked = spawnSync(command, ["version"], { encoding: "utf8", env });
  const version = /\bgo(\d+\.\d+)(\.\d+)?/.exec(asked.stdout ?? "")?.[0].slice(2);
  if (version === undefined) return { missing: `${command} does not run: install Go ${GO_MINIMUM} or newer` };
  if (older(version, GO_MINIMUM))
    return { missing: `install Go ${GO_MINIMUM} or newer (${command} is ${version})` };
  return { command, version };
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function older(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split(".").map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}
