import { familyOf } from "@podgate/shared/contract/address";
import { groupKey, type ChildOrigin, type Step } from "../firewall/firewall.ts";
import type { Known } from "./known.ts";
import type { Applied } from "./plan.ts";
import type { Record } from "./record.ts";
import type { Undone } from "./undone.ts";

/**
 * Takes a step that the device did into what is known. Returns the memberships that changed as policies see them:
 * a child that no parent holds is seen by nobody.
 */
export function acknowledge(known: Known, step: Step, record: Record, undone: Undone): Applied[] {
  switch (step.kind) {
    case "create-address":
    case "repair-address":
      known.setAddress(step.address, { name: step.name, family: familyOf(step.address), standing: "ours" });
      return [];
    case "delete-address":
      known.deleteAddress(step.address);
      return [];
    case "create-child": {
      const { child: name, family, cluster, group, members } = step;
      known.addChild({ name, family, standing: "ours", origin: { cluster, group }, members, strangers: [] });
      return [];
    }
    case "put-child": {
      const key = groupKey(step.family, step.child);
      const origin = known.children.get(key)?.origin ?? record.claimed;
      known.putChild(key, step.members);
      if (origin === undefined || known.holders(key).size === 0) return [];
      return [...joined(origin, step.added, record, undone), ...left(origin, step.removed, record, undone)];
    }
    case "delete-child":
      known.deleteChild(groupKey(step.family, step.child));
      return [];
    case "create-parent":
    case "attach-child": {
      const { parent, child, family } = step;
      const { origin = record.claimed, key, members } = known.children.get(groupKey(family, child)) ?? {};
      const isNew = key !== undefined && known.holders(key).size === 0;
      if (step.kind === "create-parent")
        known.addParent({ name: parent, family, ours: true, members: [child] });
      else known.attach(parent, child, family);
      return origin === undefined || !isNew ? [] : joined(origin, members ?? [], record, undone);
    }
    case "detach-child": {
      const { origin, key, members } = known.children.get(groupKey(step.family, step.child)) ?? {};
      known.detach(step.parent, step.child, step.family);
      if (origin === undefined || key === undefined || known.holders(key).size > 0) return [];
      return left(origin, members ?? [], record, undone);
    }
    default:
      known.parents.delete(groupKey(step.family, step.parent));
      return [];
  }
}

function joined(origin: ChildOrigin, addresses: Iterable<string>, record: Record, undone: Undone): Applied[] {
  const { cluster, group } = origin;
  return [...addresses].map((address) => {
    const joinedAt = record.joined(origin, address);
    const observedAt = undone.has("add", origin, address, joinedAt) ? undefined : joinedAt;
    return { op: "add", cluster, group, address, observedAt };
  });
}

function left(origin: ChildOrigin, addresses: Iterable<string>, record: Record, undone: Undone): Applied[] {
  const { cluster, group } = origin;
  return [...addresses].map((address) => {
    const { cause, observedAt: leftAt } = record.left(origin, address);
    const observedAt = undone.has("remove", origin, address, leftAt) ? undefined : leftAt;
    return { op: "remove", cluster, group, address, observedAt, cause };
  });
}
