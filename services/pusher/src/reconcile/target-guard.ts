import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Step } from "../firewall/firewall.ts";
import { NOTHING_KEPT } from "../plan/guards/guards.ts";
import type { News } from "../plan/guards/group-holds.ts";
import { shortHash } from "../plan/guards/held-set.ts";
import type { TargetPlan } from "../plan/target-plan.ts";
import {
  approvalKey,
  holdsOf,
  keptHeldKey,
  keptHeldSchema,
  pack,
  unpack,
  type Approval,
  type KeptHeld,
} from "./kept-held.ts";
import { keptSpentKey, keptSpentOf, keptSpentSchema, spentOf } from "./kept-spent.ts";
import type { Memory } from "./memory.ts";

export interface TargetGuardPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memory: Pick<Memory, "load" | "save">;
  /** Of this target, not closed yet. */
  readonly approvals: () => readonly Approval[];
}

/** An approval that is not used up by then counts no more. */
const UNUSED_MS = 86_400_000;
const SAVE_MS = 1000;
/** What is held is put on record again this often. */
const AGAIN_MS = 30_000;
const NAMED = 20;

/** What a person must decide about one target: kept over restarts, told in the log, and let go when it is approved. */
export class TargetGuard {
  readonly #target: string;
  readonly #plan: TargetPlan;
  readonly #ports: TargetGuardPorts;
  #recalled = false;
  #kept: KeptHeld | undefined;
  #keptVersion = -1;
  #keptAt = Number.NEGATIVE_INFINITY;
  /** Of the plan, as it is on record. */
  #spentVersion = -1;
  /** It is under way, and on record. */
  #sent: Step | undefined;
  /** Approvals that were taken in. The same set can be held, and approved, more than once. */
  readonly #taken = new Set<string>();

  constructor(target: string, plan: TargetPlan, ports: TargetGuardPorts) {
    this.#target = target;
    this.#plan = plan;
    this.#ports = ports;
  }

  /** Another process may have decided meanwhile. */
  forget(): void {
    this.#recalled = false;
  }

  /** Reads what was held before. Nothing of the target may be done before. */
  async recall(signal: AbortSignal): Promise<void> {
    if (this.#recalled) return;
    const { memory, clock } = this.#ports;
    const kept = await memory.load(keptHeldKey(this.#target), keptHeldSchema, signal);
    const spent = await memory.load(keptSpentKey(this.#target), keptSpentSchema, signal);
    if (signal.aborted) return;
    this.#recalled = true;
    this.#kept = kept;
    this.#taken.clear();
    const wall = clock.now();
    const holds = kept === undefined ? NOTHING_KEPT : holdsOf(kept, wall);
    this.#plan.restore(
      { ...holds, spent: spent === undefined ? [] : spentOf(spent, wall) },
      clock.monotonic(),
    );
    this.#keptVersion = this.#plan.heldVersion;
    this.#spentVersion = this.#plan.spentVersion;
    this.#sent = undefined;
    this.take();
  }

  /**
   * Puts on record what the guards let go of a step, before it is sent: whoever comes after a crash knows of it, and the
   * window that it counts in is the same one. Call `settled` when it is known what became of the step.
   * @returns whether it is on record; false = it must not be sent now
   */
  async spend(step: Step): Promise<boolean> {
    if (!this.#plan.isWeighed(step, this.#ports.clock.monotonic())) return true;
    this.#sent = step;
    // Should nothing come of it, the record is to say so.
    this.#spentVersion = -1;
    return this.#saveSpent();
  }

  settled(): void {
    this.#sent = undefined;
  }

  /** Takes in what was approved since. */
  take(): void {
    if (!this.#recalled) return;
    const { clock, logger, approvals } = this.#ports;
    for (const approval of approvals()) {
      const { hash, by, at } = approval;
      if (this.#taken.has(idOf(approval)) || clock.now() - at > UNUSED_MS) continue;
      this.#taken.add(idOf(approval));
      const count = this.#plan.approve(unpack(approval) ?? [], hash);
      logger.info(
        { target: this.#target, approval: shortHash(hash), by, count },
        count > 0 ? "approved: held removals go on" : "an approval finds nothing held any more",
      );
    }
  }

  /** Keeps what is held, closes approvals, and tells what is new. Call it once a second. */
  async keep(): Promise<void> {
    if (!this.#recalled) return;
    this.#tell();
    await this.#keepSpent();
    const now = this.#ports.clock.monotonic();
    if (now - this.#keptAt < SAVE_MS) return;
    await this.#close();
    // The bucket may have been lost: what is held and not on record nobody could approve.
    const isOld = this.#plan.heldSet().hash !== "" && now - this.#keptAt >= AGAIN_MS;
    if (this.#plan.heldVersion === this.#keptVersion && !isOld) return;
    this.#keptAt = now;
    await this.#save(isOld);
  }

  async #keepSpent(): Promise<void> {
    const { spentVersion } = this.#plan;
    // What is under way is on record.
    if (this.#sent !== undefined || spentVersion === this.#spentVersion) return;
    if (await this.#saveSpent()) this.#spentVersion = spentVersion;
  }

  #saveSpent(): Promise<boolean> {
    const { memory, clock } = this.#ports;
    const spent = this.#plan.spent(clock.monotonic(), this.#sent);
    return memory.save(keptSpentKey(this.#target), keptSpentOf(spent, clock.now()));
  }

  async #save(again: boolean): Promise<void> {
    const { memory, clock } = this.#ports;
    const version = this.#plan.heldVersion;
    const { items, hash } = this.#plan.heldSet();
    const since = hash === this.#kept?.hash ? this.#kept.since : Math.round(clock.now());
    const kept: KeptHeld = { v: 1, hash, since, ...pack([...items, ...this.#plan.approved()]) };
    const isSame = JSON.stringify(kept) === JSON.stringify(this.#kept ?? EMPTY(since));
    if ((again || !isSame) && !(await memory.save(keptHeldKey(this.#target), kept))) return;
    if (kept.groups.length > 0 && kept.addresses === undefined)
      this.#ports.logger.error(
        { target: this.#target, count: items.length },
        "more is held than can be kept by address: after a restart all that leaves these groups unseen is held",
      );
    this.#kept = kept;
    this.#keptVersion = version;
  }

  /** Approvals that nothing is left of, or that were not used in time. */
  async #close(): Promise<void> {
    const { clock, logger, approvals, memory } = this.#ports;
    const open = approvals();
    if (open.length === 0) return;
    const wall = Math.round(clock.now());
    const used = new Set(this.#plan.approved().map(({ approval }) => approval));
    for (const approval of open) {
      const { hash, at } = approval;
      const isLate = wall - at > UNUSED_MS;
      if (!isLate && (used.has(hash) || !this.#taken.has(idOf(approval)))) continue;
      const revoked = isLate ? this.#plan.revoke(hash) : 0;
      const how = isLate ? "expired" : "done";
      const closed = { how, at: wall } as const;
      // What went is in the log; who approved it, and how many, stays.
      const { addresses: _, ...rest } = approval;
      if (!(await memory.save(approvalKey(this.#target, hash), { ...rest, closed }))) continue;
      logger.info(
        { target: this.#target, approval: shortHash(hash), ...(isLate && { revoked }) },
        `an approval is ${how}`,
      );
    }
  }

  #tell(): void {
    const news = this.#plan.takeNews();
    if (news.length === 0) return;
    const { logger } = this.#ports;
    const { hash } = this.#plan.heldSet();
    for (const same of Map.groupBy(news, keyOf).values()) {
      const [first] = same;
      if (first === undefined) continue;
      const { kind, why, item } = first;
      const { cluster, group, guard } = item;
      const line = {
        target: this.#target,
        cluster,
        group,
        guard,
        count: same.length,
        addresses: same.slice(0, NAMED).map((each) => each.item.address),
        reason: why,
      };
      if (kind === "released") logger.info(line, "no longer held");
      else logger.warn({ ...line, approve: shortHash(hash) }, "held until it is approved");
    }
  }
}

const idOf = ({ hash, at }: Approval): string => `${hash} ${at}`;

const EMPTY = (since: number): KeptHeld => ({ v: 1, hash: "", since, ...pack([]) });

const keyOf = ({ kind, why, item: { cluster, group, guard } }: News): string =>
  JSON.stringify([kind, cluster, group, guard, why]);
