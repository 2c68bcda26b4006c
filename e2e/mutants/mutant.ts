import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** One small bug, planted on purpose, and the tests that must notice it. */
export interface Mutant {
  /** The patch's file name without `.patch`. */
  readonly name: string;
  /** What goes wrong in production with it. */
  readonly reason: string;
  /** Test files, from the repository's root. */
  readonly suites: readonly string[];
  /** The one source file it changes. */
  readonly file: string;
  /** Unified diff. */
  readonly diff: string;
}

const FIELDS = ["name", "reason", "suites"] as const;

/**
 * Reads a patch: lines `name:`, `reason:` and `suites:` (file names apart by blanks), an empty line, the diff.
 *
 * @throws with every fault of it, one a line
 */
export function parseMutant(path: string, text: string): Mutant {
  const at = text.indexOf("\n--- ");
  const head = at === -1 ? text : text.slice(0, at);
  const diff = at === -1 ? "" : text.slice(at + 1);
  const fields = new Map(
    head
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]),
  );
  const changed = [...diff.matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, file = ""]) => file);
  const faults = [
    ...FIELDS.filter((field) => !fields.get(field)).map((field) => `has no line "${field}: …"`),
    ...[...fields.keys()]
      .filter((field) => !FIELDS.some((known) => known === field))
      .map((field) => `has a line "${field}", which is none of ${FIELDS.join(", ")}`),
    ...(changed.length === 1 ? [] : [`changes ${changed.length} files; one is right`]),
  ];
  const [name, reason, suites] = FIELDS.map((field) => fields.get(field) ?? "");
  if (name !== basename(path, ".patch")) faults.push(`is called "${name ?? ""}", unlike its file`);
  if (faults.length > 0) throw new Error(faults.map((fault) => `${path} ${fault}`).join("\n"));
  return {
    name: name ?? "",
    reason: reason ?? "",
    suites: (suites ?? "").split(/\s+/),
    file: changed[0] ?? "",
    diff,
  };
}

/** All of them, by name. @throws with the faults of the first wrong one */
export function readMutants(): Mutant[] {
  return globSync("*.patch", { cwd: import.meta.dirname })
    .toSorted()
    .map((file) => parseMutant(file, readFileSync(join(import.meta.dirname, file), "utf8")));
}
