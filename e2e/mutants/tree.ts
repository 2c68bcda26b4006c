import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Mutant } from "./mutant.ts";

/** A copy of the whole checkout, in which bugs are planted: the checkout itself is never touched. */
export class Tree {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Every file that is, or could be, committed; installed packages are linked. */
  static copy(checkout: string): Tree {
    const root = mkdtempSync(join(tmpdir(), "podgate-mutants-"));
    const listed = run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], checkout);
    for (const file of listed.stdout.split("\0")) {
      if (file === "" || !existsSync(join(checkout, file))) continue;
      mkdirSync(dirname(join(root, file)), { recursive: true });
      cpSync(join(checkout, file), join(root, file), { verbatimSymlinks: true });
    }
    for (const folder of installed(checkout)) linkPackages(checkout, root, folder);
    return new Tree(root);
  }

  /**
   * Plants the bug.
   *
   * @returns what takes it out again
   * @throws when the source has changed so much that the patch does not fit
   */
  plant(mutant: Mutant): () => void {
    const path = join(this.root, mutant.file);
    const before = readFileSync(path);
    const stale = apply(this.root, mutant);
    if (stale !== undefined) throw new Error(stale);
    return () => writeFileSync(path, before);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

/** Why a mutant does not fit a tree any more; undefined = it does. Nothing is changed. */
export const staleness = (root: string, mutant: Mutant): string | undefined =>
  apply(root, mutant, ["--check"]);

/** One line of context on each side must match: more would make patches stale for no reason. */
function apply(root: string, { name, file, diff }: Mutant, more: readonly string[] = []): string | undefined {
  const { status, stderr } = run("git", ["apply", "-C1", "--whitespace=nowarn", ...more, "-"], root, diff);
  return status === 0
    ? undefined
    : `${name}.patch no longer applies to ${file}: plant its bug anew by hand\n${stderr.trim()}`;
}

/** Folders of the workspace into which packages were installed. */
function installed(checkout: string): string[] {
  return globSync(["node_modules", "{shared,e2e}/node_modules", "{services,e2e/simulators}/*/node_modules"], {
    cwd: checkout,
  });
}

/** Links of packages stay what they are, but those into the workspace must lead into the copy. */
function linkPackages(checkout: string, root: string, folder: string): void {
  mkdirSync(join(root, folder), { recursive: true });
  for (const entry of readdirSync(join(checkout, folder), { withFileTypes: true })) {
    const place = join(folder, entry.name);
    if (entry.name.startsWith("@") && entry.isDirectory()) linkPackages(checkout, root, place);
    else symlinkSync(targetOf(checkout, root, place), join(root, place));
  }
}

function targetOf(checkout: string, root: string, place: string): string {
  const original = join(checkout, place);
  let target: string;
  try {
    target = readlinkSync(original);
  } catch {
    return original;
  }
  const full = isAbsolute(target) ? target : resolve(dirname(original), target);
  const inside = relative(checkout, full);
  const isOurs = !inside.startsWith("..") && !inside.split("/").includes("node_modules");
  return isOurs ? join(root, inside) : full;
}

function run(command: string, args: readonly string[], cwd: string, input?: string) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 28, input });
  if (result.error) throw result.error;
  return result;
}
