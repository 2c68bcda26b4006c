import { membersWildcard, stateSubject, streamOf } from "../contract/subjects.ts";
import { STATUS_BUCKET } from "../contract/status.ts";
import type { BucketConfig, Bus, StreamConfig } from "./bus.ts";

export interface TopologyOptions {
  /** 1 for one server, 3 for a cluster of servers. */
  readonly replicas: 1 | 3 | 5;
  readonly maxBytes: number;
  readonly maxMessages: number;
  readonly maxMessageBytes: number;
}

/** Room for a million members of one cluster (lab: 414 bytes on disk each), and a state message at its largest. */
export const TOPOLOGY_DEFAULTS: TopologyOptions = {
  replicas: 1,
  maxBytes: 1024 * 1024 * 1024,
  maxMessages: 1_100_000,
  maxMessageBytes: 1024 * 1024,
};

/** The pusher's own memory: device leases, blocks, approvals. Clusters have no right on it. */
export const PUSHER_BUCKET = "podgate-pusher";

const BUCKET_BYTES = 64 * 1024 * 1024;

/** The stream that is one cluster's table (docs/adr/0003). */
export function streamFor(cluster: string, options: TopologyOptions = TOPOLOGY_DEFAULTS): StreamConfig {
  return { ...options, name: streamOf(cluster), subjects: [membersWildcard(cluster), stateSubject(cluster)] };
}

export function buckets(options: TopologyOptions = TOPOLOGY_DEFAULTS): BucketConfig[] {
  return [STATUS_BUCKET, PUSHER_BUCKET].map((name) => ({
    name,
    replicas: options.replicas,
    maxBytes: BUCKET_BYTES,
  }));
}

export interface TopologyFault {
  /** Stream or bucket. */
  readonly name: string;
  /** One sentence per field. */
  readonly differences: readonly string[];
}

/**
 * Makes every stream and bucket that is missing. What exists is left as it is; what differs is returned, field
 * by field, for a person to decide.
 *
 * @throws BusError when the bus cannot be asked
 */
export async function ensureTopology(
  bus: Bus,
  clusters: readonly string[],
  options: TopologyOptions = TOPOLOGY_DEFAULTS,
): Promise<TopologyFault[]> {
  const found: TopologyFault[] = [];
  for (const cluster of clusters) {
    const config = streamFor(cluster, options);
    found.push({ name: config.name, differences: (await bus.createStream(config)).differences });
  }
  for (const config of buckets(options)) {
    found.push({ name: config.name, differences: (await bus.createBucket(config)).differences });
  }
  return found.filter((fault) => fault.differences.length > 0);
}
