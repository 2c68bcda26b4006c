import type { Dice } from "./dice.ts";
import type { FaultClass } from "./faults/fault.ts";
import type { Health } from "./oracle/health.ts";
import type { World } from "./world.ts";

/** How often a class of faults was begun, and how often it really changed something. */
export interface Tally {
  begun: number;
  struck: number;
}

/** Lets things go wrong, several at a time, each class once at a time. */
export class Storm {
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #health: Health;
  readonly #classes: readonly FaultClass[];
  readonly #active = new Map<string, () => void>();

  constructor(classes: readonly FaultClass[], world: World, dice: Dice, health: Health) {
    this.#classes = classes;
    this.#world = world;
    this.#dice = dice;
    this.#health = health;
    this.tallies = new Map(classes.map(({ name }) => [name, { begun: 0, struck: 0 }]));
  }

  /** Begins one that is not going on yet. */
  strike(): void {
    const free = this.#classes.filter(({ name }) => !this.#active.has(name));
    let left = this.#dice.random() * free.reduce((sum, { weight = 1 }) => sum + weight, 0);
    const chosen = free.find(({ weight = 1 }) => (left -= weight) < 0);
    if (chosen === undefined) return;
    const { name, lasts, tailMs } = chosen;
    const tally = this.tallies.get(name) ?? { begun: 0, struck: 0 };
    const { history, timeline } = this.#world;
    const recover = this.#health.fall();
    history.note("fault", `${name} begins`);
    const end = chosen.begin(this.#world, this.#dice, () => {
      tally.struck += 1;
    });
    if (end === undefined) {
      history.note("fault", `${name}: nothing to break`);
      recover(0);
      return;
    }
    tally.begun += 1;
    const over = (): void => {
      if (!this.#active.delete(name)) return;
      history.note("fault", `${name} ends`);
      const recovery = end();
      if (typeof recovery !== "function") return recover(tailMs);
      recovery(() => recover(0));
      timeline.after(tailMs, () => recover(0));
    };
    this.#active.set(name, over);
    timeline.after(this.#dice.between(...lasts), over);
  }

  /** Ends all that goes on. */
  calm(): void {
    for (const over of this.#active.values()) over();
  }
}
