/** All chance of a run, from one seed. */
export class Dice {
  readonly random: () => number;

  /** @param random numbers in [0, 1) */
  constructor(random: () => number) {
    this.random = random;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }

  /** @throws RangeError for nothing to choose from */
  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)];
    if (item === undefined) throw new RangeError("nothing to choose from");
    return item;
  }
}
