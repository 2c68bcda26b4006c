import type { Family } from "@podgate/shared/contract/address";
import type { SourcePlans } from "./source-plans.ts";
import type { StepContext } from "./steps.ts";
import { parkingKey } from "./parking.ts";

/** From here on a limit is near. */
const NEAR = 0.8;
/** So many objects of a kind are named. */
const NAMED = 5;

/** What is no fault, but soon may be one, or is one of somebody else. */
export function findWarnings(plans: SourcePlans, context: StepContext): string[] {
  return [...nearLimits(plans, context), ...sharedAddresses(plans), ...foreignReferences(context)];
}

function nearLimits(plans: SourcePlans, { known, limits }: StepContext): string[] {
  const warnings: string[] = [];
  for (const family of [4, 6] as const) {
    const { addresses, groups, membersPerGroup } = limits[family];
    const count = known.count(family);
    if (addresses > 0 && count > addresses * NEAR)
      warnings.push(
        `Podgate alone has ${count} of the device's ${addresses} ${words(family)} address objects`,
      );
    const children = [...known.children.values()].filter((child) => child.family === family).length;
    if (groups > 0 && children > groups * NEAR)
      warnings.push(
        `Podgate alone has ${children} of the device's ${groups} ${words(family)} address groups`,
      );
    if (membersPerGroup === 0) continue;
    for (const { source, halves } of plans.all.values()) {
      const half = halves.find((each) => each.family === family);
      const size = half?.shards.reduce((sum, { child }) => sum + child.members.size, 0) ?? 0;
      const places = membersPerGroup * (half?.shards.length ?? 0);
      if (places > 0 && size > places * NEAR)
        warnings.push(
          `${source.group} of cluster ${source.cluster} has ${size} ${words(family)} members; beyond ${places} it gets one more child group`,
        );
    }
  }
  return warnings;
}

/** Two clusters with one address: the firewall can't tell their workloads apart. */
function sharedAddresses(plans: SourcePlans): string[] {
  const owner = new Map<string, string>();
  const shared = new Map<string, string[]>();
  for (const { cluster, members } of plans.sources) {
    for (const address of members.keys()) {
      const other = owner.get(address);
      if (other === undefined) owner.set(address, cluster);
      else if (other !== cluster) {
        const pair = [other, cluster].toSorted().join(" and ");
        const addresses = shared.get(pair) ?? [];
        if (!addresses.includes(address)) addresses.push(address);
        shared.set(pair, addresses);
      }
    }
  }
  return [...shared].map(
    ([pair, addresses]) =>
      `clusters ${pair} both use ${addresses.slice(0, NAMED).join(", ")}${addresses.length > NAMED ? ` and ${addresses.length - NAMED} more` : ""}: policies can't tell their workloads apart`,
  );
}

/** It outlives its pod where somebody else put it. */
function foreignReferences({ known, parking, now }: StepContext): string[] {
  const names = [...known.addresses]
    .filter(([address]) => parking.reason(parkingKey.keep(address), now) !== undefined)
    .map(([, { name }]) => name);
  const children = [...known.children.values()]
    .filter(({ key }) => parking.reason(parkingKey.deleteChild(key), now) !== undefined)
    .map(({ name }) => name);
  const all = [...names, ...children];
  if (all.length === 0) return [];
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : "";
  return [
    `somebody else's objects use ${all.slice(0, NAMED).join(", ")}${more}: they outlive their workloads there`,
  ];
}

const words = (family: Family): string => `IPv${family}`;
