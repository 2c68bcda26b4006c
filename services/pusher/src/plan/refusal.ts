import { familyOf } from "@podgate/shared/contract/address";
import { groupKey, type Outcome, type Step } from "../firewall/firewall.ts";
import type { ObjectNames } from "./object-names.ts";
import { parkingKey, type Parking } from "./parking.ts";

/** Somebody else uses the object that is to be deleted: no fault, so it is looked at less often. Milliseconds. */
const IN_USE_MS = 600_000;

/**
 * Parks what a refused step asked for, as little of it as can be told: the addresses that are to blame, else every
 * addition of the group, and only for a write without additions the child itself.
 *
 * @param source key of the source that the step's child belongs to
 */
export function park(
  parking: Parking,
  names: ObjectNames,
  step: Step,
  { reason, message, blame }: Extract<Outcome, { result: "refused" }>,
  source: string | undefined,
  now: number,
): void {
  const patienceMs = reason === "in-use" ? IN_USE_MS : undefined;
  switch (step.kind) {
    case "create-address":
      if (reason === "full") parking.park(parkingKey.addressTable(familyOf(step.address)), message, now);
      else parking.park(parkingKey.address(step.address), message, now);
      return;
    case "repair-address":
      parking.park(parkingKey.repair(step.address), message, now);
      return;
    case "delete-address":
      parking.park(parkingKey.keep(step.address), message, now, patienceMs);
      return;
    case "create-child":
    case "put-child": {
      const asked = step.kind === "create-child" ? step.members : step.added;
      const guilty = blamed(names, asked, blame);
      const key = groupKey(step.family, step.child);
      const isFull = reason === "full" && step.kind === "create-child";
      if (guilty.length > 0)
        for (const address of guilty) parking.park(parkingKey.address(address), message, now);
      else if (isFull) parking.park(parkingKey.groupTable(step.family), message, now);
      else if (asked.length > 0 && source !== undefined && reason !== "collision")
        parking.park(parkingKey.additions(source), message, now);
      else parking.park(parkingKey.child(key), message, now);
      return;
    }
    case "create-parent":
    case "attach-child":
      parking.park(parkingKey.attach(groupKey(step.family, step.child)), message, now);
      return;
    case "detach-child": {
      const { family, child, parent } = step;
      parking.park(parkingKey.detach(groupKey(family, child), groupKey(family, parent)), message, now);
      return;
    }
    case "delete-child":
      parking.park(parkingKey.deleteChild(groupKey(step.family, step.child)), message, now, patienceMs);
      return;
    default:
      parking.park(parkingKey.deleteParent(groupKey(step.family, step.parent)), message, now, patienceMs);
  }
}

/** Which of the addresses are named, by themselves or by their objects. */
export function blamed(
  names: ObjectNames,
  addresses: readonly string[],
  blame: readonly string[] = [],
): string[] {
  const guilty = new Set(blame);
  return addresses.filter((address) => guilty.has(address) || guilty.has(names.address(address)));
}

/** The step was done: what was parked for its sake is not any more, and its next refusal is a first one. */
export function unpark(parking: Parking, step: Step, source: string | undefined): boolean {
  const keys: string[] = [];
  switch (step.kind) {
    case "create-address":
      keys.push(parkingKey.address(step.address), parkingKey.addressTable(familyOf(step.address)));
      break;
    case "repair-address":
      keys.push(parkingKey.repair(step.address), parkingKey.address(step.address));
      break;
    case "delete-address":
      keys.push(parkingKey.keep(step.address), parkingKey.addressTable(familyOf(step.address)));
      break;
    case "create-child":
      keys.push(parkingKey.groupTable(step.family), parkingKey.child(groupKey(step.family, step.child)));
      break;
    case "put-child":
      keys.push(parkingKey.child(groupKey(step.family, step.child)));
      if (step.added.length > 0 && source !== undefined) keys.push(parkingKey.additions(source));
      break;
    case "create-parent":
    case "attach-child":
      keys.push(parkingKey.attach(groupKey(step.family, step.child)));
      break;
    case "detach-child": {
      const [child, parent] = [groupKey(step.family, step.child), groupKey(step.family, step.parent)];
      // Either may have been refused because of the other.
      keys.push(
        parkingKey.detach(child, parent),
        parkingKey.deleteChild(child),
        parkingKey.deleteParent(parent),
      );
      break;
    }
    case "delete-child":
      keys.push(
        parkingKey.deleteChild(groupKey(step.family, step.child)),
        parkingKey.groupTable(step.family),
      );
      break;
    default:
      keys.push(
        parkingKey.deleteParent(groupKey(step.family, step.parent)),
        parkingKey.groupTable(step.family),
      );
  }
  return keys.map((key) => parking.release(key)).includes(true);
}
