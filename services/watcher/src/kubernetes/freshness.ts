import type { Clock } from "@podgate/shared/runtime/clock";

/** Between one watch and the next nothing is seen; longer than this is blindness. */
const GAP_MS = 2000;

/** Whether a reflector sees what happens. It stays so over the moment from one watch to the next. */
export class Freshness {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #fresh = false;
  #endGap: (() => void) | undefined;

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get fresh(): boolean {
    return this.#fresh;
  }

  sees(): void {
    this.stop();
    this.#set(true);
  }

  /** Blind soon, unless it sees again before. */
  pauses(): void {
    if (!this.#fresh) return;
    this.#endGap ??= this.#clock.timer(GAP_MS, () => {
      this.#endGap = undefined;
      this.#set(false);
    });
  }

  isBlind(): void {
    this.stop();
    this.#set(false);
  }

  stop(): void {
    this.#endGap?.();
    this.#endGap = undefined;
  }

  #set(fresh: boolean): void {
    if (this.#fresh === fresh) return;
    this.#fresh = fresh;
    this.#onChange();
  }
}
