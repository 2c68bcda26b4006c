import type { Step } from "../firewall/firewall.ts";
import type { Applied } from "../plan/plan.ts";

/** What one call did, as fields of one log line. @param now milliseconds since 1970 */
export function appliedLine(step: Step, applied: readonly Applied[], now: number): Record<string, unknown> {
  const seen = applied.flatMap(({ observedAt }) => observedAt ?? []);
  const oldest = Math.min(...seen);
  return {
    step: step.kind,
    object: objectOf(step),
    ...only("cluster", applied),
    ...only("group", applied),
    added: applied.filter(({ op }) => op === "add").length,
    removed: applied.filter(({ op }) => op === "remove").length,
    reason: step.reason,
    // Of the oldest change in it, from Kubernetes to now.
    ...(seen.length > 0 && { ageMs: Math.max(0, Math.round(now - oldest)) }),
  };
}

export function objectOf(step: Step): string {
  if ("name" in step) return step.name;
  return "parent" in step ? step.parent : step.child;
}

/** Shown where all agree. */
function only(field: "cluster" | "group", applied: readonly Applied[]): Record<string, string> {
  const values = [...new Set(applied.map((each) => each[field]))];
  const [value] = values;
  return value === undefined || values.length > 1 ? {} : { [field]: value };
}
