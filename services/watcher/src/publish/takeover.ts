import type { Bus } from "@podgate/shared/bus/bus";
import { Fenced } from "@podgate/shared/bus/fenced";
import { Publisher } from "@podgate/shared/bus/publisher";
import { readAll } from "@podgate/shared/bus/reader";
import { unfitStream } from "@podgate/shared/bus/unfit-stream";
import { parseEvent } from "@podgate/shared/contract/event";
import { parseState, type State } from "@podgate/shared/contract/state";
import { parseSubject, pokeSubject, stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import { CONTRACT_VERSION, UnreadableMessage } from "@podgate/shared/contract/version";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Random } from "@podgate/shared/runtime/random";
import type { Stored } from "./difference.ts";
import type { Rival } from "./rival.ts";
import { Session, type SessionObserver, type SessionOptions, type SessionSource } from "./session.ts";

export interface TakeoverPorts {
  readonly bus: Bus;
  /** A new one per session: a standby keeps no cache. */
  readonly source: () => SessionSource;
  /** The highest contract version the pusher has announced; undefined while it has not. */
  readonly reads: () => number | undefined;
  /** uid of the cluster that the pusher knows under this name; undefined while it has not said. */
  readonly known: () => string | undefined;
  readonly rival: Rival;
  /** A fresh read says that the Lease is still ours. */
  readonly leads: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observe: SessionObserver & {
    trouble(kind: string): void;
    /** The session is over, or did not begin: no turns are to be expected. */
    rest(): void;
  };
}

/** What is in flight when a session ends may take this long to be stored. */
const FINISH_MS = 5000;

/**
 * One session, if nothing speaks against it: the stream is there and takes what is published, no other cluster
 * publishes under this name, and the pusher reads what we write. Resolves when the session is over or may not begin;
 * what was in the way has been logged and counted. The caller tries again, while the Lease is its own.
 */
export async function takeOver(
  options: SessionOptions,
  ports: TakeoverPorts,
  scope: AbortSignal,
): Promise<void> {
  const { bus, logger, observe } = ports;
  try {
    const obstacle = await obstacleTo(options, ports);
    if (typeof obstacle === "string") {
      observe.trouble(obstacle);
      return;
    }
    await oneSession(options, ports, obstacle, scope);
  } catch (error) {
    if (scope.aborted) return;
    const fenced = error instanceof Fenced;
    observe.trouble(fenced ? "fenced" : "session");
    if (fenced)
      logger.warn({ error }, "the stream is not this session's any more: claiming again if the Lease allows");
    else if (bus.connected) logger.warn({ error }, "the session ended");
    else logger.warn({}, "NATS is away: waiting for it");
  } finally {
    observe.rest();
  }
}

/** Nothing speaks against a claim. */
interface Opening {
  /** resourceVersion that lists must have at least; empty = any. */
  readonly minimum: string;
  /** The last state message; undefined = there is none that can be read. */
  readonly last: State | undefined;
}

async function obstacleTo(
  { cluster, clusterUid }: SessionOptions,
  { bus, reads, known, rival, clock, logger }: TakeoverPorts,
): Promise<"no-stream" | "unfit-stream" | "other-cluster" | "old-pusher" | Opening> {
  const stream = streamOf(cluster);
  const pusherReads = reads();
  if (pusherReads !== undefined && pusherReads < CONTRACT_VERSION) {
    logger.error(
      { pusherReads, writes: CONTRACT_VERSION },
      "the pusher does not read this watcher's contract version: upgrade the pusher first; nothing is published until then",
    );
    return "old-pusher";
  }
  const info = await bus.streamInfo(stream);
  if (info === undefined) {
    logger.error(
      { stream },
      "the stream does not exist: add the cluster to the pusher's configuration (it creates the stream), or run podgate-pusher bus init; waiting",
    );
    return "no-stream";
  }
  const unfit = unfitStream(stream, info);
  if (unfit !== undefined) {
    logger.error({ stream, differences: info.differences }, unfit.message);
    return "unfit-stream";
  }
  if (info.differences.length > 0) {
    logger.warn(
      { stream, differences: info.differences },
      "the stream is configured otherwise than Podgate needs it: change these fields with the nats command line",
    );
  }
  const last = await lastState(bus, cluster, logger);
  if (last === undefined) return { minimum: "", last: undefined };
  const { clusterUid: theirs, resourceVersion } = last.state;
  if (theirs === clusterUid) return { minimum: resourceVersion, last: last.state };
  if (!rival.yields(last, clusterUid, known(), clock.monotonic())) {
    logger.error(
      { cluster, theirs, ours: clusterUid },
      `another cluster publishes under this name: give one of the two another name (field cluster). If that one was rebuilt as this one, it must be silent for ${rival.silentSeconds} s. Nothing is published until then`,
    );
    return "other-cluster";
  }
  if (known() !== clusterUid)
    logger.warn(
      { cluster, theirs, ours: clusterUid },
      `another cluster had this name and is silent: this one publishes, but firewalls keep what that one had until podgate-pusher adopt-cluster ${cluster}`,
    );
  // Versions of another cluster say nothing about the lists of this one.
  return { minimum: "", last: last.state };
}

async function oneSession(
  options: SessionOptions,
  ports: TakeoverPorts,
  opening: Opening,
  scope: AbortSignal,
): Promise<void> {
  const { bus, clock, random, logger, observe } = ports;
  const stream = streamOf(options.cluster);
  // The session stops at the scope. A claim ends with it at once; what a claimed session has in flight is still
  // stored, and the publisher is closed after that.
  const over = new AbortController();
  let claimed = false;
  let cancel: (() => void) | undefined;
  const stop = (): void => {
    if (!claimed) over.abort();
    else cancel = clock.timer(FINISH_MS, () => over.abort());
  };
  if (scope.aborted) stop();
  scope.addEventListener("abort", stop, { once: true });
  const publisher = new Publisher({
    bus,
    stream,
    clock,
    random,
    signal: over.signal,
    onTrouble: (kind, message) => {
      observe.trouble(kind);
      logger.warn({ kind }, message);
    },
  });
  const session = new Session(options, {
    publisher: {
      claim: async (make) => {
        const epoch = await publisher.claim(make, () => stillOpen(options, ports, opening, scope));
        claimed = true;
        return epoch;
      },
      publish: (message, how) => publisher.publish(message, how),
      readBack: (begin, signal) => readBack(ports, options.cluster, begin, signal),
    },
    source: ports.source(),
    clock,
    logger,
    onPoke: (run) => bus.onNotify(pokeSubject(options.cluster), run),
    observe,
  });
  try {
    await session.run(opening.minimum, scope);
  } finally {
    cancel?.();
    scope.removeEventListener("abort", stop);
    over.abort();
  }
}

/** The Lease is ours, and of what the claim builds upon nothing has changed since we looked. */
async function stillOpen(
  { cluster, clusterUid }: SessionOptions,
  { bus, logger, leads }: TakeoverPorts,
  { last, minimum }: Opening,
  scope: AbortSignal,
): Promise<boolean> {
  if (!(await leads(scope))) return false;
  const now = (await lastState(bus, cluster, logger))?.state;
  const says = (uid: string | undefined, version: string | undefined): boolean =>
    now?.clusterUid === uid && now?.resourceVersion === version;
  // The second is an earlier try of our own, whose answer was lost.
  return says(last?.clusterUid, last?.resourceVersion) || says(clusterUid, minimum);
}

async function readBack(
  { bus, clock, random, logger }: TakeoverPorts,
  cluster: string,
  begin: () => (row: Stored) => void,
  signal: AbortSignal,
): Promise<boolean> {
  return readAll(bus, streamOf(cluster), { signal, clock, random }, () => {
    const take = begin();
    return ({ subject, data }) => {
      if (subject === stateSubject(cluster)) return;
      const row = rowOf(subject, data);
      if (row !== undefined) take(row);
      else logger.error({ subject }, "a subject of the stream that nobody can read: delete it by hand");
    };
  });
}

/** A row whose body cannot be read is written again, so it counts as one that is there. */
function rowOf(subject: string, data: Uint8Array): Stored | undefined {
  try {
    return parseEvent(subject, data);
  } catch {
    try {
      const place = parseSubject(subject);
      if (place.kind !== "member") return undefined;
      const { group, address } = place;
      return { op: "add", group, address, owners: [], ownerCount: 0, resourceVersion: "", unreadable: true };
    } catch {
      return undefined;
    }
  }
}

/** One that cannot be read (a newer watcher's, after a downgrade) says nothing: the claim replaces it. */
async function lastState(
  bus: Bus,
  cluster: string,
  logger: Logger,
): Promise<{ readonly state: State; readonly sequence: number } | undefined> {
  const subject = stateSubject(cluster);
  const message = await bus.lastMessage(streamOf(cluster), subject);
  if (message === undefined) return undefined;
  try {
    return { state: parseState(subject, message.data), sequence: message.sequence };
  } catch (error) {
    if (!(error instanceof UnreadableMessage)) throw error;
    logger.warn({ error }, "the last state message cannot be read: it is replaced");
    return undefined;
  }
}
