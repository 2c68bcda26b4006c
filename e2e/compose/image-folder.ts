import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What an engine would keep as an image, as a folder. */
export interface ImageFolder {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Of an image that begins with this one: what its own Dockerfile says comes on top. */
export interface ImageSteps {
  readonly base: ImageFolder;
  /** A Dockerfile. */
  readonly file: string;
  /** What it copies from. */
  readonly context: string;
  /** Where the image is to be; must not exist. On the file system of the base. */
  readonly folder: string;
  /** Build arguments that have no default. */
  readonly args?: Readonly<Record<string, string>>;
}

/** These say who runs it and what it is called. */
const WITHOUT_EFFECT = new Set(["FROM", "LABEL", "USER", "EXPOSE"]);

/** Does what a Dockerfile says, as far as a folder can show it. @throws Error an instruction that it does not know */
export function makeImageFolder({ base, file, context, folder, args = {} }: ImageSteps): ImageFolder {
  run("cp", "--recursive", "--link", base.folder, folder);
  const values: Record<string, string> = { ...args };
  const image = { ...base, folder, environment: { ...base.environment } };
  for (const [name, rest] of instructionsOf(readFileSync(file, "utf8"))) {
    const filled = rest.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => values[variable] ?? "");
    if (name === "ARG") {
      const [variable = "", value] = filled.split("=");
      if (value !== undefined) values[variable] ??= value;
    } else if (name === "ENV") Object.assign(image.environment, settingsOf(filled));
    else if (name === "COPY") copy(filled, context, folder);
    else if (name === "ENTRYPOINT") [image.entrypoint, image.command] = [wordsOf(filled), []];
    else if (name === "CMD") image.command = wordsOf(filled);
    else if (name === "WORKDIR") image.workingDirectory = filled;
    else if (!WITHOUT_EFFECT.has(name)) throw new Error(`${file}: ${name} is not known here`);
  }
  return image;
}

/** `[name, the rest]`, one for each instruction. */
function instructionsOf(text: string): [name: string, rest: string][] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const at = line.indexOf(" ");
      return [line.slice(0, at), line.slice(at + 1).trim()];
    });
}

/** `A=1 B="2 3"` */
function settingsOf(text: string): Record<string, string> {
  const found = text.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g);
  return Object.fromEntries([...found].map(([, name = "", quoted, plain = ""]) => [name, quoted ?? plain]));
}

/** As every Dockerfile here has them: no image has a shell. */
const wordsOf = (text: string): string[] => JSON.parse(text) as string[];

/** A folder is copied with all that is in it, not itself. */
function copy(text: string, context: string, folder: string): void {
  const [from = "", to = "", ...more] = text.split(/\s+/).filter((word) => !word.startsWith("--chown="));
  if (more.length > 0 || !statSync(join(context, from)).isDirectory())
    throw new Error(`COPY ${text}: only one folder into another is known here`);
  mkdirSync(join(folder, to), { recursive: true });
  run("cp", "--recursive", "--preserve=mode,timestamps", `${join(context, from)}/.`, join(folder, to));
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}
