import type { Family } from "@podgate/shared/contract/address";
import { absenceGuard, unreplaced } from "./absence.ts";
import { isCounted, isSeen, type Candidate, type GroupView } from "./candidate.ts";
import { denyGuard } from "./deny.ts";
import { Gathering } from "./gathering.ts";
import type { GroupHolds, News } from "./group-holds.ts";
import type { Guard } from "./held-set.ts";
import { isEdit, lastMemberGuard } from "./last-member.ts";
import type { Weighed } from "./mass-removal.ts";
import { ofFamily, weigh } from "./weigh.ts";

type Entry = readonly [address: string, candidate: Candidate];

/** One group while its cluster is judged: what is still to be decided. Times: monotonic milliseconds. */
export class OpenGroup {
  readonly view: GroupView;
  readonly #holds: GroupHolds;
  readonly #undecided: Map<string, Candidate>;
  readonly #version: number;
  readonly #now: number;
  readonly #tell: (news: News) => void;

  /** Lets go of what needs nobody's word any more. */
  constructor(view: GroupView, holds: GroupHolds, now: number, tell: (news: News) => void) {
    this.view = view;
    this.#holds = holds;
    this.#version = holds.version;
    this.#now = now;
    this.#tell = tell;
    holds.alone = view.policy.alone;
    holds.settle(view, tell);
    this.#undecided = new Map(
      [...view.leaving].filter(
        ([address, candidate]) =>
          !holds.held.has(address) && !holds.approved.has(address) && !isSeen(candidate),
      ),
    );
  }

  /** Other removals are held, approved or waiting than when it was opened. */
  get isChanged(): boolean {
    return this.#holds.version !== this.#version;
  }

  /** Undecided removals that are weighed by number: of absences only those that `judgeAlone` left. */
  due(): Entry[] {
    return [...this.#undecided].filter(([, candidate]) => isCounted(candidate) || candidate.absent === true);
  }

  /** Undecided removals that wait for more of the same edit. */
  gathered(): string[] {
    return [...this.#undecided].flatMap(([address, candidate]) =>
      Gathering.concerns(candidate) ? [address] : [],
    );
  }

  /** These are not decided yet. */
  wait(addresses: Iterable<string>): void {
    const waiting = new Set(addresses);
    for (const address of waiting) this.#undecided.delete(address);
    this.#holds.wait(waiting);
  }

  hold(entries: Iterable<Entry>, guard: Guard, reason: string): void {
    const { cluster, group } = this.view;
    for (const [address, { cause }] of entries) {
      const item = { cluster, group, address, cause, guard, reason };
      this.#holds.hold(item, this.#now);
      this.#undecided.delete(address);
      this.#tell({ kind: "held", item, why: reason });
    }
  }

  /** What needs no numbers, or only the group's own. */
  judgeAlone(): void {
    const undecided = this.#undecided;
    const all = [...undecided];
    if (this.#holds.whole)
      this.hold(all, "mass-removal", "more of the group was held than could be kept on record");
    for (const entry of all) {
      const [address, candidate] = entry;
      if (!undecided.has(address)) continue;
      if (candidate.shortList !== undefined)
        this.hold([entry], "short-list", `vanished, but ${candidate.shortList}`);
      else {
        const reason = denyGuard(this.view, candidate);
        if (reason !== undefined) this.hold([entry], "deny", reason);
        // The list that lacks it is believed.
        else if (candidate.cause === "vanished" && candidate.absent !== true) undecided.delete(address);
      }
    }
    this.#judgeAbsences();
  }

  /** Those that nobody came for are left to be weighed with what edits take. */
  #judgeAbsences(): void {
    const undecided = this.#undecided;
    const absent = [...undecided].filter(([, { absent: isAbsent }]) => isAbsent === true);
    const addresses = new Set(absent.map(([address]) => address));
    const reason = absenceGuard(this.view, addresses);
    if (reason !== undefined) this.hold(absent, "absence", reason);
    const lost = reason === undefined ? unreplaced(this.view, addresses) : new Set<string>();
    for (const address of addresses) if (!lost.has(address)) undecided.delete(address);
    this.#holds.lose(lost);
  }

  /** An edit that would empty the group, or take much of it. */
  weigh(): void {
    const { view } = this;
    const holds = this.#holds;
    const now = this.#now;
    const edits = [...this.#undecided].filter(([, candidate]) => isEdit(candidate));
    const last = lastMemberGuard(
      view,
      edits.map(([, candidate]) => candidate),
    );
    if (last !== undefined) this.hold(edits, "last-member", last);
    const due = this.due();
    if (due.length === 0) return;
    const { windowMs } = view.policy.mass;
    const weighed = (family: Family): Weighed => {
      const { base, done } = holds.windows[family].look(view.sizes[family], windowMs, now);
      const count = done + ofFamily(due, family) + holds.heldSince(now - windowMs, family);
      return { base, count };
    };
    const reason = weigh(`${view.group} of cluster ${view.cluster}`, view.policy.mass, due, weighed);
    if (reason !== undefined) this.hold(due, "mass-removal", reason);
  }
}
