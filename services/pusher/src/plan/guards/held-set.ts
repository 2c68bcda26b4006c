import { hash } from "node:crypto";
import type { Cause } from "./cause.ts";

/** What can hold a step back; a label of the metric `podgate_pusher_held`. docs/guards.md describes each. */
export const GUARDS = [
  "mass-removal",
  "last-member",
  "absence",
  "deny",
  "short-list",
  "add-only",
  "orphan",
  "limits",
  "manager",
] as const;
export type Guard = (typeof GUARDS)[number];

/** A removal that waits for a person's word. */
export interface HeldItem {
  readonly cluster: string;
  readonly group: string;
  readonly address: string;
  readonly cause: Cause;
  readonly guard: Guard;
  /** For people. */
  readonly reason: string;
}

/** Everything on one target that an approval would release. */
export interface HeldSet {
  readonly items: readonly HeldItem[];
  /** SHA-256 over cluster, group and address of each, in hex: what an approval approves. Empty without items. */
  readonly hash: string;
}

export const itemKey = ({
  cluster,
  group,
  address,
}: Pick<HeldItem, "cluster" | "group" | "address">): string => `${cluster} ${group} ${address}`;

/** The target is part of the hash: what was approved for one is not approved for another. */
export function heldSetOf(target: string, items: readonly HeldItem[]): HeldSet {
  const keys = items.map(itemKey).toSorted();
  return { items, hash: keys.length === 0 ? "" : hash("sha256", JSON.stringify([target, keys]), "hex") };
}

/** So much of a hash is shown, and enough to name it. */
export const shortHash = (full: string): string => full.slice(0, 12);
