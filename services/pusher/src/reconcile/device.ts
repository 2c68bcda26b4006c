import type { Clock } from "@podgate/shared/runtime/clock";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Outcome, RetryReason, Step } from "../firewall/firewall.ts";
import type { Budget } from "./budget.ts";
import type { Lockout } from "./lockout.ts";

/** One target of a device, as the device's loop drives it. Times are milliseconds of the monotonic clock. */
export interface Work {
  readonly target: string;
  /** Reads what must be known before anything is done; nothing is, where the signal ended it. */
  recall(signal: AbortSignal): Promise<void>;
  /** A full read is due: at the start, after an unclear outcome, and each drift period. */
  readDue(now: number): boolean;
  /** Reads the target. Never throws for what the device answers. */
  read(signal: AbortSignal): Promise<ReadOutcome>;
  /** The most urgent step there is now. */
  next(now: number): Step | undefined;
  /** Applies it and takes the outcome in. */
  apply(step: Step, signal: AbortSignal): Promise<ApplyOutcome>;
  /** When `readDue` or `next` may have something new without a ring. */
  wakeAt(now: number): number;
  /**
   * This process writes it from now on: it is read before anything else.
   * @param clean nothing that was sent before may still be done
   */
  tookOver(clean: boolean): void;
  /** What somebody else sent may still be done, or was done just now: it is read now, and again and again for a while. */
  suspect(): void;
  /** Something that was sent without an answer may still be done. */
  late(now: number): boolean;
  /** Its token file holds another token than the last request carried. */
  hasNewToken(): boolean;
}

/** `unready`: nothing was sent, a file is missing. */
export type ApplyOutcome = Outcome | { readonly result: "unready" };

/** `refused`: the target's own business, it says itself when it wants to be read again. */
export type ReadOutcome =
  | { readonly result: "done" }
  | { readonly result: "failed"; readonly reason: RetryReason | "refused"; readonly message: string };

export interface DevicePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly budget: Budget;
  readonly lockout: Pick<
    Lockout,
    "load" | "left" | "interrupt" | "reason" | "refused" | "accepted" | "save" | "words"
  >;
  /** Milliseconds before try number `attempt` (0 = the first retry). */
  readonly backoff: (attempt: number) => number;
}

interface Rest {
  readonly ms: number;
  /** News wait too: nothing may be sent. */
  readonly deaf: boolean;
}

const GO_ON: Rest = { ms: 0, deaf: false };
/** So often what could not be saved is tried again, and the loop shows that it lives. */
const LONGEST_REST_MS = 5000;
/** At the end, a call in flight is broken off after this long. */
const FINISH_MS = 15_000;
/** Outcomes that say something about one object, not about the device, may come so often in a row. */
const ODD_OUTCOMES = 3;

/**
 * The loop of one device: one call in flight, whatever its targets want. A change goes out at once when the device
 * is idle; what comes meanwhile is in the next call, because every step is asked for anew. A refused token stops
 * the whole device (the lockout counts per source address); no answer backs off; a refusal is the target's business.
 */
export class Device {
  readonly name: string;
  readonly #work: readonly Work[];
  readonly #ports: DevicePorts;
  readonly #bell = new Doorbell();
  #turn = 0;
  #failures = 0;
  #waitUntil = Number.NEGATIVE_INFINITY;
  #trouble: string | undefined;
  /** Whose token this process saw refused. */
  #refused: Work | undefined;
  #aliveAt: number;
  #running = false;

  constructor(name: string, work: readonly Work[], ports: DevicePorts) {
    this.name = name;
    this.#work = work;
    this.#ports = ports;
    this.#aliveAt = ports.clock.monotonic();
  }

  /** Something may have changed. */
  ring(): void {
    this.#bell.ring();
  }

  /** The token is refused: milliseconds until it is tried again, and why; undefined = it is not. */
  get blocked(): { readonly ms: number; readonly reason: string } | undefined {
    const { lockout, clock } = this.#ports;
    const ms = lockout.left(clock.monotonic());
    return ms > 0 ? { ms, reason: lockout.reason } : undefined;
  }

  /** What keeps the device from being written just now, in words. */
  get trouble(): string | undefined {
    const { blocked } = this;
    return blocked === undefined ? this.#trouble : `${blocked.reason}; ${this.#ports.lockout.words}`;
  }

  /** When the loop last came around, monotonic milliseconds; one that does not run stands for nothing. */
  get aliveAt(): number {
    return this.#running ? this.#aliveAt : this.#ports.clock.monotonic();
  }

  /** This process is the one that writes the device. @param clean nothing that was sent before may still be done */
  tookOver(clean: boolean): void {
    this.#failures = 0;
    this.#waitUntil = Number.NEGATIVE_INFINITY;
    this.#trouble = undefined;
    this.#refused = undefined;
    for (const work of this.#work) work.tookOver(clean);
    this.ring();
  }

  /** Somebody who does not hold the device any more may have written it. */
  suspect(): void {
    for (const work of this.#work) work.suspect();
    this.ring();
  }

  /**
   * Runs until the signal; the call in flight is finished first.
   * @param lost breaks off the call in flight as well
   * @returns whether nothing that was sent may still be done
   */
  async run(signal: AbortSignal, lost?: AbortSignal): Promise<boolean> {
    const { clock } = this.#ports;
    const calls = new AbortController();
    let cancel: (() => void) | undefined;
    const stop = (): void => void (cancel = clock.timer(FINISH_MS, () => calls.abort()));
    const breakOff = (): void => calls.abort();
    const ended = AbortSignal.any(lost === undefined ? [signal] : [signal, lost]);
    ended.addEventListener("abort", stop, { once: true });
    lost?.addEventListener("abort", breakOff, { once: true });
    this.#running = true;
    this.#aliveAt = clock.monotonic();
    try {
      await this.#loop(ended, calls.signal);
    } finally {
      this.#running = false;
      ended.removeEventListener("abort", stop);
      lost?.removeEventListener("abort", breakOff);
      cancel?.();
    }
    const now = clock.monotonic();
    return !calls.signal.aborted && !this.#work.some((work) => work.late(now));
  }

  async #loop(signal: AbortSignal, calls: AbortSignal): Promise<void> {
    const { clock, lockout } = this.#ports;
    await lockout.load(signal);
    await Promise.all(this.#work.map((work) => work.recall(signal)));
    while (!signal.aborted) {
      const now = clock.monotonic();
      this.#aliveAt = now;
      await lockout.save();
      this.#tryNewToken(now);
      const blocked = Math.max(lockout.left(now), this.#waitUntil - now);
      const rest = blocked > 0 ? { ms: blocked, deaf: true } : await this.#one(now, calls);
      const ms = Math.min(rest.ms, LONGEST_REST_MS);
      if (ms <= 0) continue;
      if (rest.deaf) await clock.sleep(ms, signal).catch(() => undefined);
      else await this.#bell.wait(ms, (wait, run) => clock.timer(wait, run), signal);
    }
  }

  /** A token that was refused may have been replaced: the one that is there now is worth an attempt at once. */
  #tryNewToken(now: number): void {
    const { lockout, logger } = this.#ports;
    const work = this.#refused;
    if (work === undefined || lockout.left(now) === 0 || !work.hasNewToken() || !lockout.interrupt()) return;
    this.#turn = this.#work.indexOf(work);
    logger.info(
      { device: this.name, target: work.target },
      "the token file holds another token: it is tried now",
    );
  }

  /** Does one thing. @returns how long to wait before the next */
  async #one(now: number, calls: AbortSignal): Promise<Rest> {
    const { budget } = this.#ports;
    const reading = this.#pick((work) => work.readDue(now));
    if (reading !== undefined) {
      const outcome = await reading.read(calls);
      if (outcome.result === "done") await this.#well();
      else await this.#failed(reading, outcome.reason, outcome.message);
      return GO_ON;
    }
    if (!this.#work.some((work) => work.next(now) !== undefined)) {
      return { ms: Math.max(1, Math.min(...this.#work.map((work) => work.wakeAt(now) - now))), deaf: false };
    }
    const wait = budget.take(now);
    if (wait > 0) return { ms: wait, deaf: true };
    const work = this.#pick((each) => each.next(now) !== undefined);
    const step = work?.next(now);
    if (work === undefined || step === undefined) return GO_ON;
    const outcome = await work.apply(step, calls);
    if (outcome.result === "retry") await this.#failed(work, outcome.reason, outcome.message);
    else if (outcome.result !== "unready") await this.#well();
    return GO_ON;
  }

  /** Targets of one device take turns. */
  #pick(wants: (work: Work) => boolean): Work | undefined {
    for (let n = 0; n < this.#work.length; n += 1) {
      const at = (this.#turn + n) % this.#work.length;
      const work = this.#work[at];
      if (work === undefined || !wants(work)) continue;
      this.#turn = (at + 1) % this.#work.length;
      return work;
    }
    return undefined;
  }

  async #well(): Promise<void> {
    this.#failures = 0;
    this.#trouble = undefined;
    this.#refused = undefined;
    await this.#ports.lockout.accepted();
  }

  async #failed(work: Work, reason: RetryReason | "refused", message: string): Promise<void> {
    const { clock, logger, backoff, lockout } = this.#ports;
    const { target } = work;
    if (reason === "refused") return;
    this.#failures += 1;
    const odd = reason === "missing-reference" || reason === "unclear";
    if (odd && this.#failures < ODD_OUTCOMES) return;
    this.#trouble = message;
    if (reason === "unauthorized") {
      this.#refused = work;
      const waitMs = await lockout.refused(message);
      logger.error({ device: this.name, target, reason, waitMs }, `${message}; the device is left alone`);
      return;
    }
    const waitMs = Math.round(backoff(this.#failures - 1));
    this.#waitUntil = clock.monotonic() + waitMs;
    logger.warn({ device: this.name, target, reason, waitMs }, message);
  }
}
