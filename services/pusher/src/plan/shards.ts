import { familyOf, type Family } from "@podgate/shared/contract/address";
import type { DesiredSource } from "../desired/desired.ts";
import { groupKey, type FamilyLimits, type Limits } from "../firewall/firewall.ts";
import { isSilenced, judge, type Evidence, type Verdict } from "./evidence.ts";
import type { Candidate } from "./guards/candidate.ts";
import type { Guard } from "./guards/held-set.ts";
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
  /** What would leave if no guard kept it. */
  readonly leaving: ReadonlyMap<string, Candidate>;
  /** Different addresses that its children hold. */
  readonly sizes: Readonly<Record<Family, number>>;
  /** Its route gave its members up, because its cluster is silent. */
  readonly silenced: boolean;
  /** Removals that are not decided yet. */
  readonly waiting: ReadonlySet<string>;
}

export interface DiffContext {
  readonly known: Known;
  readonly limits: Limits;
  readonly names: ObjectNames;
  readonly parking: Parking;
  readonly addOnly: boolean;
  readonly repair: boolean;
  readonly now: number;
  /** A person let it go. @param key of the source */
  readonly isApproved: (key: string, address: string) => boolean;
  /** Somebody else put the address into the child since the last read. */
  readonly isPutIn: (child: string, address: string) => boolean;
}

const FAMILIES = [4, 6] as const;
/** Numbers of shards that are looked for beyond the first gap: somebody may have deleted one in between. */
const GAP = 2;

export function diff(source: DesiredSource, context: DiffContext): SourcePlan {
  const { known, names, parking, addOnly, repair, now } = context;
  const repairs = new Map<string, string>();
  const parked = new Map<string, string>();
  const held: Held[] = [];
  const hold = (what: string, guard: Guard, reason: string, release: string): void => {
    held.push({ cluster: source.cluster, group: source.group, what, guard, reason, release });
  };
  const silenced = isSilenced(source, now);
  const isGivenUp = (address: string): boolean =>
    silenced || (source.held.has(address) && context.isApproved(source.key, address));
  const leaving = new Map<string, Candidate>();
  // Also those that are gone from the device, so that a person's word about them stays in force.
  for (const [address, { reason }] of source.held)
    if (!silenced && source.members.has(address))
      leaving.set(address, { cause: "vanished", shortList: reason });
  const placed = new Set<string>();
  const sizes = { 4: 0, 6: 0 };
  const found = FAMILIES.map((family) => childrenOf(source, family, known, names));
  const shards = found.map(({ children }) =>
    children.map((child): Shard => {
      const removes = new Map<string, Evidence>();
      // Of a child that no group holds nobody is a member: who leaves it is not weighed.
      const hasHolder = known.holders(child.key).size > 0;
      let desired = 0;
      for (const address of child.members) {
        const verdict = placed.has(address) ? TWICE : judge(source, address, now);
        if (verdict !== TWICE) sizes[child.family] += 1;
        const evidence = leaves(verdict, () => context.isApproved(source.key, address));
        if (verdict.kind === "doubted")
          leaving.set(address, { cause: "vanished", shortList: verdict.reason });
        else if (hasHolder && evidence !== undefined && verdict !== TWICE)
          leaving.set(
            address,
            candidateOf(evidence, () => context.isPutIn(child.key, address)),
          );
        if (evidence !== undefined && addOnly) {
          const reason = `left (${evidence.cause}), but this target only adds`;
          hold(address, "add-only", reason, 'set its "removals" to "sync"');
        } else if (evidence !== undefined) {
          removes.set(address, evidence);
          continue;
        }
        placed.add(address);
        if (verdict.kind === "member" || (verdict.kind === "doubted" && source.members.has(address)))
          desired += 1;
        const object = known.addresses.get(address);
        if (object?.standing === "drifted") repairs.set(address, object.found ?? "something else");
      }
      const blocked = parking.reason(parkingKey.child(child.key), now);
      return { child, removes, desired, blocked, attached: known.isAttached(child, source.parent) };
    }),
  );
  const managers = new Set(
    FAMILIES.flatMap((family) => known.parents.get(groupKey(family, source.parent))?.manager ?? []),
  );
  for (const manager of managers)
    hold(source.parent, "manager", `it is of ${manager}`, "the route gives the group another name");
  const joining = FAMILIES.map(() => ({ ready: new Set<string>(), creates: new Set<string>() }));
  const closed = parking.reason(parkingKey.additions(source.key), now);
  for (const address of source.members.keys()) {
    if (placed.has(address) || isGivenUp(address)) continue;
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
  if (addOnly) leaving.clear();
  return {
    source,
    halves,
    repairs,
    parked,
    held,
    leaving,
    sizes,
    silenced,
    waiting: new Set(),
  };
}

const TWICE = { kind: "leaves", cause: "changed", observedAt: undefined } as const;
const GIVEN_UP = { cause: "vanished", observedAt: undefined } as const;

/** What says that it goes; undefined = it stays. */
function leaves(verdict: Verdict, isApproved: () => boolean): Evidence | undefined {
  if (verdict.kind === "leaves") return verdict;
  return verdict.kind === "doubted" && isApproved() ? GIVEN_UP : undefined;
}

function candidateOf({ cause, absent }: Evidence, isPutIn: () => boolean): Candidate {
  if (absent !== true) return { cause };
  return isPutIn() ? { cause, absent, putIn: true } : { cause, absent };
}
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
        if (child !== undefined)
          taken = `${name} is ${child.manager === undefined ? "somebody else's group" : `a group of ${child.manager}`}: it lacks our mark`;
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
