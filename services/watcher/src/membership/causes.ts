import type { RemoveCause } from "@podgate/shared/contract/event";
import { ended, ownAddresses } from "./counting.ts";
import type { GroupDefinition } from "./group-definition.ts";
import type { Inventory } from "./inventory.ts";
import type { PodEntry } from "./pod-entry.ts";
import { nodeAddresses } from "./standing.ts";

/**
 * Why a pod gives a group an address no more. `cause` is the mutation's own, used where nothing says more; of a mutation
 * of pods it is `relabeled`: nothing else of a pod that keeps its address keeps it from matching.
 */
export function causeOf(
  entry: PodEntry,
  address: string,
  definition: GroupDefinition,
  inventory: Inventory,
  now: number,
  cause: RemoveCause,
): RemoveCause {
  const { fact, ending } = entry;
  if (ended(fact, ending, now) !== undefined) return "ended";
  if (definition.addresses === "pod" && ending?.lost.includes(address) === true) return "reused";
  if (cause === "unselected") return cause;
  const inNodeMode = definition.addresses === "node";
  const own = inNodeMode ? nodeAddresses(entry, definition, inventory) : fact.addresses;
  const ofPod = cause === "relabeled";
  if (own.includes(address)) return ofPod ? cause : "unselected";
  const isNodeGone = inNodeMode && inventory.nodes.get(fact.nodeName) === undefined;
  return isNodeGone && !ofPod ? cause : "changed";
}

/**
 * Why the pod has ended, or the address is neither its own nor its node's any more, whatever groups there are;
 * undefined = neither is so. `cause` as for `causeOf`.
 */
export function endOf(
  { fact, ending }: PodEntry,
  address: string,
  inventory: Inventory,
  now: number,
  cause: RemoveCause,
): RemoveCause | undefined {
  if (ended(fact, ending, now) !== undefined) return "ended";
  const node = inventory.nodes.get(fact.nodeName);
  const { internal = [], external = [] } = node ?? {};
  if ([...ownAddresses(fact, ending), ...internal, ...external].includes(address)) return undefined;
  if (ending?.lost.includes(address) === true) return "reused";
  return node === undefined && cause !== "relabeled" ? cause : "changed";
}
