import type { Owner } from "@podgate/shared/contract/event";
import type { Member, Present } from "../../src/publish/difference.ts";

const pod = (uid: string): Owner => ({ kind: "Pod", namespace: "shop", name: uid, uid });
export const member = (group: string, address: string, ...uids: string[]): Member => ({
  group,
  address,
  owners: uids.map(pod),
  ownerCount: uids.length,
  resourceVersion: "9",
});

/** A cluster with groups "a" and "b" and these members, whose owners nobody lists unless `rest` says so. */
export function present(members: Member[], rest: Partial<Present> = {}): Present {
  return {
    members: () => members,
    member: (group, address) => members.find((m) => m.group === group && m.address === address),
    groups: () => ["a", "b"],
    endOf: () => "vanished",
    holders: () => [],
    recall: () => undefined,
    miss: () => undefined,
    ...rest,
  };
}
