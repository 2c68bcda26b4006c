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
      const gone = departures(known, step, record, undone);
      known.putChild(key, step.members);
      if (origin === undefined || known.holders(key).size === 0) return [];
      return [...joined(origin, step.added, record, undone), ...gone];
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
      const gone = departures(known, step, record, undone);
      known.detach(step.parent, step.child, step.family);
      return gone;
    }
    default:
      known.parents.delete(groupKey(step.family, step.parent));
      return [];
  }
}

/** The memberships that a step would end, as policies see them, from what is known before it. */
export function departures(known: Known, step: Step, record: Record, undone: Undone): Applied[] {
  if (step.kind !== "put-child" && step.kind !== "detach-child") return [];
  const key = groupKey(step.family, step.child);
  const child = known.children.get(key);
  const holders = known.holders(key);
  if (step.kind === "put-child") {
    const origin = child?.origin ?? record.claimed;
    return origin === undefined || holders.size === 0 ? [] : left(origin, step.removed, record, undone);
  }
  const isLast = [...holders].every((holder) => holder === groupKey(step.family, step.parent));
  if (child?.origin === undefined || !isLast) return [];
  return left(child.origin, child.members, record, undone);
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
