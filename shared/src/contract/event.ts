import { z } from "zod";
import { epochSchema } from "./epoch.ts";
import { clusterName, groupName } from "./names.ts";
import { memberSubject, parseSubject } from "./subjects.ts";
import { CONTRACT_VERSION, readBody, UnreadableMessage, writeBody } from "./version.ts";

/**
 * Why an address left a group, as far as its watcher saw it; guards weigh it (docs/adr/0010, 0018). `ended`: its own end
 * was seen. `changed`: its address or node changed in place. `reused`: another uid of the cluster has the address.
 * `relabeled`: the pod's own labels changed. `vanished`: it is missing from a list. `unselected`: a selector or the
 * labels of a namespace were edited. `undefined`: the definition of its group went. `drained`: its cluster is retired.
 */
export const REMOVE_CAUSES = [
  "ended",
  "changed",
  "reused",
  "relabeled",
  "vanished",
  "unselected",
  "undefined",
  "drained",
] as const;
export type RemoveCause = (typeof REMOVE_CAUSES)[number];

/** At most this many owners stand in an event; `ownerCount` says how many there are. */
export const OWNERS_SHOWN = 5;

const ownerSchema = z.object({
  kind: z.enum(["Pod", "Node"]),
  namespace: z.string().max(63).optional(),
  name: z.string().min(1).max(253),
  uid: z.string().min(1).max(64),
});
export type Owner = z.infer<typeof ownerSchema>;

const shape = {
  v: z.literal(CONTRACT_VERSION),
  cluster: clusterName,
  group: groupName,
  address: z.string().min(2).max(45),
  owners: z.array(ownerSchema).max(OWNERS_SHOWN),
  ownerCount: z.int().nonnegative(),
  epoch: epochSchema,
  resourceVersion: z.string().max(64),
  /** Milliseconds since 1970 at which the watcher received the change. */
  observedAt: z.int().nonnegative(),
};

const eventSchema = z.discriminatedUnion("op", [
  z.object({ ...shape, op: z.literal("add") }),
  z.object({ ...shape, op: z.literal("remove"), cause: z.enum(REMOVE_CAUSES) }),
]);

/** `add` or `remove` of one address in one group of one cluster: the unit on the bus. */
export type Event = z.infer<typeof eventSchema>;

export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
}

export function buildEvent(event: Event): Message {
  return { subject: memberSubject(event.cluster, event.group, event.address), data: writeBody(event) };
}

/**
 * Reads an event. The subject decides cluster, group and address (NATS permissions guard it); a body that says
 * otherwise is refused.
 *
 * @throws UnreadableMessage, SubjectError
 */
export function parseEvent(subject: string, data: Uint8Array): Event {
  const place = parseSubject(subject);
  const event = readBody(subject, data, eventSchema);
  if (
    place.kind !== "member" ||
    event.cluster !== place.cluster ||
    event.group !== place.group ||
    event.address !== place.address
  ) {
    throw new UnreadableMessage("wrong-subject", `${subject}: the body names another member`);
  }
  return event;
}
