/**
 * Time in which nothing is wrong with the world. What is promised "within so long" is promised of a world without
 * faults: while a fault lasts, and for as long after it as recovering from it may take, the clock of promises stands.
 */
export class Health {
  readonly #now: () => number;
  #healthy = 0;
  #at = 0;
  #illUntil = 0;
  #ongoing = 0;
  #lastHealthy = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds without a fault so far. */
  get healthy(): number {
    this.#count();
    return this.#healthy;
  }

  /** A fault begins. @returns ends it, once; the world may need `tailMs` more after that */
  fall(): (tailMs: number) => void {
    this.#count();
    this.#ongoing += 1;
    let isOver = false;
    return (tailMs) => {
      if (isOver) return;
      isOver = true;
      this.#count();
      this.#ongoing -= 1;
      this.#illUntil = Math.max(this.#illUntil, this.#now() + tailMs);
    };
  }

  /** Is a fault going on, or not yet recovered from? */
  get ill(): boolean {
    return this.#ongoing > 0 || this.#now() < this.#illUntil;
  }

  /** Since when without a break something is wrong, or not recovered from: milliseconds ago; 0 = nothing is. */
  get illFor(): number {
    this.#count();
    return this.#now() - this.#lastHealthy;
  }

  /** How long the world may still need after what is over: milliseconds. */
  get left(): number {
    return Math.max(0, this.#illUntil - this.#now());
  }

  #count(): void {
    const now = this.#now();
    if (this.#ongoing === 0 && now >= this.#illUntil) this.#lastHealthy = now;
    if (this.#ongoing === 0) this.#healthy += Math.max(0, now - Math.max(this.#at, this.#illUntil));
    this.#at = now;
  }
}
