import type { Epoch } from "@podgate/shared/contract/epoch";
import { buildEvent, type Message } from "@podgate/shared/contract/event";
import type { Change } from "./change.ts";

/** A tombstone only keeps the cause; the absence itself is in the next verified set. */
export const TOMBSTONE_SECONDS = 3600;

export interface Origin {
  readonly cluster: string;
  readonly epoch: Epoch;
  /** Milliseconds since 1970. */
  readonly observedAt: number;
}

export function toMessage(
  change: Change,
  { cluster, epoch, observedAt }: Origin,
): Message & { ttlSeconds?: number } {
  const { group, address, owners, ownerCount, resourceVersion } = change;
  const rest = {
    v: 1 as const,
    cluster,
    group,
    address,
    owners: [...owners],
    ownerCount,
    epoch,
    resourceVersion,
    observedAt,
  };
  if (change.op === "add") return buildEvent({ ...rest, op: "add" });
  return { ...buildEvent({ ...rest, op: "remove", cause: change.cause }), ttlSeconds: TOMBSTONE_SECONDS };
}
