import type { Bus } from "@podgate/shared/bus/bus";
import { BusError, type Entry } from "@podgate/shared/bus/bus";
import { pause } from "@podgate/shared/bus/pause";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { LeaseBoard, Sighting } from "./lease-board.ts";
import { buildLease, parseLease, type DeviceWord } from "./lease-entry.ts";

export interface LeasePorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly board: LeaseBoard;
}

export interface LeaseOptions {
  readonly key: string;
  /** Of this process, and of no other that ever was. */
  readonly identity: string;
  readonly seconds: number;
  /** What the holder says with each renewal. */
  readonly word?: () => DeviceWord;
}

/**
 * The right to be the one who does something, as long as it is renewed: one entry of the KV bucket `podgate-pusher`,
 * taken and renewed by compare-and-set. It is over a whole lease after the last renewal that succeeded was *sent*;
 * others count from when they saw it, which is later.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #ports: LeasePorts;
  #revision = 0;
  #heldUntil = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseOptions, ports: LeasePorts) {
    this.#options = options;
    this.#ports = ports;
  }

  get key(): string {
    return this.#options.key;
  }

  get identity(): string {
    return this.#options.identity;
  }

  /** Asked before everything that only the holder may do: a process that was paused learns nothing otherwise. */
  get held(): boolean {
    return this.left > 0;
  }

  /** Milliseconds. */
  get left(): number {
    return Math.max(0, this.#heldUntil - this.#ports.clock.monotonic());
  }

  /** Asks for the entry. @throws BusError */
  async look(): Promise<Sighting> {
    return this.#ports.board.saw(this.key, await this.#get());
  }

  /** Tries once to take what was seen. @returns whether it is held now */
  async take(seen: Sighting): Promise<boolean> {
    const sent = this.#ports.clock.monotonic();
    this.#revision = seen.revision;
    try {
      await this.#write(sent, this.#options.identity);
    } catch (error) {
      if (isRefused(error)) await this.look().catch(() => undefined);
      else if (error instanceof BusError && error.kind === "unknown") await this.#adopt(sent, seen);
    }
    return this.held;
  }

  /** Renews it until it is over or the signal ends that. */
  async keep(signal: AbortSignal): Promise<void> {
    const { bus, clock } = this.#ports;
    const renewMs = (this.#options.seconds * 1000) / 3;
    let wait = renewMs;
    while (this.held && !signal.aborted) {
      await pause(bus, clock, Math.min(wait, this.left), signal);
      if (!this.held || signal.aborted) return;
      wait = (await this.#renew(Math.min(renewMs, this.left))) ? renewMs : renewMs / 4;
    }
  }

  /** Its word changed: the others hear it at once. */
  say(): void {
    if (this.held) void this.#renewOnce();
  }

  /**
   * Gives it back, so that somebody else has it at once.
   * @param clean nothing that was sent may still be done
   */
  async release(clean: boolean): Promise<void> {
    if (!this.held) return;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        await this.#write(undefined, "", clean);
        break;
      } catch (error) {
        // A renewal whose answer did not come may have been stored.
        if (!isRefused(error) || !(await this.#isOurs().catch(() => false))) break;
      }
    }
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    // The answer to a renewal may still come: it is nobody's.
    this.#revision = 0;
  }

  /** @returns whether it was */
  async #renew(ms: number): Promise<boolean> {
    const { clock } = this.#ports;
    const late = Promise.withResolvers<undefined>();
    const cancel = clock.timer(ms, () => late.resolve(undefined));
    // An answer that comes later counts for nothing: the next renewal finds out what was stored.
    const renewed = await Promise.race([this.#renewOnce(), late.promise]);
    cancel();
    return renewed === true;
  }

  async #renewOnce(): Promise<boolean> {
    // Once more when an earlier write of ours, whose answer did not come, was stored after all.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const sent = this.#ports.clock.monotonic();
      try {
        await this.#write(sent, this.#options.identity);
        return true;
      } catch (error) {
        if (!isRefused(error)) return false;
      }
      // Where nobody knows, the lease runs on to its end.
      const isOurs = await this.#isOurs().catch(() => undefined);
      if (isOurs === undefined) return false;
      if (!isOurs) {
        this.#heldUntil = Number.NEGATIVE_INFINITY;
        return false;
      }
    }
    return false;
  }

  /** Whether nobody else has it; then the next write expects what is stored. @throws BusError */
  async #isOurs(): Promise<boolean> {
    const found = await this.#get();
    this.#ports.board.saw(this.key, found);
    // Gone with its bucket: the lease still runs, and is written anew.
    const isOurs =
      found === undefined ? this.held : parseLease(found.value)?.holder === this.#options.identity;
    if (isOurs) this.#revision = found?.revision ?? 0;
    return isOurs;
  }

  async #get(): Promise<Entry | undefined> {
    return (await this.#ports.board.bucket()).get(this.key);
  }

  /** No answer came: it counts where it is found stored. An entry of ours that was there before proves nothing. */
  async #adopt(sent: number, before: Sighting): Promise<void> {
    const isOurs = await this.#isOurs().catch(() => false);
    if (isOurs && this.#revision !== before.revision) this.#heldUntil = sent + this.#options.seconds * 1000;
  }

  async #write(sent: number | undefined, holder: string, clean = false): Promise<void> {
    const bucket = await this.#ports.board.bucket();
    const { seconds } = this.#options;
    const word = holder === "" ? undefined : this.#options.word?.();
    const value = buildLease({ holder, seconds, clean, ...(word && { word }) });
    const expected = this.#revision;
    const revision =
      expected === 0 ? await bucket.create(this.key, value) : await bucket.update(this.key, value, expected);
    // A later write may have overtaken it.
    if (this.#revision !== expected) return;
    this.#revision = revision;
    if (sent !== undefined) this.#heldUntil = sent + this.#options.seconds * 1000;
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof BusError && error.kind === "wrong-last-sequence";
