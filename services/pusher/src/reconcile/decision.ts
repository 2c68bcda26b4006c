import { z } from "zod";

/**
 * What a person decided about a cluster, and what came of it: KV bucket `podgate-pusher`, written by commands and read
 * by every pusher. The keys end in names that hold no dot.
 */
const decided = {
  v: z.literal(1),
  who: z.string().max(256),
  /** Milliseconds since 1970. */
  when: z.int().nonnegative(),
  /** Of what was shown before. */
  hash: z.string(),
};

/** The cluster does not exist any more: nothing of it stays on a firewall. */
export const forgetSchema = z.object(decided);
export type Forget = z.infer<typeof forgetSchema>;

/** The cluster of another uid takes the place of the one that was known. */
export const adoptSchema = z.object({ ...decided, from: z.string(), uid: z.string() });
export type Adopt = z.infer<typeof adoptSchema>;

/** At most this many groups are named. */
export const GROUPS_NAMED = 500;

/** What a read of one target found after a cluster was forgotten. */
export const proofSchema = z.object({
  v: z.literal(1),
  /** Of the decision that it proves: its hash and its `when`, because one set can go twice. */
  hash: z.string(),
  decidedAt: z.int().nonnegative(),
  target: z.string(),
  /** Milliseconds since 1970 at which the firewall was read. */
  readAt: z.int().nonnegative(),
  /** Groups of the cluster that were found there since it was forgotten, by name on the firewall. */
  checked: z.array(z.string()),
  /** Those that are still there, and why. */
  remains: z.array(
    z.object({ name: z.string(), addresses: z.int().nonnegative(), reason: z.string().max(512) }),
  ),
  /** How many remain; more than are named in a large case. */
  remaining: z.int().nonnegative(),
});
export type Proof = z.infer<typeof proofSchema>;

export const forgetKey = (cluster: string): string => `forget.${cluster}`;
export const adoptKey = (cluster: string): string => `adopt.${cluster}`;
export const proofKey = (cluster: string, target: string): string => `proof.${cluster}.${target}`;
