import type { Clock } from "@podgate/shared/runtime/clock";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Outcome, RetryReason, Step } from "../firewall/firewall.ts";

/** One target of a device, as the device's loop drives it. Times are milliseconds of the monotonic clock. */
export interface Work {
  readonly target: string;
  /** A full read is due: at the start, after an unclear outcome, and each drift period. */
  readDue(now: number): boolean;
  /** Reads the target. Never throws for what the device answers. */
  read(signal: AbortSignal): Promise<ReadOutcome>;
  /** The most urgent step there is now. */
  next(now: number): Step | undefined;
  /** Applies it and takes the outcome in. */
  apply(step: Step, signal: AbortSignal): Promise<Outcome>;
  /** When `readDue` or `next` may have something new without a ring. */
  wakeAt(now: number): number;
}

export type ReadOutcome =
  | { readonly result: "done" }
  | { readonly result: "failed"; readonly reason: RetryReason | "refused"; readonly message: string };

export interface Budget {
  /** Milliseconds until a call may go out; 0 = now, and then it is counted. */
  take(now: number): number;
}

export interface DevicePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly budget: Budget;
  readonly backoff: (attempt: number) => number;
}

/**
 * A lockout lasts 60 s by default and each try meanwhile doubles it (`admin-lockout-duration`, FortiOS KB 362817),
 * so after a 401 nothing is sent for longer than that.
 */
const LOCKOUT_MS = 90_000;

/**
 * The loop of one device: one call in flight, whatever its targets want. A change goes out at once when the device
 * is idle; what comes meanwhile is in the next call, because every step is asked for anew. A 401 stops the whole
 * device (the lockout counts per source address); no answer backs off; a refusal is the target's business.
 */
export class Device {
  readonly name: string;
  readonly #work: readonly Work[];
  readonly #ports: DevicePorts;
  readonly #bell = new Doorbell();
  #turn = 0;
  #failures = 0;
  #blockedUntil = 0;
  #blockedBy: string | undefined;

  constructor(name: string, work: readonly Work[], ports: DevicePorts) {
    this.name = name;
    this.#work = work;
    this.#ports = ports;
  }

  /** Something may have changed. */
  ring(): void {
    this.#bell.ring();
  }

  /** Why nothing is sent just now. */
  get blocked(): string | undefined {
    return this.#ports.clock.monotonic() < this.#blockedUntil ? this.#blockedBy : undefined;
  }

  /** Runs until the signal; the call in flight is finished first. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      const now = clock.monotonic();
      const wait = now < this.#blockedUntil ? this.#blockedUntil - now : await this.#one(now);
      if (wait > 0) await this.#bell.wait(wait, clock.timer, signal);
    }
  }

  /** Does one thing. Returns how long to wait before the next; 0 = go on. */
  async #one(now: number): Promise<number> {
    const { budget, clock } = this.#ports;
    const never = new AbortController().signal;
    const reading = this.#pick((work) => (work.readDue(now) ? work : undefined));
    if (reading !== undefined) {
      const outcome = await reading.read(never);
      if (outcome.result === "done") this.#failures = 0;
      else this.#failed(reading.target, outcome.reason, outcome.message);
      return 0;
    }
    if (!this.#work.some((work) => work.next(now) !== undefined)) return this.#idleFor(now);
    const wait = budget.take(now);
    if (wait > 0) return wait;
    const work = this.#pick((each) => (each.next(clock.monotonic()) === undefined ? undefined : each));
    const step = work?.next(clock.monotonic());
    if (work === undefined || step === undefined) return this.#idleFor(now);
    const outcome = await work.apply(step, never);
    if (outcome.result === "retry") this.#failed(work.target, outcome.reason, outcome.message);
    else this.#failures = 0;
    return 0;
  }

  /** Targets of one device take turns. */
  #pick(choose: (work: Work) => Work | undefined): Work | undefined {
    for (let n = 0; n < this.#work.length; n += 1) {
      const work = this.#work[(this.#turn + n) % this.#work.length];
      if (work === undefined || choose(work) === undefined) continue;
      this.#turn = (this.#turn + n + 1) % this.#work.length;
      return work;
    }
    return undefined;
  }

  #idleFor(now: number): number {
    return Math.max(1, Math.min(60_000, ...this.#work.map((work) => work.wakeAt(now) - now)));
  }

  #failed(target: string, reason: RetryReason | "refused", message: string): void {
    const { clock, logger, backoff } = this.#ports;
    // These say something about one object, not about the device: the next step need not wait.
    if (reason === "missing-reference" || reason === "unclear") return;
    this.#failures += 1;
    const wait = reason === "unauthorized" ? LOCKOUT_MS : backoff(this.#failures);
    this.#blockedUntil = clock.monotonic() + wait;
    this.#blockedBy = message;
    logger.warn({ device: this.name, target, reason, waitMs: Math.round(wait) }, message);
  }
}
