import { z } from "zod";
import { clusterName, groupName, targetName } from "./names.ts";
import { CONTRACT_VERSION, readBody, writeBody } from "./version.ts";

const version = z.literal(CONTRACT_VERSION);

const groupStatusSchema = z.object({
  /** The group's name on the firewall. */
  firewallGroup: z.string(),
  /** Members this cluster should have there, and those the firewall was read or acknowledged to hold. */
  desired: z.int().nonnegative(),
  applied: z.int().nonnegative(),
  inSync: z.boolean(),
  /** Why not, in words for the group's owner; absent when in sync. */
  reason: z.string().max(64).optional(),
  message: z.string().max(1024).optional(),
  /** Addresses the firewall or a rule of the pusher refused; at most 20 are named. */
  refused: z
    .array(z.object({ address: z.string(), reason: z.string().max(256) }))
    .max(20)
    .optional(),
});
export type GroupStatus = z.infer<typeof groupStatusSchema>;

/** What one target holds of one cluster; KV bucket `podgate-status`, key `<cluster>.<target>`. */
const targetStatusSchema = z.object({
  v: version,
  cluster: clusterName,
  target: targetName,
  mode: z.enum(["enforce", "observe", "paused"]),
  groups: z.record(groupName, groupStatusSchema),
  /** Sequence of the cluster's stream up to which everything is on the firewall. */
  appliedSequence: z.int().nonnegative(),
  /** Milliseconds since 1970; 0 = never. */
  lastSuccess: z.int().nonnegative(),
  error: z.string().max(1024).optional(),
  updatedAt: z.int().nonnegative(),
});
export type TargetStatus = z.infer<typeof targetStatusSchema>;

/** What the pusher makes of the cluster as a whole; KV bucket `podgate-status`, key `<cluster>`. */
const clusterStatusSchema = z.object({
  v: version,
  cluster: clusterName,
  /** The highest contract version the pusher reads: a watcher publishes at most that. */
  reads: z.int().positive(),
  verified: z.boolean(),
  /** The one it knows under this name, by the uid of its namespace kube-system; absent while it knows none. */
  uid: z.string().max(64).optional(),
  /** Why the cluster is not verified; absent when it is. */
  reason: z.string().max(1024).optional(),
  /** Groups that go nowhere, and why (no route, not authorized). */
  unrouted: z.record(groupName, z.string().max(256)),
  updatedAt: z.int().nonnegative(),
});
export type ClusterStatus = z.infer<typeof clusterStatusSchema>;

export const STATUS_BUCKET = "podgate-status";
export const targetStatusKey = (cluster: string, target: string): string => `${cluster}.${target}`;
export const clusterStatusKey = (cluster: string): string => cluster;

export const buildTargetStatus = (status: TargetStatus): Uint8Array => writeBody(status);
export const buildClusterStatus = (status: ClusterStatus): Uint8Array => writeBody(status);

/** @throws UnreadableMessage */
export const parseTargetStatus = (key: string, data: Uint8Array): TargetStatus =>
  readBody(`status ${key}`, data, targetStatusSchema);
/** @throws UnreadableMessage */
export const parseClusterStatus = (key: string, data: Uint8Array): ClusterStatus =>
  readBody(`status ${key}`, data, clusterStatusSchema);
