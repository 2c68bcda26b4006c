import type { PodFact } from "../facts/pod-fact.ts";

/** How long past its grace a terminating pod still counts when nobody says that it stopped. */
export const GRACE_MARGIN_MS = 10_000;

/** Why a pod does not count. */
export type NotCounting = "no address" | "host network" | "finished" | "stopped" | "released" | "overdue";

/**
 * When a terminating pod is given up: the grace (it may be rewritten to a shorter one, never a longer) from the
 * moment this watcher first saw it terminating, plus a margin; on the monotonic clock, because the server's wall
 * clock may differ.
 */
export function deadline(pod: PodFact, firstSeenTerminating: number, before: number | undefined): number {
  return Math.min(
    before ?? Number.POSITIVE_INFINITY,
    firstSeenTerminating + pod.graceSeconds * 1000 + GRACE_MARGIN_MS,
  );
}

/**
 * Why a pod does not run any more, or undefined while it does. A terminating pod goes on talking for its grace;
 * it counts until its containers have stopped, its CNI has freed the address, or it is overdue.
 */
export function ended(pod: PodFact, givenUpAt: number | undefined, now: number): NotCounting | undefined {
  if (pod.finished) return "finished";
  if (!pod.terminating) return undefined;
  if (pod.containersStopped) return "stopped";
  if (pod.released) return "released";
  if (givenUpAt !== undefined && now >= givenUpAt) return "overdue";
  return undefined;
}

/** Why a pod's own addresses are in no pod group. A host-network pod's address is its node's. */
export function notCounting(
  pod: PodFact,
  givenUpAt: number | undefined,
  now: number,
): NotCounting | undefined {
  const end = ended(pod, givenUpAt, now);
  if (end !== undefined) return end;
  if (pod.hostNetwork) return "host network";
  return pod.addresses.length === 0 ? "no address" : undefined;
}
