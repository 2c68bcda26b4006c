import { BusError, type BucketConfig, type StreamConfig, type StreamInfo } from "./bus.ts";

/** A stream's configuration as JetStream spells it. */
export type WireConfig = Readonly<Record<string, unknown>>;

/** What every stream of Podgate has in common (docs/adr/0003); the rest comes from StreamConfig. */
const RULES: WireConfig = {
  retention: "limits",
  storage: "file",
  max_msgs_per_subject: 1,
  max_age: 0,
  discard: "new",
  discard_new_per_subject: false,
  deny_delete: true,
  deny_purge: true,
  allow_rollup_hdrs: false,
  allow_direct: true,
  allow_msg_ttl: true,
  subject_delete_marker_ttl: 0,
  sealed: false,
  no_ack: false,
  max_consumers: -1,
  mirror: undefined,
  sources: undefined,
  republish: undefined,
  subject_transform: undefined,
};

export function streamWire(config: StreamConfig): WireConfig {
  return {
    ...RULES,
    name: config.name,
    subjects: config.subjects,
    num_replicas: config.replicas,
    max_bytes: config.maxBytes,
    max_msgs: config.maxMessages,
    max_msg_size: config.maxMessageBytes,
  };
}

/** A KV bucket is a stream by convention (NATS ADR-8); ours takes no rollup, so one key cannot erase the others. */
export function bucketWire(config: BucketConfig): WireConfig {
  return {
    ...RULES,
    name: bucketStream(config.name),
    subjects: [`$KV.${config.name}.>`],
    allow_msg_ttl: false,
    num_replicas: config.replicas,
    max_bytes: config.maxBytes,
    max_msgs: -1,
    max_msg_size: -1,
  };
}

/** Without these as they should be nobody can publish: events of removals carry a TTL, and each publish is answered. */
const NEEDED: WireConfig = { allow_msg_ttl: RULES["allow_msg_ttl"], no_ack: RULES["no_ack"] };

export const bucketStream = (name: string): string => `KV_${name}`;

/** One sentence per field in which the server holds something else. Without `wanted`: the common rules only. */
export function differences(held: WireConfig, wanted: WireConfig = RULES): string[] {
  const lines: string[] = [];
  for (const [field, want] of Object.entries(wanted)) {
    const has = held[field];
    if (same(has, want)) continue;
    lines.push(`${field} is ${show(has)}, should be ${show(want)}`);
  }
  return lines;
}

/** Those of the differences with which nobody can publish. */
export const unfitness = (held: WireConfig): string[] => differences(held, NEEDED);

/** @throws BusError `other` */
export function refuseDifferences(config: BucketConfig, info: StreamInfo): void {
  if (info.differences.length === 0) return;
  throw new BusError(
    "other",
    `bucket ${config.name} is configured otherwise: ${info.differences.join("; ")}`,
  );
}

/** The server leaves out fields that are zero, false or empty. */
function same(has: unknown, want: unknown): boolean {
  if (want === 0 || want === false || want === undefined)
    return has === undefined || has === want || has === null;
  if (Array.isArray(want)) {
    return Array.isArray(has) && JSON.stringify(sorted(has)) === JSON.stringify(sorted(want));
  }
  return has === want;
}

const sorted = (list: readonly unknown[]): string[] =>
  list.map(String).toSorted((a, b) => a.localeCompare(b));

const show = (value: unknown): string => (value === undefined ? "not set" : JSON.stringify(value));

/**
 * Where a stream that is made now begins: the microseconds since 1970. Nobody writes a million messages a second
 * for as long as a stream lives, so a stream that is deleted and made again never reaches a sequence of its
 * predecessor: a writer of the old one cannot meet its expected sequence by chance in the new one.
 */
export const firstSequenceAt = (nowMs: number): number => Math.max(1, Math.floor(nowMs) * 1000);
