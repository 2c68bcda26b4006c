// Builds the images of the services, and the one of the development stack: `npm run build:images`.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { buildStackImage, STACK_IMAGE } from "../e2e/compose/stack-image.ts";
import { buildImage, docker, imageSize } from "./image.ts";
import { localBase } from "./local-base.ts";
import { optionsOr, parseCommand } from "./options.ts";

const HELP = `npm run build:images -- [options] [image ...]

Builds the services and their images: watcher, pusher, and stack (what docker-compose.yml needs besides: NATS, a
Kubernetes control plane, a simulated FortiGate). Default: all of them.

  --base IMAGE      base image; \`pinned\` = the one the Dockerfiles name; \`local\` = one made of this machine's Node and
                    C library. Default: pinned, and local where that cannot be had
  --tag TAG         of all images (default dev)
  --platform P      linux/amd64 or linux/arm64 (default: that of this machine)
  --no-cache        every layer anew
  --help`;

const OWN_PLATFORM = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
const PLATFORMS = ["linux/amd64", "linux/arm64"];
const IMAGES = ["watcher", "pusher", "stack"];
const { values, images } = optionsOr(
  HELP,
  parseCommand(
    process.argv.slice(2),
    {
      base: { type: "string" },
      tag: { type: "string", default: "dev" },
      platform: { type: "string", default: OWN_PLATFORM },
      "no-cache": { type: "boolean", default: false },
    },
    (given) => {
      const { platform } = given.values;
      const named = given.operands.length > 0 ? given.operands : IMAGES;
      given.among("", given.operands, IMAGES);
      given.among("--platform ", [platform], PLATFORMS);
      if (PLATFORMS.includes(platform) && platform !== OWN_PLATFORM && named.includes("stack"))
        given.faults.push(
          `--platform ${platform}: stack is made of this machine's programs; name watcher, pusher`,
        );
      return { values: given.values, images: named };
    },
    true,
  ),
);
try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  docker(["version", "--format", "{{.Server.Version}}"]);
  const built = spawnSync(process.execPath, ["scripts/build.ts"], { stdio: "inherit" });
  if (built.status !== 0) throw new Error("the services could not be built");
  const base = await baseImage();
  const names: string[] = [];
  for (const image of images) {
    const name = image === "stack" ? `${STACK_IMAGE}:${values.tag}` : `podgate/${image}:${values.tag}`;
    const args = { BASE_IMAGE: base, PLATFORM: values.platform };
    if (image === "stack") await buildStackImage(name, args, say);
    else {
      const dockerfile = `services/${image}/Dockerfile`;
      const labels = { VERSION: version(), REVISION: revision() };
      buildImage({ name, dockerfile, context: ".", args: { ...args, ...labels }, fresh: values["no-cache"] });
    }
    names.push(name);
  }
  for (const name of [base, ...names])
    say(
      `${name.padEnd(32)} ${(imageSize(name) / 1e6).toFixed(1).padStart(7)} MB${name === base ? "  (base, in all of them)" : ""}`,
    );
}

async function baseImage(): Promise<string> {
  const pinned =
    /^ARG BASE_IMAGE=(.+)$/m.exec(readFileSync("services/watcher/Dockerfile", "utf8"))?.[1] ?? "";
  if (values.base === "local") return local();
  const wanted = values.base === undefined || values.base === "pinned" ? pinned : values.base;
  if (spawnSync("docker", ["image", "inspect", wanted], { stdio: "ignore" }).status === 0) return wanted;
  try {
    docker(["pull", "--platform", values.platform, wanted]);
    return wanted;
  } catch (error) {
    if (values.base !== undefined) throw error;
    say(`${wanted} cannot be had (${(error as Error).message.split("\n").at(-1) ?? ""})`);
    return local();
  }
}

async function local(): Promise<string> {
  if (values.platform !== OWN_PLATFORM)
    throw new Error(
      `a local base is of this machine's platform: for ${values.platform} give a --base that can be pulled`,
    );
  const { name, cached } = await localBase();
  say(`base: ${name}, ${cached ? "made earlier" : "made"} of the Node and C library of this machine`);
  return name;
}

function version(): string {
  return (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version;
}

/** Of the checkout; `unknown` outside of one. */
function revision(): string {
  const { stdout, status } = spawnSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : "unknown";
}

function say(line: string): void {
  console.log(line);
}
