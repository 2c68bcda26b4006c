import { encodeToken } from "@podgate/shared/contract/subjects";
import { z } from "zod";
import { jsonOf } from "./json-of.ts";

/** Entries of the KV bucket `podgate-pusher` by which pushers share out devices. */
export const LEASE_FILTER = "lease.>";

export const deviceLeaseKey = (device: string): string => `lease.device.${encodeToken(device)}`;
/** Who speaks for the clusters: their statuses, and what is remembered of them. */
export const CLUSTERS_LEASE_KEY = "lease.clusters";
/** Of a device or the clusters; the other entries are only announcements. */
export const isLease = (key: string): boolean =>
  key === CLUSTERS_LEASE_KEY || key.startsWith(deviceLeaseKey(""));
export const REPLICA_PREFIX = "lease.replica.";
export const replicaKey = (identity: string): string => REPLICA_PREFIX + encodeToken(identity);
/** Written by who found out that he had lost a device: what he sent may have come late. */
export const lateKey = (device: string): string => `lease.late.${encodeToken(device)}`;
/** Written by a command that needs the device for itself. */
export const wantedKey = (device: string): string => `lease.wanted.${encodeToken(device)}`;

const wordSchema = z.object({
  /** See `absences.ts`. */
  absences: z.record(z.string(), z.string()),
  /** Target → what was found behind its URL. */
  found: z.record(z.string(), z.object({ serial: z.string(), vdom: z.string() })),
});

const leaseSchema = z.object({
  v: z.literal(1),
  /** Identity of the process; empty = released. */
  holder: z.string(),
  /** How long it holds unless it is written again. */
  seconds: z.number().positive(),
  /** Of a released one: nothing that was sent to the device may still be done. */
  clean: z.boolean(),
  /** What the holder says of its device to the other pushers. */
  word: wordSchema.optional(),
});

/** What is known of a device to its holder only. */
export type DeviceWord = z.infer<typeof wordSchema>;

export type LeaseEntry = z.infer<typeof leaseSchema>;

export function buildLease(entry: Omit<LeaseEntry, "v">): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, ...entry }));
}

/** An entry of another form counts as held for ever by somebody else: undefined. */
export const parseLease = (value: Uint8Array): LeaseEntry | undefined =>
  leaseSchema.safeParse(jsonOf(value)).data;
