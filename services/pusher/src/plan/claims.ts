import { sourceKey } from "../desired/desired.ts";
import { groupKey, type Step } from "../firewall/firewall.ts";
import type { SourcePlans } from "./source-plans.ts";

/** Which source each child on the device belongs to; a child of ours that none claims is an orphan. */
export class Claims {
  /** Child's key → the source that claims it. */
  readonly #sources = new Map<string, string>();

  /** Of every source that is worked out. */
  renew(plans: SourcePlans): void {
    this.#sources.clear();
    for (const [key, { halves }] of plans.whole)
      for (const { shards } of halves) for (const { child } of shards) this.#sources.set(child.key, key);
  }

  /** A child was made for the source. */
  made(child: string, source: string): void {
    this.#sources.set(child, source);
  }

  /** Key of the source whose child the step writes; undefined = it is nobody's, or the step writes no child. */
  sourceOf(step: Step): string | undefined {
    if (step.kind === "create-child") return sourceKey(step.cluster, step.group);
    if ("child" in step) return this.#sources.get(groupKey(step.family, step.child));
    return undefined;
  }

  /** Child's key → the parent that its source wants it in. A source may have gone while its child was being made. */
  parents(plans: SourcePlans): Map<string, string> {
    const parents = new Map<string, string>();
    for (const [child, key] of this.#sources) {
      const source = plans.source(key);
      if (source !== undefined) parents.set(child, source.parent);
    }
    return parents;
  }
}
