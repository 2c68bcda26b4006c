import { z } from "zod";

/**
 * One watcher's reign over its cluster's stream: when the stream was made (RFC 3339 as NATS gives it) and the
 * sequence of the claim. Rises with each takeover; a stream made anew starts another line of epochs.
 */
export const epochSchema = z.object({
  created: z.string().min(1).max(64),
  sequence: z.int().positive(),
});
export type Epoch = z.infer<typeof epochSchema>;

export function sameEpoch(a: Epoch, b: Epoch): boolean {
  return a.created === b.created && a.sequence === b.sequence;
}
