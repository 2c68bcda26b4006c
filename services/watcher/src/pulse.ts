import type { Clock } from "@podgate/shared/runtime/clock";

/** Whether a loop that should go round still does. While it rests, nothing is expected of it. */
export class Pulse {
  readonly #clock: Clock;
  readonly #limitMs: number;
  #last: number | undefined;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  beat(): void {
    this.#last = this.#clock.monotonic();
  }

  rest(): void {
    this.#last = undefined;
  }

  /** Why not, for a probe; undefined = well. */
  check(): string | undefined {
    const stood = this.#last === undefined ? 0 : this.#clock.monotonic() - this.#last;
    return stood > this.#limitMs ? `the loop has been standing for ${Math.round(stood / 1000)} s` : undefined;
  }
}
