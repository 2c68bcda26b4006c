import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import { CAUSES } from "../plan/guards/cause.ts";
import type { KeptHolds } from "../plan/guards/guards.ts";
import { GUARDS, type HeldItem } from "../plan/guards/held-set.ts";

/**
 * Most characters of packed addresses in an entry: a NATS server takes 1 MiB by default. IPv4 addresses in a row take
 * 2 to 4 of them each, scattered IPv6 ones up to 20.
 */
const MOST_PACKED = 700_000;

const groupSchema = z.object({
  cluster: z.string(),
  group: z.string(),
  cause: z.enum(CAUSES),
  guard: z.enum(GUARDS),
  reason: z.string(),
  count: z.int().nonnegative(),
  /** Hash of the set with which it was approved. */
  approval: z.string().optional(),
});

/** Held addresses of one group, for one cause, by one guard. */
export type HeldGroup = z.infer<typeof groupSchema>;

const packed = {
  groups: z.array(groupSchema),
  /** Addresses of each group, packed; absent = there were too many. */
  addresses: z.string().optional(),
};

/** What waits for a person's word on one target: KV bucket `podgate-pusher`, key `held.<target>`. */
export const keptHeldSchema = z.object({
  v: z.literal(1),
  /** What an approval names; empty = nothing waits. */
  hash: z.string(),
  /** Milliseconds since 1970 at which the set became this one. */
  since: z.int().nonnegative(),
  ...packed,
});
export type KeptHeld = z.infer<typeof keptHeldSchema>;

export const keptHeldKey = (target: string): string => `held.${target}`;

/** A person's word: KV bucket `podgate-pusher`, key `approval.<target>.<hash>`. */
export const approvalSchema = z.object({
  v: z.literal(1),
  target: z.string(),
  hash: z.string(),
  by: z.string(),
  /** Milliseconds since 1970. */
  at: z.int().nonnegative(),
  ...packed,
  /** `done`: nothing is left of it. `expired`: it was not used in time. `outdated`: nothing of it was held any more. */
  closed: z.object({ how: z.enum(["done", "expired", "outdated"]), at: z.int().nonnegative() }).optional(),
});
export type Approval = z.infer<typeof approvalSchema>;

export const approvalKey = (target: string, hash: string): string => `approval.${target}.${hash}`;
export const APPROVALS = "approval.>";

interface Packed {
  readonly groups: HeldGroup[];
  readonly addresses?: string;
}

type Item = HeldItem & { readonly approval?: string };

export function pack(items: readonly Item[]): Packed {
  const groups: (HeldGroup & { addresses: string[] })[] = [];
  const byKey = new Map<string, HeldGroup & { addresses: string[] }>();
  for (const { address, ...rest } of items) {
    const key = JSON.stringify(rest);
    let found = byKey.get(key);
    if (found === undefined) {
      byKey.set(key, (found = { ...rest, count: 0, addresses: [] }));
      groups.push(found);
    }
    found.count += 1;
    found.addresses.push(address);
  }
  const lists = groups.map(({ addresses }) => addresses.toSorted());
  const text = deflateRawSync(JSON.stringify(lists)).toString("base64");
  const heads = z.array(groupSchema).parse(groups);
  return text.length > MOST_PACKED ? { groups: heads } : { groups: heads, addresses: text };
}

/** @returns undefined where the addresses are not on record, or can't be read */
export function unpack({ groups, addresses }: z.infer<z.ZodObject<typeof packed>>): Item[] | undefined {
  if (addresses === undefined) return undefined;
  const lists = listsIn(addresses);
  if (lists?.length !== groups.length) return undefined;
  const items: Item[] = [];
  for (const [at, { cluster, group, cause, guard, reason, approval }] of groups.entries()) {
    for (const address of lists[at] ?? [])
      items.push({ cluster, group, address, cause, guard, reason, ...(approval && { approval }) });
  }
  return items;
}

function listsIn(addresses: string): string[][] | undefined {
  try {
    const text = inflateRawSync(Buffer.from(addresses, "base64")).toString();
    return z.array(z.array(z.string())).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const isApproved = (item: Item): item is HeldItem & { approval: string } => item.approval !== undefined;

/**
 * As a plan takes it back: without addresses on record all of a group is held that would leave it unseen.
 * @param wall milliseconds since 1970
 */
export function holdsOf(kept: KeptHeld, wall: number): Omit<KeptHolds, "spent"> {
  const heldForMs = Math.max(0, wall - kept.since);
  const items = unpack(kept);
  if (items === undefined) return { held: [], approved: [], whole: kept.groups, heldForMs };
  const approved = items.filter(isApproved);
  return { held: items.filter((item) => !isApproved(item)), approved, whole: [], heldForMs };
}
