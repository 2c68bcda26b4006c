import type { ChildOrigin } from "../firewall/firewall.ts";
import type { Withheld } from "./guards/group-holds.ts";
import type { Guard, HeldItem } from "./guards/held-set.ts";
import type { Held } from "./plan.ts";
import type { SourcePlan } from "./shards.ts";

/** The plan without the removals that may not be done now. */
export function withhold(plan: SourcePlan, withheld: Withheld | undefined): SourcePlan {
  if (withheld === undefined) return plan;
  const { held, waiting } = withheld;
  const stays = (address: string): boolean => held.has(address) || waiting.has(address);
  const halves = plan.halves.map((half) => ({
    ...half,
    shards: half.shards.map((shard) => {
      const removes = new Map([...shard.removes].filter(([address]) => !stays(address)));
      return removes.size === shard.removes.size ? shard : { ...shard, removes };
    }),
  }));
  const items = heldOf(plan.source, [...held.values()]);
  return { ...plan, halves, held: [...plan.held, ...items], waiting };
}

/** Held removals as people read them. */
export function heldOf({ cluster, group }: ChildOrigin, items: readonly HeldItem[]): Held[] {
  return items.map(({ address, guard, reason }) => {
    return { cluster, group, what: address, guard, reason, release: releaseOf(guard) };
  });
}

function releaseOf(guard: Guard): string {
  return guard === "short-list"
    ? "the cluster's list recovers, the address joins again or is seen to go, or podgate-pusher approve"
    : "it is approved (podgate-pusher approve), joins again, or is seen to go";
}
