import { AddressError, canonicalAddress, familyOf, type Family } from "@podgate/shared/contract/address";
import type { Step } from "../firewall.ts";
import { isParentName, type Names } from "./naming.ts";

/** Why a step must not be sent: a name that is not ours to write, or that would be read as something else. */
export function stepFault(names: Names, step: Step): string | undefined {
  switch (step.kind) {
    case "create-address":
    case "repair-address":
    case "delete-address":
      return isCanonical(step.address) && names.address(step.address) === step.name
        ? undefined
        : `"${step.name}" is not our name for the address "${step.address}"`;
    case "create-child":
    case "put-child":
      return childFault(names, step.child) ?? memberFault(step.members, step.family);
    case "delete-child":
      return childFault(names, step.child);
    case "delete-parent":
      return parentFault(names, step.parent);
    default:
      return parentFault(names, step.parent) ?? childFault(names, step.child);
  }
}

const childFault = (names: Names, name: string): string | undefined =>
  names.isChild(name) ? undefined : `"${name}" is not the name of a group of ours`;

function parentFault(names: Names, name: string): string | undefined {
  if (!isParentName(name)) return `"${name}" can't be the name of an address group`;
  return names.isReserved(name)
    ? `"${name}" is a name of our own groups, not of a group for policies`
    : undefined;
}

function memberFault(members: readonly string[], family: Family): string | undefined {
  const wrong = members.find((address) => !isCanonical(address) || familyOf(address) !== family);
  return wrong === undefined
    ? undefined
    : `"${wrong}" is not an IPv${String(family)} address in canonical form`;
}

function isCanonical(address: string): boolean {
  try {
    return canonicalAddress(address) === address;
  } catch (error) {
    if (error instanceof AddressError) return false;
    throw error;
  }
}
