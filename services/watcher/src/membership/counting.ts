import type { PodFact } from "../facts/pod-fact.ts";
import type { Ending } from "./pod-entry.ts";

/** How long past its grace a terminating pod still counts when nobody says that it stopped. */
const GRACE_MARGIN_MS = 10_000;

/**
 * Why a pod's own addresses are in no group, whatever it is labelled: `finished` (phase Succeeded or Failed),
 * `terminated` (deleted, and its containers have stopped), `released` (deleted, and the CNI has freed the
 * address), `overdue` (deleted, and nothing was heard within its grace and a margin), `host network`, `no address`
 * yet, `reused` (deleted, and a running pod has the address now).
 */
export const NOT_COUNTING = [
  "finished",
  "terminated",
  "released",
  "overdue",
  "host network",
  "no address",
  "reused",
] as const;
export type NotCounting = (typeof NOT_COUNTING)[number];

/**
 * What to remember of a terminating pod. It is given up when its grace (which may be rewritten to a shorter one,
 * never to a longer) and a margin are over since this watcher first saw it terminating: on the monotonic clock,
 * because the server's wall clock may differ.
 */
export function ending(pod: PodFact, before: Ending | undefined, now: number): Ending {
  const since = before?.since ?? now;
  const givenUpAt = since + pod.graceSeconds * 1000 + GRACE_MARGIN_MS;
  if (before === undefined) return { since, givenUpAt, lost: [] };
  before.givenUpAt = Math.min(before.givenUpAt, givenUpAt);
  return before;
}

/**
 * Why a pod does not run any more, or undefined while it does. A terminating pod goes on talking for its grace;
 * it counts until its containers have stopped, its CNI has freed the address, or it is overdue.
 */
export function ended(pod: PodFact, end: Ending | undefined, now: number): NotCounting | undefined {
  if (pod.finished) return "finished";
  if (!pod.terminating) return undefined;
  if (pod.containersStopped) return "terminated";
  if (pod.released) return "released";
  if (end !== undefined && now >= end.givenUpAt) return "overdue";
  return undefined;
}

/** A pod's own addresses as they count in a pod group. A host-network pod's addresses are its node's. */
export function ownAddresses(
  { hostNetwork, addresses, terminating }: PodFact,
  end?: Ending,
): readonly string[] {
  if (hostNetwork) return [];
  if (!terminating || end === undefined || end.lost.length === 0) return addresses;
  return addresses.filter((address) => !end.lost.includes(address));
}

/** Why none of a pod's own addresses counts, or undefined if one does. */
export function notCounting(pod: PodFact, end: Ending | undefined, now: number): NotCounting | undefined {
  const over = ended(pod, end, now);
  if (over !== undefined) return over;
  if (pod.hostNetwork) return "host network";
  if (pod.addresses.length === 0) return "no address";
  return ownAddresses(pod, end).length === 0 ? "reused" : undefined;
}
