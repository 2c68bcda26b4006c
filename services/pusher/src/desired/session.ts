import { Digest } from "@podgate/shared/contract/digest";
import type { Event, Owner, RemoveCause } from "@podgate/shared/contract/event";

/** One address in a group, as its cluster's watcher told. */
export interface Member {
  readonly owners: readonly Owner[];
  readonly ownerCount: number;
  /** Milliseconds since 1970 at which the watcher saw the change. */
  readonly observedAt: number;
  readonly sequence: number;
}

/** `adopted`: it was of the cluster's predecessor, and a person approved that another one takes its place. */
export type LeaveCause = RemoveCause | "adopted";

/** Why an address left. */
export interface Removal {
  readonly cause: LeaveCause;
  /** No event tells of it: the set that was verified only lacks it. */
  readonly absent?: true;
  /** Milliseconds since 1970; of an absence, when the address was last told of. */
  readonly observedAt: number;
  readonly sequence: number;
}

interface SessionGroup {
  readonly members: Map<string, Member>;
  readonly removals: Map<string, Removal>;
}

/** The present of one session of the stream: what its messages say, before anything of it is believed. */
export class Session {
  readonly created: string;
  readonly groups = new Map<string, SessionGroup>();
  readonly #digest = new Digest();
  /** Subject → what is wrong with it. A readable message on the subject heals it. */
  readonly #unreadable = new Map<string, string>();
  members = 0;
  caughtUp = false;
  lastSequence = 0;

  constructor(created: string) {
    this.created = created;
  }

  get digest(): string {
    return this.#digest.toString();
  }

  /** The first message that could not be read, in words. */
  get unreadable(): string | undefined {
    return this.#unreadable.values().next().value;
  }

  takeUnreadable(subject: string, fault: string): void {
    this.#unreadable.set(subject, fault);
  }

  readable(subject: string): void {
    this.#unreadable.delete(subject);
  }

  apply(event: Event, sequence: number): void {
    let group = this.groups.get(event.group);
    if (group === undefined)
      this.groups.set(event.group, (group = { members: new Map(), removals: new Map() }));
    const known = group.members.has(event.address);
    if (event.op === "add") {
      group.members.set(event.address, memberOf(event, sequence));
      group.removals.delete(event.address);
      if (known) return;
      this.#digest.add(event.group, event.address);
      this.members += 1;
    } else {
      group.removals.set(event.address, removalOf(event, sequence));
      if (!group.members.delete(event.address)) return;
      this.#digest.remove(event.group, event.address);
      this.members -= 1;
    }
  }
}

export const memberOf = (
  { owners, ownerCount, observedAt }: Extract<Event, { op: "add" }>,
  sequence: number,
): Member => ({ owners, ownerCount, observedAt, sequence });

export const removalOf = (
  { cause, observedAt }: Extract<Event, { op: "remove" }>,
  sequence: number,
): Removal => ({ cause, observedAt, sequence });
