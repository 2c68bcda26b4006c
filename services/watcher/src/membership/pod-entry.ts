import type { PodFact } from "../facts/pod-fact.ts";
import type { Holding } from "./holdings.ts";

/** What is remembered of a pod from the moment it was first seen terminating; monotonic milliseconds. */
export interface Ending {
  readonly since: number;
  /** When it stops counting whatever it says; only ever earlier. */
  givenUpAt: number;
  /** Addresses that were seen with a running pod meanwhile: given on for good, also if that pod goes again. */
  lost: readonly string[];
}

/** A pod as the membership keeps it. */
export class PodEntry {
  fact: PodFact;
  ending: Ending | undefined = undefined;
  /** Where it is an owner; a single one stands for itself, to save memory. */
  held: Holding | readonly Holding[] | undefined = undefined;
  /** Where it was one until an edit (edited-out.ts). */
  editedOut: readonly Holding[] = NONE;

  constructor(fact: PodFact) {
    this.fact = fact;
  }
}

export function heldBy({ held }: PodEntry): readonly Holding[] {
  if (held === undefined) return NONE;
  return isList(held) ? held : [held];
}

export function setHeld(entry: PodEntry, held: readonly Holding[]): void {
  entry.held = held.length > 1 ? held : held[0];
}

const NONE: readonly Holding[] = [];
const isList = (held: Holding | readonly Holding[]): held is readonly Holding[] => Array.isArray(held);
