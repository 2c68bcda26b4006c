import type { Family } from "@podgate/shared/contract/address";
import { familyOf } from "@podgate/shared/contract/address";
import {
  groupKey,
  type Actual,
  type ActualAddress,
  type ActualChild,
  type ActualParent,
  type ChildOrigin,
  type Limits,
  type Outcome,
  type Step,
} from "../../src/firewall/firewall.ts";
import { NAMES } from "../desired/configured.ts";

export const NO_LIMITS: Limits = {
  4: { addresses: 0, groups: 0, membersPerGroup: 0 },
  6: { addresses: 0, groups: 0, membersPerGroup: 0 },
};

interface AddressObject {
  content: string;
  marked: boolean;
}
interface GroupObject {
  readonly name: string;
  readonly family: Family;
  marked: boolean;
  origin: ChildOrigin | undefined;
  readonly members: string[];
}

const DONE: Outcome = { result: "done", changed: true };
const SAME: Outcome = { result: "done", changed: false };
const refusal = (
  reason: "full" | "in-use" | "collision" | "invalid",
  message: string,
  blame: string[] = [],
): Outcome => ({
  result: "refused",
  reason,
  message,
  blame,
});

/**
 * FortiOS as planning sees it: objects that refer to each other by name, and what it refuses. Written from
 * Fortinet's documentation, not from the planner.
 */
export class ModelDevice {
  readonly addresses = new Map<string, AddressObject>();
  readonly groups = new Map<string, GroupObject>();
  limits: Limits = NO_LIMITS;
  /** Every step it was asked for. */
  readonly log: Step[] = [];
  /** What it refuses on top; undefined = its own judgement. */
  refuse: (step: Step) => Outcome | undefined = () => undefined;

  /** Somebody else's group or object. */
  admin(family: Family, name: string, ...members: string[]): this {
    for (const member of members) {
      if (!this.addresses.has(member) && !this.groups.has(groupKey(family, member)))
        this.addresses.set(member, { content: "192.0.2.0/24", marked: false });
    }
    this.groups.set(groupKey(family, name), {
      name,
      family,
      marked: false,
      origin: undefined,
      members: [...members],
    });
    return this;
  }

  group(family: Family, name: string): GroupObject {
    const group = this.groups.get(groupKey(family, name));
    if (group === undefined) throw new Error(`no group ${name}`);
    return group;
  }

  /** What a policy on the group matches. */
  resolve(name: string, family: Family = 4): string[] {
    const found = new Set<string>();
    const walk = (member: string): void => {
      const nested = this.groups.get(groupKey(family, member));
      if (nested !== undefined) nested.members.forEach(walk);
      else found.add(this.addresses.get(member)?.content ?? `missing ${member}`);
    };
    this.groups.get(groupKey(family, name))?.members.forEach(walk);
    return [...found].toSorted();
  }

  apply(step: Step): Outcome {
    this.log.push(step);
    return this.refuse(step) ?? this.#apply(step);
  }

  read(parents: readonly string[]): Actual {
    const addresses = new Map<string, ActualAddress>();
    const children = new Map<string, ActualChild>();
    const named = new Map<string, ActualParent>();
    for (const [name, object] of this.addresses) {
      const address = addressOf(name);
      if (address !== undefined) addresses.set(name, actualAddress(name, address, object));
    }
    for (const [key, { name, family, marked, origin, members }] of this.groups) {
      if (isChild(name)) {
        const ours = members.filter((member) => isUsable(addresses.get(member)));
        children.set(key, {
          name,
          family,
          standing: marked ? "ours" : "collision",
          origin,
          members: new Set(ours.map((member) => addressOf(member) ?? "")),
          strangers: members.filter((member) => !ours.includes(member)),
        });
      } else if (marked || parents.includes(name) || members.some(isChild)) {
        named.set(key, { name, family, ours: marked, members: new Set(members) });
      }
    }
    return { addresses, children, parents: named, readAt: 0 };
  }

  #apply(step: Step): Outcome {
    switch (step.kind) {
      case "create-address": {
        const found = this.addresses.get(step.name);
        if (found !== undefined)
          return found.content === step.address ? SAME : refusal("collision", `${step.name} is taken`);
        const family = familyOf(step.address);
        const { addresses } = this.limits[family];
        if (addresses > 0 && this.#count(family) >= addresses) return refusal("full", "the table is full");
        this.addresses.set(step.name, { content: step.address, marked: true });
        return DONE;
      }
      case "repair-address":
        this.addresses.set(step.name, { content: step.address, marked: true });
        return DONE;
      case "delete-address":
        if ([...this.groups.values()].some(({ members }) => members.includes(step.name)))
          return refusal("in-use", `${step.name} is used`);
        return this.addresses.delete(step.name) ? DONE : SAME;
      case "create-child": {
        const { cluster, group } = step;
        if (this.groups.has(groupKey(step.family, step.child))) return refusal("collision", "it is there");
        const made = {
          name: step.child,
          family: step.family,
          marked: true,
          origin: { cluster, group },
          members: [],
        };
        return this.#fill(made, step.members);
      }
      case "put-child": {
        const group = this.groups.get(groupKey(step.family, step.child));
        if (group === undefined) return { result: "retry", reason: "unclear", message: "gone", reread: true };
        return this.#fill(group, step.members);
      }
      case "create-parent": {
        if (this.groups.has(groupKey(step.family, step.parent)))
          return { result: "retry", reason: "unclear", message: "it is there", reread: true };
        const { parent: name, family } = step;
        this.groups.set(groupKey(family, name), {
          name,
          family,
          marked: true,
          origin: undefined,
          members: [step.child],
        });
        return DONE;
      }
      case "attach-child": {
        const { members } = this.group(step.family, step.parent);
        if (members.includes(step.child)) return SAME;
        members.push(step.child);
        return DONE;
      }
      case "detach-child": {
        const { members } = this.group(step.family, step.parent);
        const at = members.indexOf(step.child);
        if (at === -1) return SAME;
        members.splice(at, 1);
        return DONE;
      }
      default: {
        const name = step.kind === "delete-child" ? step.child : step.parent;
        const { marked } = this.group(step.family, name);
        if (!marked) return refusal("invalid", `${name} is not ours`);
        const isUsed = [...this.groups.values()].some(
          ({ family, members }) => family === step.family && members.includes(name),
        );
        if (isUsed) return refusal("in-use", `${name} is used`);
        this.groups.delete(groupKey(step.family, name));
        return DONE;
      }
    }
  }

  #count(family: Family): number {
    return [...this.addresses.keys()].filter((name) => familyOf(addressOf(name) ?? "") === family).length;
  }

  #fill(group: GroupObject, addresses: readonly string[]): Outcome {
    const names = addresses.map((address) => NAMES.address(address));
    const absent = names.filter((name) => !this.addresses.has(name));
    if (absent.length > 0)
      return {
        result: "retry",
        reason: "missing-reference",
        message: `no ${absent[0] ?? ""}`,
        reread: false,
        blame: absent,
      };
    const { membersPerGroup } = this.limits[group.family];
    if (membersPerGroup > 0 && names.length > membersPerGroup) return refusal("invalid", "too many members");
    this.groups.set(groupKey(group.family, group.name), { ...group, members: names });
    return DONE;
  }
}

const PREFIX = NAMES.address("");
const isChild = (name: string): boolean =>
  /^pg\.t\..*[a-z].*\.\d+$/.test(name) || /\.x[0-9a-f]{12}$/.test(name);

function addressOf(name: string): string | undefined {
  return name.startsWith(PREFIX) && !isChild(name) ? name.slice(PREFIX.length) : undefined;
}

const isUsable = (object: ActualAddress | undefined): boolean =>
  object !== undefined && object.standing !== "collision";

function actualAddress(name: string, address: string, { content, marked }: AddressObject): ActualAddress {
  const isExact = content === address;
  const standing = marked ? (isExact ? "ours" : "drifted") : isExact ? "borrowed" : "collision";
  return { name, family: familyOf(address), address, standing, ...(isExact ? {} : { found: content }) };
}
