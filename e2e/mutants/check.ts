import { spawnSync } from "node:child_process";

/** What types, lint and format find wrong, a line each. */
export class Check {
  readonly #root: string;
  /** What the tree without a bug is told, so that only the bug's own faults count. */
  readonly #known: ReadonlySet<string>;

  /** @param files that bugs will be planted in */
  constructor(root: string, files: Iterable<string>) {
    this.#root = root;
    this.#known = new Set([...this.#types(), ...this.#style([...new Set(files)])]);
  }

  get known(): readonly string[] {
    return [...this.#known];
  }

  /** Faults of the bug that was planted in this file. */
  faults(file: string): string[] {
    return [...this.#types(), ...this.#style([file])].filter((line) => !this.#known.has(line));
  }

  #types(): string[] {
    return this.#run("tsc", ["-p", "tsconfig.json", "--pretty", "false"]);
  }

  /** One line a fault: a picture of the source would differ with it. */
  #style(files: readonly string[]): string[] {
    return [
      ...this.#run("oxlint", ["--type-aware", "--deny-warnings", "--format", "unix", ...files]),
      ...this.#run("oxfmt", ["--check", ...files]),
    ]
      .filter((line) => line.includes(".ts"))
      .map((line) => line.replace(/ \(\d+ms\)$/, ""));
  }

  #run(command: string, args: readonly string[]): string[] {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: this.#root,
      encoding: "utf8",
    });
    if (error) throw error;
    if (status === 0) return [];
    return (stdout + stderr).split("\n").filter((line) => line.trim() !== "");
  }
}
