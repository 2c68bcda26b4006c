import type { Family } from "@podgate/shared/contract/address";
import type { Limits, Step } from "../firewall/firewall.ts";
import type { Known } from "./known.ts";
import { parkingKey, type Parking } from "./parking.ts";

/** So many unused objects may stay: the CNI gives the same addresses out again. */
const MOST_UNUSED = 1000;
/** Or so much of the table. */
const MOST_FULL = 0.7;

/** Deletes address objects that no group uses, but only when there are many of them or the table gets full. */
export class Collector {
  /** Candidates of the last look; checked again before each step. */
  #queue: string[] = [];

  /** @param isWanted some source is about to use it */
  step(
    known: Known,
    limits: Limits,
    parking: Parking,
    isWanted: (address: string) => boolean,
    now: number,
  ): Step | undefined {
    if (!isPressed(known, limits, parking, now)) {
      this.#queue = [];
      return undefined;
    }
    const isFree = (address: string): boolean =>
      known.addresses.get(address)?.standing === "ours" &&
      known.uses(address) === 0 &&
      parking.reason(parkingKey.keep(address), now) === undefined &&
      !isWanted(address);
    for (let looked = 0; looked < 2; looked += 1) {
      for (let address = this.#queue.at(-1); address !== undefined; address = this.#queue.at(-1)) {
        const object = known.addresses.get(address);
        if (object !== undefined && isFree(address) && isTight(object.family, known, limits, parking, now))
          return { kind: "delete-address", name: object.name, address, reason: "no group uses it" };
        this.#queue.pop();
      }
      if (looked === 0) this.#queue = [...known.addresses.keys()].filter(isFree).toReversed();
    }
    return undefined;
  }
}

function isPressed(known: Known, limits: Limits, parking: Parking, now: number): boolean {
  return isTight(4, known, limits, parking, now) || isTight(6, known, limits, parking, now);
}

function isTight(family: Family, known: Known, limits: Limits, parking: Parking, now: number): boolean {
  const { addresses } = limits[family];
  return (
    known.addresses.size - known.used > MOST_UNUSED ||
    (addresses > 0 && known.count(family) > addresses * MOST_FULL) ||
    parking.reason(parkingKey.addressTable(family), now) !== undefined
  );
}
