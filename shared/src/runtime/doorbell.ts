/** Lets one loop sleep until somebody rings or a time has come. A ring while it is awake is not lost. */
export class Doorbell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring (at once if one came meanwhile), after `ms`, or when the signal is aborted. */
  async wait(
    ms: number,
    timer: (ms: number, run: () => void) => () => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#rung && !signal.aborted && ms > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          cancel();
          signal.removeEventListener("abort", done);
          this.#wake = undefined;
          resolve();
        };
        const cancel = timer(ms, done);
        signal.addEventListener("abort", done, { once: true });
        this.#wake = done;
      });
    }
    this.#rung = false;
  }
}
