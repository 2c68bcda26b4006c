import { familyOf, type Family } from "@podgate/shared/contract/address";
import type { GroupView } from "./guards/candidate.ts";
import type { SourcePlan } from "./shards.ts";

/** A source as guards weigh it. */
export function viewOf({ source, leaving, sizes, halves }: SourcePlan): GroupView {
  const { key, cluster, group, policy, members } = source;
  const desiredOf = (family: Family): number => {
    let count = 0;
    for (const address of members.keys()) if (familyOf(address) === family) count += 1;
    return count;
  };
  const standing = (address: string): "member" | "off" | "unknown" => {
    if (members.has(address)) return "member";
    const isThere = halves.some(({ shards }) => shards.some(({ child }) => child.members.has(address)));
    return isThere ? "unknown" : "off";
  };
  return { key, cluster, group, policy, leaving, sizes, desired: members.size, desiredOf, standing };
}

/** Members on the device of all groups that are weighed together. */
export function sizesOf(plans: readonly SourcePlan[], strays: readonly GroupView[]): Record<Family, number> {
  const sum = { 4: 0, 6: 0 };
  const add = ({ policy, sizes }: Pick<GroupView, "policy" | "sizes">): void => {
    if (policy.alone) return;
    sum[4] += sizes[4];
    sum[6] += sizes[6];
  };
  for (const { source, sizes } of plans) add({ policy: source.policy, sizes });
  for (const view of strays) add(view);
  return sum;
}
