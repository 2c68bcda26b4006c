import type { Known, KnownChild } from "./known.ts";
import { groupKey } from "../firewall/firewall.ts";
import type { Drift } from "./plan.ts";

/**
 * What others changed. @param before undefined = the first read: only what contradicts our own marks is told
 * @param unsure names of objects whose last write was not answered: a difference there is our own
 */
export function findDrift(before: Known | undefined, now: Known, unsure: ReadonlySet<string>): Drift[] {
  const drift: Drift[] = [];
  for (const [address, { name, family, standing, found }] of now.addresses) {
    const isNew = before === undefined || before.addresses.get(address)?.standing !== "drifted";
    if (standing === "drifted" && isNew && !unsure.has(name))
      drift.push({
        kind: "address-changed",
        object: name,
        family,
        message: `it now holds ${found ?? "something else"}`,
      });
  }
  for (const child of now.children.values()) {
    if (child.standing !== "ours" || unsure.has(child.name)) continue;
    const known = new Set(before?.children.get(child.key)?.strangers);
    for (const stranger of child.strangers) {
      if (!known.has(stranger))
        drift.push({
          kind: "stranger",
          object: child.name,
          family: child.family,
          message: `${stranger} was put into it`,
        });
    }
  }
  if (before === undefined) return drift;
  for (const [address, { name, family, standing }] of before.addresses) {
    if (standing === "ours" && !now.addresses.has(address) && !unsure.has(name))
      drift.push({ kind: "address-missing", object: name, family, message: "it was deleted" });
  }
  for (const child of before.children.values()) {
    if (child.standing === "ours" && !unsure.has(child.name))
      drift.push(...ofChild(before, now, child, unsure));
  }
  return drift;
}

/** Addresses that came into children of ours between two reads without us. */
export function putInto(before: Known | undefined, now: Known, unsure: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const [key, { name, members }] of now.children) {
    const had = before?.children.get(key)?.members;
    if (had === undefined || unsure.has(name)) continue;
    for (const address of members) if (!had.has(address)) found.add(`${key} ${address}`);
  }
  return found;
}

function ofChild(before: Known, now: Known, child: KnownChild, unsure: ReadonlySet<string>): Drift[] {
  const { key, name: object, family } = child;
  const found = now.children.get(key);
  const drift: Drift[] = [];
  if (found === undefined) {
    drift.push({ kind: "child-missing", object, family, message: "it was deleted" });
  } else {
    const lost = [...child.members].filter((address) => !found.members.has(address));
    const gained = [...found.members].filter((address) => !child.members.has(address));
    if (lost.length > 0)
      drift.push({ kind: "member-missing", object, family, message: `taken out: ${some(lost)}` });
    if (gained.length > 0)
      drift.push({ kind: "member-added", object, family, message: `put in: ${some(gained)}` });
  }
  for (const holder of before.holders(key)) {
    const parent = before.parents.get(holder);
    if (parent === undefined || unsure.has(parent.name)) continue;
    if (!now.parents.has(groupKey(family, parent.name)))
      drift.push({ kind: "parent-missing", object: parent.name, family, message: "it was deleted" });
    else if (!now.holders(key).has(holder))
      drift.push({ kind: "detached", object: parent.name, family, message: `${object} was taken out of it` });
  }
  return drift;
}

const NAMED = 10;
const some = (addresses: readonly string[]): string =>
  addresses.slice(0, NAMED).join(", ") +
  (addresses.length > NAMED ? ` and ${addresses.length - NAMED} more` : "");
