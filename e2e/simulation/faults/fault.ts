import type { Dice } from "../dice.ts";
import type { World } from "../world.ts";

/** One kind of thing that goes wrong. */
export interface FaultClass {
  readonly name: string;
  /** How long it lasts: milliseconds, from and to. */
  readonly lasts: readonly [number, number];
  /**
   * How long after its end everything must be right again: milliseconds. The sum of the waits that the product takes on
   * purpose (docs/simulation.md), not a measured figure.
   */
  readonly tailMs: number;
  /** Rare ones have a smaller weight; 1 is usual. */
  readonly weight?: number;
  /**
   * @param struck to be called each time it really changed what would have happened
   * @returns ends it; undefined = there was nothing to break
   */
  begin(world: World, dice: Dice, struck: () => void): (() => Recovery | void) | undefined;
}

/** Calls back when it can be seen that the product has recovered, if that is before the tail is over. */
export type Recovery = (recovered: () => void) => void;
