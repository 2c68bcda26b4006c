import { pause } from "@podgate/shared/bus/pause";
import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Lease } from "./lease.ts";
import type { LeaseBoard, Sighting } from "./lease-board.ts";
import type { LeaseTurn } from "./observe.ts";

/** What only the holder of a lease does. */
export interface Post {
  /** In logs: `device`, with its name. */
  readonly fields: Readonly<Record<string, string>>;
  /** @param clean nothing that its last holder sent may still be done */
  begin(clean: boolean): void;
  /** Until `signal`: then what is in flight is finished. Until `lost`: then it is broken off. */
  run(signal: AbortSignal, lost: AbortSignal): Promise<void>;
  /** Still held: the last thing to say before another one has it. @returns whether it leaves `clean` */
  end(): Promise<boolean>;
}

export interface TenurePorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly board: LeaseBoard;
  /** Milliseconds that a free one is left to others; 0 = it may be taken. Asked just before each try. */
  readonly patience: (freeMs: number) => number;
  /** A try failed: somebody else was quicker. */
  readonly missed: () => void;
  /** It is held from now on, or not any more. */
  readonly turned: (turn: LeaseTurn) => void;
}

/** A try that failed is not repeated sooner, */
const RETRY_MS = 250;
/** and what is not told by the watch is looked at after this long. */
const LOOK_MS = 5000;

/** Takes one lease whenever its turn comes, does its work while it is held, and gives it back in order. */
export class Tenure {
  readonly lease: Lease;
  readonly #post: Post;
  readonly #ports: TenurePorts;
  readonly #bell = new Doorbell();
  #freeSince: number | undefined;
  #ending = new AbortController();
  #state: "waiting" | "trying" | "serving" = "waiting";

  constructor(lease: Lease, post: Post, ports: TenurePorts) {
    this.lease = lease;
    this.#post = post;
    this.#ports = ports;
  }

  /** It has the lease, or is about to. */
  get active(): boolean {
    return this.#state !== "waiting";
  }

  /** Its work runs. */
  get serving(): boolean {
    return this.#state === "serving";
  }

  /** Gives it back, in order, for another replica. */
  handOver(): void {
    if (this.serving) this.#ending.abort();
  }

  /** Whether it is still taken, with another wait, may have changed. */
  ring(): void {
    this.#bell.ring();
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#ports.board.onChange((key) => {
      if (key === this.lease.key) this.ring();
    });
    try {
      while (!signal.aborted) {
        const before = await this.#acquire(signal);
        if (before !== undefined) await this.#serve(before.entry?.clean === true, signal);
        this.#state = "waiting";
      }
    } finally {
      stop();
    }
  }

  /** @returns what was there before */
  async #acquire(signal: AbortSignal): Promise<Sighting | undefined> {
    const { bus, clock, board } = this.#ports;
    let failure: string | undefined;
    while (!signal.aborted) {
      try {
        const seen = board.seen(this.lease.key) ?? (await this.lease.look());
        failure = undefined;
        const wait = this.#wait(seen, clock.monotonic());
        if (wait > 0) {
          await this.#bell.wait(Math.min(wait, LOOK_MS), (ms, run) => clock.timer(ms, run), signal);
          continue;
        }
        this.#state = "trying";
        if (await this.lease.take(seen)) return seen;
      } catch (error) {
        const reason = describeError(error);
        if (failure !== reason)
          this.#ports.logger.debug({ ...this.#post.fields, reason }, "the lease cannot be read");
        failure = reason;
      }
      if (this.active) {
        this.#state = "waiting";
        this.#ports.missed();
      }
      await pause(bus, clock, RETRY_MS, signal);
    }
    return undefined;
  }

  /** Milliseconds until it may be tried. */
  #wait(seen: Sighting, now: number): number {
    const { board, patience } = this.#ports;
    const isOwn = seen.entry?.holder === this.lease.identity;
    const left = isOwn ? 0 : board.left(seen, now);
    if (left > 0) {
      this.#freeSince = undefined;
      return left;
    }
    this.#freeSince ??= now;
    return patience(now - this.#freeSince);
  }

  async #serve(clean: boolean, signal: AbortSignal): Promise<void> {
    const { logger, clock, turned } = this.#ports;
    const { fields } = this.#post;
    this.#state = "serving";
    this.#freeSince = undefined;
    this.#ending = new AbortController();
    const finished = new AbortController();
    const lost = new AbortController();
    turned("acquired");
    logger.info({ ...fields, holder: this.lease.identity }, "the lease is held from now on");
    this.#post.begin(clean);
    const keeping = this.#keep(finished.signal, lost);
    try {
      await this.#post.run(AbortSignal.any([signal, this.#ending.signal, lost.signal]), lost.signal);
      const isClean = this.lease.held && (await this.#post.end());
      finished.abort();
      await keeping;
      if (this.lease.held) {
        await this.lease.release(isClean);
        turned("released");
        logger.info(fields, "the lease is given back");
        this.#freeSince = clock.monotonic();
        return;
      }
      turned("lost");
      logger.warn(fields, "the lease was lost: nothing is sent any more until it is held again");
    } finally {
      finished.abort();
      await keeping;
    }
  }

  async #keep(finished: AbortSignal, lost: AbortController): Promise<void> {
    await this.lease.keep(finished);
    if (!finished.aborted) lost.abort();
  }
}
