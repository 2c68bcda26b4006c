import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { TargetConfiguration } from "../configuration.ts";
import type { TargetDesired } from "../desired/desired.ts";
import {
  FirewallError,
  isRetry,
  type Actual,
  type ChildOrigin,
  type Firewall,
  type Identity,
  type Outcome,
  type RetryReason,
  type Step,
} from "../firewall/firewall.ts";
import type { Drift } from "../plan/plan.ts";
import type { TargetPlan } from "../plan/target-plan.ts";
import { appliedLine } from "./applied-line.ts";
import type { ApplyOutcome, ReadOutcome, Work } from "./device.ts";
import type { ChangedSources } from "./clusters.ts";
import type { CallKind, CallResult, Observe } from "./observe.ts";
import type { Memory } from "./memory.ts";
import type { Approval } from "./kept-held.ts";
import { ReadTimes, type ReadTimesOptions } from "./read-times.ts";
import { FileFault } from "./secret-file.ts";
import { TargetGuard } from "./target-guard.ts";
import { recordTarget } from "./target-record.ts";

export interface TargetPorts {
  readonly firewall: Firewall;
  /** Are the files there that it needs? @throws FileFault */
  readonly ready: () => void;
  /** The token file holds another token than the last request carried. */
  readonly hasNewToken: () => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly observe: Pick<Observe, "called" | "exposed" | "drifted">;
  readonly desired: () => TargetDesired;
  /** The device was identified; tells from then on who else has this VDOM by right. */
  readonly claim: (identity: Identity) => () => string | undefined;
  /** Groups that the firewall was read to hold, by what their children were made for. */
  readonly remember: (origins: readonly ChildOrigin[]) => void;
  readonly memory: Pick<Memory, "load" | "save">;
  /** Of this target, not closed yet. */
  readonly approvals: () => readonly Approval[];
  /** What a read found, for commands that show it. */
  readonly onRead?: (actual: Actual) => void;
}

export interface TargetOptions extends Omit<ReadTimesOptions, "random"> {
  readonly target: Pick<TargetConfiguration, "name" | "mode" | "url" | "vdom">;
}

const DRIFTS_SHOWN = 20;

/** One target as its device's loop drives it: its plan, fed with what is desired and what the firewall answers. */
export class TargetWork implements Work {
  readonly target: string;
  readonly mode: TargetConfiguration["mode"];
  readonly plan: TargetPlan;
  /** What waits for a person's word. */
  readonly guard: TargetGuard;
  readonly #ports: TargetPorts;
  readonly #place: TargetOptions["target"];
  /** What is on record of what it holds. */
  #recorded: string | undefined;
  readonly #times: ReadTimes;
  #changed: Set<string> | "all" | undefined = "all";
  #parents: ReadonlySet<string> = new Set();
  #identified = false;
  /** Rises when another unit answers. */
  #unit = 0;
  #read = false;
  #fault: string | undefined;
  #conflict: () => string | undefined = () => undefined;
  #lastSuccess = 0;

  constructor(options: TargetOptions, plan: TargetPlan, ports: TargetPorts) {
    this.target = options.target.name;
    this.mode = options.target.mode;
    this.#place = options.target;
    this.#times = new ReadTimes({ ...options, random: () => ports.random() });
    this.plan = plan;
    this.#ports = ports;
    this.guard = new TargetGuard(this.target, plan, ports);
  }

  recall(signal: AbortSignal): Promise<void> {
    return this.guard.recall(signal);
  }

  /** Puts on record what must be known of it later. Call it once a second. */
  async keep(): Promise<void> {
    await this.guard.keep();
    const holding = this.#read ? this.plan.holding() : undefined;
    const text = JSON.stringify(holding);
    if (holding === undefined || text === this.#recorded) return;
    if (await recordTarget(this.#place, holding, this.#ports)) this.#recorded = text;
  }

  /** Sources changed; looked at when the loop asks for the next step. */
  changed(keys: ChangedSources): void {
    if (keys === "all" || this.#changed === "all") this.#changed = "all";
    else if (this.#changed === undefined) this.#changed = new Set(keys);
    else for (const key of keys) this.#changed.add(key);
  }

  /** Takes in what changed, so that the plan's reports are of now. */
  flush(now: number): void {
    if (this.#changed === undefined) return;
    const changed = this.#changed;
    this.#changed = undefined;
    this.plan.desire(this.#ports.desired(), changed);
    if (this.#read) this.#readForParents(now);
  }

  /** A group that was not asked for may well be there. */
  #readForParents(now: number): void {
    if (this.plan.parents().some((parent) => !this.#parents.has(parent))) this.#times.readFrom(now);
  }

  /** Somebody wants to know what it holds now. */
  readSoon(): void {
    this.#times.readFirst();
  }

  /** Another unit answers: limits may differ, and what it holds too. */
  failedOver(): void {
    this.#unit += 1;
    this.#identified = false;
    this.#times.readFirst();
  }

  tookOver(clean: boolean): void {
    this.failedOver();
    this.guard.forget();
    this.#recorded = undefined;
    // What it held when this process last had it is of yesterday.
    this.#read = false;
    this.plan.tookOver();
    this.#times.tookOver();
    if (!clean) this.suspect();
  }

  suspect(): void {
    this.failedOver();
    this.#times.suspect(this.#ports.clock.monotonic());
  }

  late(now: number): boolean {
    return this.#times.isLate(now);
  }

  /** Why this target, apart from its device, is not written; undefined = nothing is wrong. */
  get fault(): string | undefined {
    return this.#conflict() ?? this.#fault;
  }

  /** It was read at least once, so the plan's reports mean something. */
  get wasRead(): boolean {
    return this.#read;
  }

  /** Milliseconds since 1970 of the last call that went well; 0 = never. */
  get lastSuccess(): number {
    return this.#lastSuccess;
  }

  hasNewToken(): boolean {
    return this.#ports.hasNewToken();
  }

  readDue(now: number): boolean {
    if (this.mode === "paused" || this.#isResting(now)) return false;
    this.flush(now);
    return now >= this.#times.at;
  }

  next(now: number): Step | undefined {
    if (this.mode !== "enforce" || this.#isResting(now)) return undefined;
    this.flush(now);
    return this.#read ? this.plan.next(now) : undefined;
  }

  wakeAt(now: number): number {
    if (this.mode === "paused" || this.#conflict() !== undefined) return Number.POSITIVE_INFINITY;
    const { at, restsUntil } = this.#times;
    if (now < restsUntil) return restsUntil;
    return this.mode === "observe" ? at : Math.min(at, this.plan.wakeAt(now));
  }

  #isResting(now: number): boolean {
    return now < this.#times.restsUntil || this.#conflict() !== undefined;
  }

  async read(signal: AbortSignal): Promise<ReadOutcome> {
    const { clock, firewall, remember, onRead } = this.#ports;
    try {
      this.#ports.ready();
      if (!this.#identified && !(await this.#identify(signal))) return { result: "done" };
      this.flush(clock.monotonic());
      const unit = this.#unit;
      const parents = this.plan.parents();
      const actual = await this.#call("read", () => firewall.read(parents, signal));
      this.#sameUnit(unit);
      const now = clock.monotonic();
      this.#parents = new Set([...parents, ...[...actual.parents.values()].map(({ name }) => name)]);
      this.#drifted(this.plan.read(actual, now));
      remember(this.plan.origins());
      onRead?.(actual);
      this.#read = true;
      this.#times.wasRead(now);
      // News may have been taken in while it was read.
      this.#readForParents(now);
      this.#well();
      return { result: "done" };
    } catch (error) {
      return this.#readFailed(error);
    }
  }

  async apply(step: Step, signal: AbortSignal): Promise<ApplyOutcome> {
    const { clock, firewall, observe } = this.#ports;
    try {
      this.#ports.ready();
    } catch (error) {
      this.#readFailed(error);
      return { result: "unready" };
    }
    if (!(await this.guard.spend(step))) {
      this.#times.unrecorded(clock.monotonic());
      return { result: "unready" };
    }
    const from = clock.monotonic();
    const outcome = await firewall.apply(step, signal);
    const now = clock.monotonic();
    observe.called(this.target, step.kind, resultOf(outcome), now - from);
    this.#took(step, outcome, now, now - from);
    return outcome;
  }

  #took(step: Step, outcome: Outcome, now: number, ms: number): void {
    const { clock, logger, observe } = this.#ports;
    const applied = this.plan.took(step, outcome, now);
    this.guard.settled();
    const wall = clock.now();
    for (const { op, observedAt } of applied) {
      if (observedAt !== undefined) observe.exposed(op, wall - observedAt);
    }
    const line = { target: this.target, ...appliedLine(step, applied, wall), ms: Math.round(ms) };
    switch (outcome.result) {
      case "done":
        logger[outcome.changed || applied.length > 0 ? "info" : "debug"](line, "applied");
        this.#well();
        break;
      case "refused": {
        const { reason, message, blame } = outcome;
        logger.warn({ ...line, refusal: reason, message, blame: blame.slice(0, 20) }, "refused");
        // The device answers, whatever it thinks of this step.
        this.#lastSuccess = wall;
        break;
      }
      default:
        logger.debug({ ...line, retry: outcome.reason, message: outcome.message }, "not applied yet");
        if (isAway(outcome.reason) && outcome.reread) this.#times.unanswered(now);
        if (isAway(outcome.reason)) this.failedOver();
        else if (outcome.reread) this.#times.readFrom(now);
    }
  }

  /** @returns whether the target may go on */
  async #identify(signal: AbortSignal): Promise<boolean> {
    const { firewall, logger, claim } = this.#ports;
    const identity = await this.#call("identity", () => firewall.identity(signal));
    this.#conflict = claim(identity);
    const conflict = this.#conflict();
    if (conflict !== undefined) {
      logger.error({ target: this.target }, conflict);
      return false;
    }
    const unit = this.#unit;
    const limits = await this.#call("limits", () => firewall.limits(signal));
    this.#sameUnit(unit);
    this.plan.device({ identity, limits });
    this.#identified = true;
    const { serial, version, vdom, warnings } = identity;
    logger.info({ target: this.target, serial, version, vdom, limits }, "the firewall is identified");
    for (const warning of warnings) logger.warn({ target: this.target }, warning);
    return true;
  }

  /** @throws FirewallError where some of the answers are one unit's, and some another's */
  #sameUnit(unit: number): void {
    if (unit !== this.#unit) throw new FirewallError("busy", "another unit answered while it was read");
  }

  async #call<T>(kind: CallKind, run: () => Promise<T>): Promise<T> {
    const { clock, observe } = this.#ports;
    const from = clock.monotonic();
    const told = (result: CallResult): void =>
      observe.called(this.target, kind, result, clock.monotonic() - from);
    try {
      const value = await run();
      told("done");
      return value;
    } catch (error) {
      told(error instanceof FirewallError && !isRetry(error.reason) ? "refused" : "retry");
      throw error;
    }
  }

  #well(): void {
    this.#fault = undefined;
    this.#times.answered();
    this.#lastSuccess = this.#ports.clock.now();
  }

  #readFailed(error: unknown): ReadOutcome {
    const { clock, logger } = this.#ports;
    const now = clock.monotonic();
    const message = error instanceof FirewallError ? error.message : describeError(error);
    if (error instanceof FirewallError && isRetry(error.reason)) {
      if (isAway(error.reason)) this.failedOver();
      this.#fault = message;
      return { result: "failed", reason: error.reason, message };
    }
    const isFile = error instanceof FileFault;
    const known = isFile ? error.message : message;
    const waitMs = this.#times.refused(now, isFile);
    if (known !== this.#fault || !isFile) logger.error({ target: this.target, waitMs }, known);
    this.#fault = known;
    return { result: "failed", reason: "refused", message: known };
  }

  #drifted(drifts: readonly Drift[]): void {
    if (drifts.length === 0) return;
    const { observe, logger } = this.#ports;
    observe.drifted(this.target, drifts.length);
    for (const { kind, object, message } of drifts.slice(0, DRIFTS_SHOWN)) {
      logger.warn({ target: this.target, drift: kind, object }, message);
    }
    if (drifts.length > DRIFTS_SHOWN) {
      logger.warn({ target: this.target, count: drifts.length }, "more was changed by others");
    }
  }
}

/** Nothing was heard of the device: when it is back it may be another unit, or an older configuration. */
const isAway = (reason: RetryReason): boolean => reason === "unreachable" || reason === "timeout";

function resultOf(outcome: Outcome): CallResult {
  if (outcome.result !== "done") return outcome.result;
  return outcome.changed ? "done" : "unchanged";
}
