/** One of several took over what one at a time does. Times are milliseconds since 1970 on one machine's clock. */
export interface Turn {
  readonly at: number;
  readonly service: string;
}

/** A POST, PUT or DELETE that the device got. */
export interface Write {
  readonly id: number;
  /** The pusher. */
  readonly service: string;
  readonly path: string;
  /** When it was done. */
  readonly appliedAt: number;
  readonly changed: boolean;
}

/** What a write changed in one group of the device. */
export interface GroupChange {
  readonly at: number;
  /** Id of the write; another one's where somebody else did it. */
  readonly request: number;
  readonly name: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** A write that was done when the device was another pusher's already. */
export interface LateWrite extends Write {
  /** Milliseconds since the other one had it. */
  readonly lateMs: number;
  /** Milliseconds until the last thing that it changed and that was changed back was so; 0 = nothing was. */
  readonly undoneMs: number;
}

/**
 * The writes of pushers that had lost their device.
 *
 * @param turns of the device, in order, also those before the first write
 * @param changes in the order in which they took effect
 */
export function lateWrites(
  turns: readonly Turn[],
  writes: readonly Write[],
  changes: readonly GroupChange[],
): LateWrite[] {
  return writes.flatMap((write) => {
    const own = turns.findLast(({ at, service }) => at <= write.appliedAt && service === write.service);
    const next = turns.find(
      ({ at, service }) =>
        service !== write.service && at > (own?.at ?? Number.NEGATIVE_INFINITY) && at < write.appliedAt,
    );
    if (next === undefined) return [];
    return [{ ...write, lateMs: write.appliedAt - next.at, undoneMs: undoneMs(write, changes) }];
  });
}

function undoneMs({ id, appliedAt }: Write, changes: readonly GroupChange[]): number {
  let latest = appliedAt;
  for (const [index, { request, name, added, removed }] of changes.entries()) {
    if (request !== id) continue;
    const later = changes.slice(index + 1).filter((change) => change.name === name);
    for (const member of added)
      latest = Math.max(latest, later.find((change) => change.removed.includes(member))?.at ?? 0);
    for (const member of removed)
      latest = Math.max(latest, later.find((change) => change.added.includes(member))?.at ?? 0);
  }
  return latest - appliedAt;
}
