import type { Clock } from "@podgate/shared/runtime/clock";
import type { NotCounting } from "./membership/counting.ts";
import type { Following } from "./metrics.ts";

const FOLLOWING_MS = 1000;
/** Goes through all pods. */
const NOT_COUNTING_MS = 15_000;

interface Sampled {
  following(): readonly Following[];
  readonly membership: { notCounting(now: number): ReadonlyMap<NotCounting, number> };
}

interface Gauges {
  following(now: readonly Following[]): void;
  notCounting(counts: ReadonlyMap<NotCounting, number>): void;
}

/** What is not told by events goes into the metrics now and then; to be called often. */
export function sampler(gauges: Gauges, clock: Clock, source: () => Sampled | undefined): () => void {
  let nextFollowing = 0;
  let nextNotCounting = 0;
  return () => {
    const now = clock.monotonic();
    const current = source();
    if (current === undefined || now < nextFollowing) return;
    nextFollowing = now + FOLLOWING_MS;
    gauges.following(current.following());
    if (now < nextNotCounting) return;
    nextNotCounting = now + NOT_COUNTING_MS;
    gauges.notCounting(current.membership.notCounting(now));
  };
}
