import { BusError, type Bucket, type Entry } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import { z } from "zod";
import type { Known } from "../desired/identity.ts";
import type { ClusterFollower } from "./cluster-follower.ts";
import { jsonOf } from "./json-of.ts";

export interface RecordPorts {
  /** `podgate-pusher` */
  readonly bucket: Bucket;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly follower: Pick<ClusterFollower, "fold" | "learn">;
  /** uid that stands in the configuration: nothing else counts here. */
  readonly pinned: string | undefined;
}

/** What is kept of a cluster across restarts. */
export const keptClusterSchema = z.object({
  v: z.literal(1),
  /** uid of its namespace kube-system. */
  uid: z.string(),
  /** See `Known`. */
  adoptions: z.int().nonnegative().default(0),
  from: z.string().optional(),
  /** Objects per resource in the last list that was believed: what a shrunken list is measured by. */
  listed: z.record(z.string(), z.int().nonnegative()),
});
type Kept = z.infer<typeof keptClusterSchema>;

export const keptClusterKey = (cluster: string): string => `cluster.${cluster}`;

/** Lists are written no more often. */
const LISTED_MS = 5000;
/** Who remembers a cluster looks every second, and an interrupted connection is tried again within a few. */
const ASKED_MS = 5000;

/**
 * The one word of all pushers about who a cluster is, in KV bucket `podgate-pusher`
 * (docs/adr/0024-one-word-about-who-a-cluster-is.md). Whoever knows the cluster writes it where it is missing; the
 * later word of people wins, and else what is written. Where nobody knows it, the first that is heard is written, and
 * believed only when it is.
 */
export class ClusterRecord {
  readonly #ports: RecordPorts;
  readonly #key: string;
  /** Since when it is seen to be missing, in monotonic milliseconds. */
  #missingSince: number | undefined;
  #listedAt = Number.NEGATIVE_INFINITY;

  constructor(ports: RecordPorts) {
    this.#ports = ports;
    this.#key = keptClusterKey(ports.follower.fold.cluster);
  }

  /**
   * Call once a second, and at the end of a pusher that speaks for the clusters. It asks each time: a watch tells what
   * stands in the bucket, and never that an entry is missing, nor that it cannot see at the moment.
   * @param speaks this one keeps the lists
   */
  async keep(speaks: boolean, isEnd: boolean): Promise<void> {
    const { bucket, logger } = this.#ports;
    try {
      const entry = await bucket.get(this.#key);
      const kept = keptIn(entry);
      const word = kept === undefined ? this.#missing() : this.#present(kept, speaks);
      if (word === undefined) return;
      const listed = this.#listed(kept, speaks, isEnd);
      if (kept === undefined || !isSame(word, kept) || listed !== kept.listed)
        await this.#write(entry, { v: 1, ...word, listed });
    } catch (error) {
      this.#missingSince = undefined;
      // Another pusher was faster: its word is read in a second.
      if (error instanceof BusError && error.kind === "wrong-last-sequence") return;
      logger.debug(
        { key: this.#key, reason: describeError(error) },
        "the pusher's memory cannot be read or written; trying again",
      );
    }
  }

  /** @returns what is to be written */
  #missing(): Known | undefined {
    const { clock, follower } = this.#ports;
    const now = clock.monotonic();
    this.#missingSince ??= now;
    const { known, candidate } = follower.fold;
    if (known !== undefined) return known;
    const isAsked = now - this.#missingSince >= ASKED_MS;
    return isAsked && candidate !== undefined ? { uid: candidate, adoptions: 0 } : undefined;
  }

  /** @returns what is to stand there */
  #present(kept: Kept, speaks: boolean): Known {
    const { pinned, follower } = this.#ports;
    this.#missingSince = undefined;
    // People changed the configuration: that is their later word.
    if (pinned !== undefined)
      return speaks && kept.uid !== pinned ? { uid: pinned, adoptions: kept.adoptions + 1 } : kept;
    const { known } = follower.fold;
    if (known !== undefined && known.adoptions > kept.adoptions) return known;
    this.#learn(kept);
    return kept;
  }

  #listed(kept: Kept | undefined, speaks: boolean, isEnd: boolean): Kept["listed"] {
    const { clock, follower } = this.#ports;
    const listed = follower.fold.listed ?? {};
    if (kept === undefined) return listed;
    const now = clock.monotonic();
    if (!speaks || (!isEnd && now - this.#listedAt < LISTED_MS)) return kept.listed;
    return isEqual(listed, kept.listed) ? kept.listed : listed;
  }

  async #write(entry: Entry | undefined, kept: Kept): Promise<void> {
    const { bucket, clock, follower, pinned } = this.#ports;
    const value = new TextEncoder().encode(JSON.stringify(kept));
    this.#listedAt = clock.monotonic();
    if (entry === undefined) await bucket.create(this.#key, value);
    else await bucket.update(this.#key, value, entry.revision);
    if (pinned === undefined && follower.fold.known === undefined) this.#learn(kept);
  }

  #learn({ uid, adoptions, from, listed }: Kept): void {
    const { follower, logger } = this.#ports;
    const { known: before, cluster } = follower.fold;
    follower.learn({ uid, adoptions, from }, listed);
    if (before !== undefined && before.uid !== uid)
      logger.warn({ cluster, before: before.uid, uid }, "all pushers know another cluster under this name");
  }
}

/** One of another version counts as none. */
function keptIn(entry: Entry | undefined): Kept | undefined {
  const parsed = entry && keptClusterSchema.safeParse(jsonOf(entry.value));
  return parsed?.data;
}

const isSame = (a: Known, b: Known): boolean => a.uid === b.uid && a.adoptions === b.adoptions;

const isEqual = (a: Kept["listed"], b: Kept["listed"]): boolean =>
  Object.keys({ ...a, ...b }).every((resource) => a[resource] === b[resource]);
