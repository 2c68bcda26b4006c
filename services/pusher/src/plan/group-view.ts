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
