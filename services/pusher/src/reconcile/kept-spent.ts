import { z } from "zod";
import type { Spent } from "../plan/guards/spent.ts";

/** More parts than these are put together, each window's to one: a NATS server takes 1 MiB by default. */
const MOST_PARTS = 10_000;

const windowSchema = z.object({
  cluster: z.string(),
  /** Absent = all groups of the cluster. */
  group: z.string().optional(),
  family: z.union([z.literal(4), z.literal(6)]),
  /** Milliseconds since 1970, members more or fewer, removals that are weighed; the oldest first. */
  parts: z.array(z.tuple([z.int(), z.int(), z.int().nonnegative()])),
});

/** What guards have let go on one target within their windows: KV bucket `podgate-pusher`, key `spent.<target>`. */
export const keptSpentSchema = z.object({ v: z.literal(1), windows: z.array(windowSchema) });
export type KeptSpent = z.infer<typeof keptSpentSchema>;

export const keptSpentKey = (target: string): string => `spent.${target}`;

/** @param wall milliseconds since 1970 */
export function keptSpentOf(spent: readonly Spent[], wall: number): KeptSpent {
  const count = spent.reduce((sum, { parts }) => sum + parts.length, 0);
  const windows = spent.map(({ cluster, group, family, parts }): KeptSpent["windows"][number] => ({
    cluster,
    ...(group !== undefined && { group }),
    family,
    parts: (count > MOST_PARTS ? together(parts) : parts).map(({ ageMs, delta, counted }) => [
      Math.round(wall - ageMs),
      delta,
      counted,
    ]),
  }));
  return { v: 1, windows };
}

/** As a plan takes it back. What was done later than now was done now: the wall clock may have been set. */
export function spentOf({ windows }: KeptSpent, wall: number): Spent[] {
  return windows.map(({ parts, ...whose }) => ({
    ...whose,
    parts: parts.map(([at, delta, counted]) => ({ ageMs: Math.max(0, wall - at), delta, counted })),
  }));
}

/** As old as the youngest of them: rather a moment too long than too short. */
function together(parts: Spent["parts"]): Spent["parts"] {
  return [
    {
      ageMs: Math.min(...parts.map(({ ageMs }) => ageMs)),
      delta: parts.reduce((sum, { delta }) => sum + delta, 0),
      counted: parts.reduce((sum, { counted }) => sum + counted, 0),
    },
  ];
}
