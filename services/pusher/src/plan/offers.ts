import type { Step } from "../firewall/firewall.ts";
import { Turns, type Turn } from "./turns.ts";
import type { Choice } from "./urgency.ts";

interface Offer {
  readonly choice: Choice | undefined;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/** The step that was chosen stays chosen until some time is over or there is news; who is served has had its turn. */
export class Offers {
  readonly turns = new Turns();
  #offer: Offer | undefined;
  /** Whose turn an offered step takes, also when news came while it was applied. */
  readonly #turnOf = new WeakMap<Step, Turn>();

  /** @param wake until when the choice holds, asked after it was made */
  step(now: number, choose: () => Choice | undefined, wake: () => number): Step | undefined {
    if (this.#offer === undefined || now >= this.#offer.until) {
      const choice = choose();
      this.#offer = { choice, until: wake() };
      if (choice?.turn !== undefined) this.#turnOf.set(choice.step, choice.turn);
    }
    return this.#offer.choice?.step;
  }

  /** Until when what was offered holds; undefined = nothing was, or it is over. */
  until(now: number): number | undefined {
    return this.#offer !== undefined && now < this.#offer.until ? this.#offer.until : undefined;
  }

  /** There is news. */
  withdraw(): void {
    this.#offer = undefined;
  }

  taken(step: Step): void {
    const turn = this.#turnOf.get(step);
    if (turn !== undefined) this.turns.served(turn);
    this.#offer = undefined;
  }
}
