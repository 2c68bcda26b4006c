import type { LeaveCause, Member, Removal, Session } from "./session.ts";

/** A removal whose only evidence is a list that is not believed: the address stays. */
export interface HeldRemoval extends Removal {
  /** For people: why, and so what would release it. */
  readonly reason: string;
}

export interface FoldedGroup {
  readonly members: ReadonlyMap<string, Member>;
  /** Addresses that left, and why: evidence for an hour, or until they join again. */
  readonly removals: ReadonlyMap<string, Removal>;
  /** Addresses that vanished from a short list. Those that were members still are. */
  readonly held: ReadonlyMap<string, HeldRemoval>;
  /** Rises with each change. */
  readonly version: number;
  /** Sequence of the last event of this session; 0 = only its replacement is known. */
  readonly toldAt: number;
}

/** As on the bus, where tombstones live as long: what expires is then an absence, which the list proves. */
const EVIDENCE_MS = 3_600_000;

type Taken = Removal & { readonly takenAt: number };

class StandingGroup implements FoldedGroup {
  members = new Map<string, Member>();
  /** In the order in which they were taken. */
  readonly removals = new Map<string, Taken>();
  /** Those of an earlier session of the stream, not read again yet: the address may have been given on since. */
  readonly outdated = new Map<string, Taken>();
  readonly held = new Map<string, HeldRemoval>();
  /** Vanished, and the state message that tells of the list is still to come. */
  readonly vanished = new Map<string, Removal>();
  version = 0;
  toldAt = 0;

  get empty(): boolean {
    const { members, removals, outdated, held, vanished } = this;
    return members.size + removals.size + outdated.size + held.size + vanished.size === 0;
  }

  remove(address: string, removal: Removal, now: number): void {
    this.members.delete(address);
    this.held.delete(address);
    this.vanished.delete(address);
    // Deleted first, so that the map stays in order of time.
    this.removals.delete(address);
    this.outdated.delete(address);
    this.removals.set(address, { ...removal, takenAt: now });
    this.version += 1;
    this.toldAt = Math.max(this.toldAt, removal.sequence);
  }

  add(address: string, member: Member): void {
    this.members.set(address, member);
    this.held.delete(address);
    this.vanished.delete(address);
    this.removals.delete(address);
    this.outdated.delete(address);
    this.version += 1;
    this.toldAt = Math.max(this.toldAt, member.sequence);
  }
}

/** What acts on firewalls: members that are believed, and believed reasons for those that left. */
export class Standing {
  readonly #groups = new Map<string, StandingGroup>();

  get groups(): ReadonlyMap<string, FoldedGroup> {
    return this.#groups;
  }

  add(group: string, address: string, member: Member): void {
    this.#group(group).add(address, member);
  }

  /** @param now milliseconds of the monotonic clock */
  remove(group: string, address: string, removal: Removal, now: number): void {
    this.#group(group).remove(address, removal, now);
  }

  /** To be judged by the next verified state message. */
  vanish(group: string, address: string, removal: Removal): void {
    const standing = this.#group(group);
    standing.vanished.set(address, removal);
    standing.toldAt = removal.sequence;
  }

  get undecided(): boolean {
    for (const group of this.#groups.values()) if (group.vanished.size > 0) return true;
    return false;
  }

  get holds(): boolean {
    return this.doubt !== undefined;
  }

  /** Why something that vanished stays; undefined = nothing does. */
  get doubt(): string | undefined {
    for (const { held } of this.#groups.values()) for (const { reason } of held.values()) return reason;
    return undefined;
  }

  /**
   * The stream is read anew: what said that somebody left says nothing until it is read again, or the set is verified.
   * Somebody else may have come to the address meanwhile.
   * @returns whether there was any
   */
  reread(): boolean {
    let any = false;
    for (const group of this.#groups.values()) {
      if (group.removals.size === 0) continue;
      any = true;
      for (const [address, removal] of group.removals) group.outdated.set(address, removal);
      group.removals.clear();
      group.version += 1;
    }
    return any;
  }

  /** A removal was read again. @returns whether it is the one that was known, so that it counts again */
  confirm(name: string, address: string, sequence: number): boolean {
    const group = this.#groups.get(name);
    const removal = group?.outdated.get(address);
    if (group === undefined || removal?.sequence !== sequence) return false;
    group.outdated.delete(address);
    group.removals.set(address, removal);
    group.version += 1;
    return true;
  }

  /** A person decided that nothing of it is true any more. */
  clear(): void {
    this.#groups.clear();
  }

  /**
   * A session is believed: what stands and is not in it has left; vanished, if no tombstone says otherwise that is newer
   * than what is known of the address.
   * @param decided the cause of all that left, where a person decided it
   */
  replace(session: Session, now: number, decided?: LeaveCause): void {
    for (const name of new Set([...this.#groups.keys(), ...session.groups.keys()])) {
      const group = this.#group(name);
      const fresh = session.groups.get(name);
      for (const [address, removal] of group.outdated) group.removals.set(address, removal);
      group.outdated.clear();
      const told = new Set(fresh?.members.keys());
      for (const [address, removal] of fresh?.removals ?? []) {
        const known = group.members.get(address) ?? group.removals.get(address);
        if (decided === undefined && isOlder(removal, known)) continue;
        told.add(address);
        this.#left(group, address, { ...removal, cause: decided ?? removal.cause }, now);
      }
      for (const [address, { observedAt }] of group.members) {
        if (told.has(address)) continue;
        const cause = decided ?? "vanished";
        const { lastSequence: sequence } = session;
        const absent = decided === undefined && ({ absent: true } as const);
        this.#left(group, address, { cause, observedAt, sequence, ...absent }, now);
      }
      for (const [address, member] of fresh?.members ?? []) group.add(address, member);
      // Sequences of another stream say nothing here.
      group.toldAt = 0;
      if (group.empty) this.#groups.delete(name);
    }
  }

  /**
   * Decides what vanished. @param short why the list is not believed; undefined = it is
   * @returns the groups that changed
   */
  judge(short: string | undefined, now: number): Set<string> {
    const changed = new Set<string>();
    for (const [name, group] of this.#groups) {
      if (group.vanished.size === 0 && (short !== undefined || group.held.size === 0)) continue;
      changed.add(name);
      if (short === undefined) {
        for (const [address, { cause, observedAt, sequence, absent }] of [...group.held, ...group.vanished])
          group.remove(address, { cause, observedAt, sequence, ...(absent && { absent }) }, now);
      } else {
        for (const [address, removal] of group.vanished)
          group.held.set(address, { ...removal, reason: short });
        group.vanished.clear();
        group.version += 1;
      }
    }
    return changed;
  }

  /** Evidence that is an hour old is dropped, as on the bus. */
  prune(now: number): void {
    for (const [name, group] of this.#groups) {
      for (const evidence of [group.removals, group.outdated])
        for (const [address, { takenAt }] of evidence) {
          if (now - takenAt <= EVIDENCE_MS) break;
          evidence.delete(address);
        }
      if (group.empty) this.#groups.delete(name);
    }
  }

  #left(group: StandingGroup, address: string, removal: Removal, now: number): void {
    if (removal.cause !== "vanished") group.remove(address, removal, now);
    else if (group.removals.get(address) === undefined) group.vanished.set(address, removal);
  }

  #group(name: string): StandingGroup {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = new StandingGroup()));
    return group;
  }
}

/**
 * A stream that was put back from a copy says again what had been told before. Sequences alone tell nothing of a stream
 * that was made anew, clocks alone nothing of watchers that differ in them.
 */
const isOlder = (told: Removal, known: Member | Removal | undefined): boolean =>
  known !== undefined && told.sequence < known.sequence && told.observedAt < known.observedAt;
