import { z } from "zod";
import { epochSchema } from "./epoch.ts";
import type { Message } from "./event.ts";
import { clusterName, groupName } from "./names.ts";
import { parseSubject, stateSubject } from "./subjects.ts";
import { CONTRACT_VERSION, readBody, UnreadableMessage, writeBody } from "./version.ts";

export const PHASES = ["syncing", "synced", "maintenance", "draining"] as const;
export type Phase = (typeof PHASES)[number];

/** How many groups one cluster may define: their names travel in each state message (payload limit 1 MiB). */
const MOST_GROUPS = 5000;

const stateSchema = z.object({
  v: z.literal(CONTRACT_VERSION),
  cluster: clusterName,
  /** uid of the namespace kube-system: tells two clusters of one name apart. */
  clusterUid: z.string().min(1).max(64),
  epoch: epochSchema,
  phase: z.enum(PHASES),
  /** Objects in the watcher's caches per resource (`pods`, `nodes`, `namespaces`, …). */
  listed: z.record(z.string().max(63), z.int().nonnegative()),
  /** Highest resourceVersion of the lists behind this state; "" before the first. */
  resourceVersion: z.string().max(64),
  /** Every group defined now, also those without a member. */
  groups: z.array(groupName).max(MOST_GROUPS),
  /** Members at exactly this place of the stream, and their digest (contract/digest.ts). */
  members: z.int().nonnegative(),
  digest: z.string().regex(/^[0-9a-f]{32}$/),
  watcherVersion: z.string().max(64),
  observedAt: z.int().nonnegative(),
});

/** What a watcher says of its whole cluster, in one total order with its events; also the heartbeat and the claim. */
export type State = z.infer<typeof stateSchema>;

export function buildState(state: State): Message {
  return { subject: stateSubject(state.cluster), data: writeBody(state) };
}

/** @throws UnreadableMessage, SubjectError */
export function parseState(subject: string, data: Uint8Array): State {
  const place = parseSubject(subject);
  const state = readBody(subject, data, stateSchema);
  if (place.kind !== "state" || place.cluster !== state.cluster) {
    throw new UnreadableMessage("wrong-subject", `${subject}: the body names another cluster`);
  }
  return state;
}
