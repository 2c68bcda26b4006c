import type { Timeline } from "../timeline.ts";

/** One direction of a connection: what is sent arrives later, in its order. */
export class Link {
  readonly #timeline: Timeline;
  readonly #delay: () => number;
  #last = 0;

  /** @param delay milliseconds on the way, asked for each time */
  constructor(timeline: Timeline, delay: () => number) {
    this.#timeline = timeline;
    this.#delay = delay;
  }

  send(arrive: () => void): void {
    const { now } = this.#timeline;
    const at = Math.max(this.#last, now + this.#delay());
    this.#last = at;
    this.#timeline.after(at - now, arrive);
  }
}
