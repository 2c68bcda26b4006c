import { encodeToken } from "@podgate/shared/contract/subjects";
import type { Clock } from "@podgate/shared/runtime/clock";
import { z } from "zod";
import type { Memory } from "./memory.ts";

/**
 * A device that was given a wrong token shuts its source address out for 60 s by default, and each further lockout
 * of an API user lasts twice as long (`admin-lockout-duration`, FortiOS KB 362817). While it lasts, a right token
 * is refused, too. So after a 401 nothing is sent for longer than that, and longer again after the next.
 */
const FIRST_MS = 90_000;
const LONGEST_MS = 360_000;

const entrySchema = z.object({
  v: z.literal(1),
  /** Milliseconds since 1970. */
  blockedUntil: z.number().nonnegative(),
  /** How often in a row it was refused; 0 = not now. */
  refusals: z.int().nonnegative(),
  reason: z.string(),
});

export interface LockoutOptions {
  readonly device: string;
  readonly memory: Pick<Memory, "load" | "save">;
  readonly clock: Clock;
}

/** Keeps a device from being asked again too early after it refused the token; outlives the process. */
export class Lockout {
  readonly #options: LockoutOptions;
  readonly #key: string;
  /** Of the monotonic clock. */
  #until = Number.NEGATIVE_INFINITY;
  /** The same moment in milliseconds since 1970. */
  #untilDate = 0;
  #refusals = 0;
  #reason = "";
  #saved = true;
  /** The silence that was interrupted would have lasted until then. Of the monotonic clock, as the next one. */
  #resumed = Number.NEGATIVE_INFINITY;
  #interruptAt = Number.NEGATIVE_INFINITY;

  constructor(options: LockoutOptions) {
    this.#options = options;
    this.#key = `device.${encodeToken(options.device)}`;
  }

  /** To be awaited before the first call, and whenever another process may have called the device since. */
  async load(signal: AbortSignal): Promise<void> {
    const { memory, clock } = this.#options;
    const entry = await memory.load(this.#key, entrySchema, signal);
    // What could not be saved is this process's own experience, and newer than what is stored.
    if (signal.aborted || !this.#saved) return;
    this.#refusals = 0;
    this.#until = Number.NEGATIVE_INFINITY;
    this.#resumed = Number.NEGATIVE_INFINITY;
    if (entry === undefined || entry.refusals === 0) return;
    // The wall clock may have been set meanwhile.
    const left = Math.min(LONGEST_MS, entry.blockedUntil - clock.now());
    this.#until = clock.monotonic() + left;
    this.#untilDate = clock.now() + left;
    this.#refusals = entry.refusals;
    this.#reason = entry.reason;
  }

  /** Milliseconds until the device may be asked again. */
  left(now: number): number {
    return Math.max(0, this.#until - now);
  }

  get reason(): string {
    return this.#reason;
  }

  /** Until when nothing is sent, for people: a moment, because a count of seconds would be another text each second. */
  get words(): string {
    const moment = new Date(this.#untilDate).toISOString().replace(/\.\d+Z$/, "Z");
    return `nothing is sent until ${moment}, lest the device locks us out`;
  }

  /**
   * Ends the silence for one attempt with another token than the refused one. The device counts wrong tokens whatever
   * they are, three within 60 s by default: so there is one such attempt in any 90 s, and silence after it.
   * @returns whether it may be made now
   */
  interrupt(): boolean {
    const now = this.#options.clock.monotonic();
    if (this.left(now) === 0) return true;
    if (now < this.#interruptAt) return false;
    this.#interruptAt = now + FIRST_MS;
    this.#resumed = this.#until;
    this.#until = Number.NEGATIVE_INFINITY;
    return true;
  }

  /** The device refused the token. @returns milliseconds of silence */
  async refused(reason: string): Promise<number> {
    const { clock } = this.#options;
    const early = this.#resumed - clock.monotonic();
    let wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#refusals);
    if (early > 0) wait = Math.max(FIRST_MS, early);
    else this.#refusals += 1;
    this.#resumed = Number.NEGATIVE_INFINITY;
    this.#until = clock.monotonic() + wait;
    this.#untilDate = clock.now() + wait;
    this.#reason = reason;
    this.#saved = false;
    await this.save();
    return wait;
  }

  /** The device took the token. */
  async accepted(): Promise<void> {
    if (this.#refusals === 0) return;
    this.#refusals = 0;
    this.#resumed = Number.NEGATIVE_INFINITY;
    this.#reason = "";
    this.#saved = false;
    await this.save();
  }

  /** Writes what could not be written before; nothing to do = nothing done. */
  async save(): Promise<void> {
    if (this.#saved) return;
    const { memory, clock } = this.#options;
    const now = clock.monotonic();
    const left = Math.max(this.left(now), this.#resumed - now);
    const blockedUntil = Math.max(0, Math.round(clock.now() + left));
    const entry = { v: 1, blockedUntil, refusals: this.#refusals, reason: this.#reason };
    this.#saved = await memory.save(this.#key, entry);
  }
}
