import type { DefinitionFact } from "../kubernetes/group-definitions.ts";
import type { Condition, GroupStatusView } from "./status-of.ts";

type Status = DefinitionFact["status"];

interface Written extends Condition {
  readonly lastTransitionTime: string;
}

export interface StatusPatch {
  /** The status as it will stand. */
  readonly status: Status;
  /** The body of a merge patch of the status subresource: what is left out of a status is null here. */
  readonly body: string;
  /** A condition's status or reason changes, not only numbers. */
  readonly flips: boolean;
}

/**
 * What must be written so that the status says what the view does; undefined = it says so already. A condition's
 * transition time stays while its status does.
 *
 * @param now RFC 3339
 */
export function statusPatch(before: Status, view: GroupStatusView, now: string): StatusPatch | undefined {
  const known = conditionsIn(before);
  const conditions = view.conditions.map((condition): Written => {
    const old = known.get(condition.type);
    const kept = old?.status === condition.status ? old.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: kept ?? now };
  });
  const status: Status = { ...view, conditions };
  if (canonical(before) === canonical(status)) return undefined;
  const gone = Object.keys(before).filter((field) => !(field in status));
  const body = JSON.stringify({
    status: { ...Object.fromEntries(gone.map((field) => [field, null])), ...status },
  });
  const flips = conditions.some(({ type, status: value, reason }) => {
    const old = known.get(type);
    return old?.status !== value || old.reason !== reason;
  });
  return { status, body, flips };
}

function conditionsIn(status: Status): Map<string, Partial<Written>> {
  const conditions = Array.isArray(status["conditions"]) ? (status["conditions"] as unknown[]) : [];
  const known = new Map<string, Partial<Written>>();
  for (const condition of conditions) {
    if (typeof condition === "object" && condition !== null && "type" in condition)
      known.set(String(condition.type), condition as Partial<Written>);
  }
  return known;
}

/** The API server gives fields back in its own order. */
function canonical(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}
