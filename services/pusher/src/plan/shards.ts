import { familyOf, type Family } from "@podgate/shared/contract/address";
import type { DesiredSource } from "../desired/desired.ts";
import { groupKey, type FamilyLimits, type Limits } from "../firewall/firewall.ts";
import { judge, LIST_RECOVERS, type Evidence } from "./evidence.ts";
import type { Known, KnownChild } from "./known.ts";
import type { ObjectNames } from "./object-names.ts";
import { parkingKey, type Parking } from "./parking.ts";
import type { Held } from "./plan.ts";

/** One child group of a source that the device has. */
export interface Shard {
  readonly child: KnownChild;
  readonly removes: ReadonlyMap<string, Evidence>;
  /** Members that the source desires. */
  readonly desired: number;
  /** Its parent holds it. */
  readonly attached: boolean;
  /** Why it can't be written now. */
  readonly blocked: string | undefined;
}

/** One source, one family: its shards in the order of their numbers, and what is to join. */
export interface Half {
  readonly family: Family;
  readonly shards: readonly Shard[];
  /** Number and name of the child that comes next. */
  readonly next: { readonly n: number; readonly name: string };
  /** No child yet, but there should be one, be it empty. */
  readonly missing: boolean;
  /** Why no child can be made: its name is taken. */
  readonly taken: string | undefined;
  /** To join, and their objects are there. */
  readonly ready: Set<string>;
  /** To join, and their objects are not there yet. */
  readonly creates: Set<string>;
}

/** The difference between one source and the device, worked out once and kept until one of the two changes. */
export interface SourcePlan {
  readonly source: DesiredSource;
  readonly halves: readonly Half[];
  /** Address objects with other content than ours, and what they hold. */
  readonly repairs: ReadonlyMap<string, string>;
  /** To join, but the device refuses them, and why. */
  readonly parked: ReadonlyMap<string, string>;
  readonly held: readonly Held[];
}

export interface DiffContext {
  readonly known: Known;
  readonly limits: Limits;
  readonly names: ObjectNames;
  readonly parking: Parking;
  readonly addOnly: boolean;
  readonly repair: boolean;
  readonly now: number;
}

const FAMILIES = [4, 6] as const;
/** Numbers of shards that are looked for beyond the first gap: somebody may have deleted one in between. */
const GAP = 2;

export function diff(source: DesiredSource, context: DiffContext): SourcePlan {
  const { known, names, parking, addOnly, repair, now } = context;
  const repairs = new Map<string, string>();
  const parked = new Map<string, string>();
  const held: Held[] = [];
  const hold = (what: string, reason: string, release: string): void => {
    held.push({ cluster: source.cluster, group: source.group, what, reason, release });
  };
  for (const [address, { reason }] of source.held)
    if (source.members.has(address)) hold(address, `vanished, but ${reason}`, LIST_RECOVERS);
  const placed = new Set<string>();
  const found = FAMILIES.map((family) => childrenOf(source, family, known, names));
  const shards = found.map(({ children }) =>
    children.map((child): Shard => {
      const removes = new Map<string, Evidence>();
      let desired = 0;
      for (const address of child.members) {
        const verdict = placed.has(address) ? TWICE : judge(source, address);
        if (verdict.kind === "held") hold(address, verdict.reason, verdict.release);
        if (verdict.kind === "leaves" && addOnly)
          hold(address, `left (${verdict.cause}), but this target only adds`, 'set its "removals" to "sync"');
        else if (verdict.kind === "leaves") {
          removes.set(address, { cause: verdict.cause, observedAt: verdict.observedAt });
          continue;
        }
        placed.add(address);
        if (verdict.kind === "member") desired += 1;
        const object = known.addresses.get(address);
        if (object?.standing === "drifted") repairs.set(address, object.found ?? "something else");
      }
      const blocked = parking.reason(parkingKey.child(child.key), now);
      return { child, removes, desired, blocked, attached: known.isAttached(child, source.parent) };
    }),
  );
  const joining = FAMILIES.map(() => ({ ready: new Set<string>(), creates: new Set<string>() }));
  const closed = parking.reason(parkingKey.additions(source.key), now);
  for (const address of source.members.keys()) {
    if (placed.has(address)) continue;
    const object = known.addresses.get(address);
    const reason = closed ?? parking.reason(parkingKey.address(address), now);
    const side = joining[familyOf(address) === 4 ? 0 : 1];
    if (reason !== undefined) parked.set(address, reason);
    else if (object === undefined) side?.creates.add(address);
    else if (object.standing === "collision")
      parked.set(address, `${object.name} is somebody else's (${object.found ?? "without our mark"})`);
    else if (object.standing === "drifted") {
      const content = object.found ?? "something else";
      repairs.set(address, content);
      parked.set(address, `${object.name} was changed to ${content}${repair ? "" : "; repair is off"}`);
    } else side?.ready.add(address);
  }
  const halves = FAMILIES.map((family, at): Half => {
    const { ready = new Set<string>(), creates = new Set<string>() } = joining[at] ?? {};
    const { next, taken } = found[at] ?? NONE;
    const isWanted = family === 4 ? source.defined === "yes" : ready.size + creates.size > 0;
    const own = shards[at] ?? [];
    return { family, shards: own, next, taken, ready, creates, missing: own.length === 0 && isWanted };
  });
  return { source, halves, repairs, parked, held };
}

const TWICE = { kind: "leaves", cause: "changed", observedAt: undefined } as const;
const NONE = { children: [], next: { n: 0, name: "" }, taken: undefined };

/** The source's children on the device, in order, and the name of the one to make next: the lowest free number. */
function childrenOf(
  { cluster, group }: DesiredSource,
  family: Family,
  known: Known,
  names: ObjectNames,
): { children: KnownChild[]; next: { n: number; name: string }; taken: string | undefined } {
  const children: KnownChild[] = [];
  let next: { n: number; name: string } | undefined;
  let taken: string | undefined;
  for (let n = 0, gap = 0; gap <= GAP; n += 1) {
    const name = names.child({ group, cluster, n });
    const child = known.children.get(groupKey(family, name));
    if (child?.standing === "ours") {
      children.push(child);
      gap = 0;
    } else {
      gap += 1;
      if (next === undefined) {
        next = { n, name };
        if (child !== undefined) taken = `${name} is somebody else's group: it lacks our mark`;
      }
    }
  }
  return { children, next: next ?? NONE.next, taken };
}

/** How many addresses the shard can still take, once what leaves has left. */
export function room({ child, removes }: Shard, { membersPerGroup }: FamilyLimits): number {
  if (membersPerGroup === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, membersPerGroup - (child.members.size - removes.size));
}
