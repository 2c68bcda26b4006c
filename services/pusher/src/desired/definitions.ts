import type { FoldedGroup } from "./standing.ts";

/** Groups that a cluster defines in Kubernetes, by its last verified state. */
export class Definitions {
  #names: ReadonlySet<string> | undefined;
  /** Sequence of that state. */
  #at = 0;

  /** undefined before the first state. */
  get names(): ReadonlySet<string> | undefined {
    return this.#names;
  }

  /** A person decided that there is none; undefined = nobody knows any more. */
  set(names: ReadonlySet<string> | undefined): void {
    this.#names = names;
  }

  /** "no" only by a verified state that is newer than all that its group says. */
  of(name: string, group: FoldedGroup | undefined, isVerified: boolean): "yes" | "no" | "unknown" {
    if (this.#names?.has(name) === true || (group?.members.size ?? 0) > 0) return "yes";
    return isVerified && (group?.toldAt ?? 0) <= this.#at ? "no" : "unknown";
  }

  /** A verified state names these. @returns the groups whose definition that changes */
  take(
    names: readonly string[],
    sequence: number,
    groups: Iterable<readonly [string, FoldedGroup]>,
  ): Set<string> {
    const after = new Set(names);
    const changed = new Set(names.filter((name) => this.#names?.has(name) !== true));
    for (const name of this.#names ?? []) if (!after.has(name)) changed.add(name);
    // Of those without a definition it was not known before: their last event was newer than the last state.
    for (const [name, { toldAt }] of groups) if (toldAt > this.#at && !after.has(name)) changed.add(name);
    this.#names = after;
    this.#at = sequence;
    return changed;
  }
}
