import type { ChildOrigin } from "../firewall/firewall.ts";
import type { Known, KnownChild } from "./known.ts";
import type { Applied } from "./plan.ts";
import type { Record } from "./record.ts";

interface Change extends Pick<Applied, "op" | "observedAt"> {
  readonly origin: ChildOrigin;
  readonly address: string;
}

/**
 * Changes of members that a device had taken and that others undid there. To make one of them again repairs drift:
 * the time since the watcher saw it says nothing about how fast news travel.
 */
export class Undone {
  #changes: ReadonlyMap<string, Change> = new Map();

  /**
   * Compares two reads of the device, by what policies see.
   *
   * @param unsure names of objects whose last write was not answered: what is new there may be our own
   * @param record when the watcher saw what the sources say now
   */
  read(
    before: Known | undefined,
    now: Known,
    unsure: ReadonlySet<string>,
    record: Pick<Record, "joined" | "left">,
  ): void {
    if (before === undefined) return;
    const [old, present] = [seenOf(before), seenOf(now)];
    const changes = new Map(
      [...this.#changes].filter(([, { op, origin, address }]) => {
        const isSeen = holds(present, origin, address);
        return op === "add" ? !isSeen : isSeen;
      }),
    );
    const note = (change: Change): void =>
      void changes.set(keyOf(change.op, change.origin, change.address), change);
    for (const { origin, address } of missing(old, present))
      note({ op: "add", origin, address, observedAt: record.joined(origin, address) });
    for (const { origin, address, child } of missing(present, old)) {
      if (!unsure.has(child))
        note({ op: "remove", origin, address, observedAt: record.left(origin, address).observedAt });
    }
    this.#changes = changes;
  }

  /** Had the device taken this very change before? */
  has(op: Change["op"], origin: ChildOrigin, address: string, observedAt: number | undefined): boolean {
    const change = this.#changes.get(keyOf(op, origin, address));
    return change !== undefined && change.observedAt === observedAt;
  }
}

/** Origin → its children that a parent holds. */
type Seen = ReadonlyMap<string, { readonly origin: ChildOrigin; readonly children: KnownChild[] }>;

function seenOf(known: Known): Seen {
  const seen = new Map<string, { readonly origin: ChildOrigin; readonly children: KnownChild[] }>();
  for (const child of known.children.values()) {
    const { key, origin } = child;
    if (origin === undefined || known.holders(key).size === 0) continue;
    const of = seen.get(originKey(origin));
    if (of === undefined) seen.set(originKey(origin), { origin, children: [child] });
    else of.children.push(child);
  }
  return seen;
}

/** Members of one that the other lacks. */
function* missing(
  from: Seen,
  to: Seen,
): Generator<{ readonly origin: ChildOrigin; readonly address: string; readonly child: string }> {
  for (const { origin, children } of from.values()) {
    for (const { name, members } of children)
      for (const address of members) if (!holds(to, origin, address)) yield { origin, address, child: name };
  }
}

const holds = (seen: Seen, origin: ChildOrigin, address: string): boolean =>
  seen.get(originKey(origin))?.children.some(({ members }) => members.has(address)) === true;

const originKey = ({ cluster, group }: ChildOrigin): string => `${cluster} ${group}`;
const keyOf = (op: Change["op"], origin: ChildOrigin, address: string): string =>
  `${op} ${address} ${originKey(origin)}`;
