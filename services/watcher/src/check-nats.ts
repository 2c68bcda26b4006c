import { BusError, type Bus } from "@podgate/shared/bus/bus";
import { parseState } from "@podgate/shared/contract/state";
import { clusterStatusKey, parseClusterStatus, STATUS_BUCKET } from "@podgate/shared/contract/status";
import { memberSubject, pokeSubject, stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import { CONTRACT_VERSION } from "@podgate/shared/contract/version";
import type { Clock } from "@podgate/shared/runtime/clock";
import { failed, ok, skipped, type Row } from "@podgate/shared/runtime/check-row";
import { sayIfLong } from "@podgate/shared/runtime/long-wait";

export interface NatsCheck {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly cluster: string;
  /** uid of the cluster as the API server gave it. */
  readonly clusterUid: string | undefined;
  /** For messages. */
  readonly servers: readonly string[];
  /** What NATS complained of so far: failed connects and refusals. */
  readonly troubles: readonly string[];
  /** To the person who waits for it. */
  readonly say: (line: string) => void;
}

const CONNECT_MS = 5000;
/** A refused subscription is told later, and an empty bucket is told by nothing. */
const LISTEN_MS = 500;
/** A sequence that a stream never has: the server refuses the message after it has checked the rights. */
const NEVER = Number.MAX_SAFE_INTEGER;
const RIGHTS =
  "give this cluster's NATS user its permissions: podgate-pusher prints them, docs/configuration.md shows where";

/** The bus, as far as it can be tried without harm: nothing is stored, claimed or deleted. */
export async function checkNats(check: NatsCheck): Promise<Row[]> {
  const { bus, cluster, troubles } = check;
  const stream = streamOf(cluster);
  if (!(await connected(check))) {
    const found = troubles.at(-1) ?? `no connection within ${CONNECT_MS / 1000} s`;
    return [
      failed(
        "NATS",
        found,
        "check nats.servers, the credentials and tls of the configuration, and the network",
      ),
      skipped(`stream ${stream}`, "NATS was not reached"),
    ];
  }
  const rows = [ok("NATS", "connected")];
  const row = async (name: string, run: () => Promise<Row>): Promise<boolean> => {
    const made = await run().catch((error: unknown) => failed(name, wordsOf(error), fixFor(error)));
    rows.push(made);
    return made.result === "ok";
  };
  if (!(await row(`stream ${stream}`, () => streamRow(bus, stream)))) return rows;
  await row("its cluster", () => clusterRow(check, stream));
  await row("read the stream", () => readRow(bus, stream));
  for (const subject of [memberSubject(cluster, "podgate-check", "192.0.2.1"), stateSubject(cluster)])
    await row(`publish ${subject}`, () => publishRow(bus, stream, subject));
  await row("hear the pusher's pokes", () => pokeRow(check));
  await row("status bucket", () => bucketRow(check));
  return rows;
}

async function connected({ bus, clock, say, servers }: NatsCheck): Promise<boolean> {
  const end = new AbortController();
  const stop = bus.onConnection((is) => {
    if (is) end.abort();
  });
  const waiting = bus.connected
    ? Promise.resolve()
    : clock.sleep(CONNECT_MS, end.signal).catch(() => undefined);
  await sayIfLong(() => `NATS at ${servers.join(", ")}`, { clock, say }, waiting);
  stop();
  return bus.connected;
}

async function streamRow(bus: Bus, stream: string): Promise<Row> {
  const name = `stream ${stream}`;
  const info = await bus.streamInfo(stream);
  if (info === undefined)
    return failed(
      name,
      "does not exist",
      "add the cluster to the pusher's configuration (it creates the stream), or run podgate-pusher bus init",
    );
  if (info.differences.length > 0)
    return failed(
      name,
      `configured otherwise than Podgate needs it:\n${info.differences.join("\n")}`,
      "change these fields with the nats command line, or delete the stream: podgate-pusher bus init makes it anew",
    );
  return ok(name, `${info.messages} messages, made ${info.created}`);
}

async function clusterRow({ bus, cluster, clusterUid }: NatsCheck, stream: string): Promise<Row> {
  const subject = stateSubject(cluster);
  const last = await bus.lastMessage(stream, subject);
  if (last === undefined) return ok("its cluster", "nobody has published yet");
  const state = parseState(subject, last.data);
  const said = `${state.phase}, ${state.members} members in ${state.groups.length} groups, watcher ${state.watcherVersion}`;
  if (clusterUid === undefined || state.clusterUid === clusterUid) return ok("its cluster", said);
  return failed(
    "its cluster",
    `another cluster (uid ${state.clusterUid}) publishes under the name ${cluster}`,
    "give one of the two another name (field cluster)",
  );
}

async function readRow(bus: Bus, stream: string): Promise<Row> {
  const end = new AbortController();
  for await (const item of bus.consume(stream, end.signal)) {
    end.abort();
    if (item.kind === "attached") return ok("read the stream", `up to sequence ${item.lastSequence}`);
  }
  return failed("read the stream", "no answer", RIGHTS);
}

async function publishRow(bus: Bus, stream: string, subject: string): Promise<Row> {
  const name = `publish ${subject}`;
  try {
    await bus.publish({ stream, subject, data: new Uint8Array(), expectLastSequence: NEVER });
  } catch (error) {
    if (error instanceof BusError && error.kind === "wrong-last-sequence") return ok(name, "allowed");
    throw error;
  }
  return failed(name, "the stream stored what it should have refused", "look at the stream's configuration");
}

async function pokeRow({ bus, clock, cluster, troubles }: NatsCheck): Promise<Row> {
  const before = troubles.length;
  const stop = bus.onNotify(pokeSubject(cluster), () => undefined);
  await clock.sleep(LISTEN_MS);
  stop();
  const refused = troubles.slice(before).find((trouble) => trouble.includes(pokeSubject(cluster)));
  return refused === undefined
    ? ok("hear the pusher's pokes", "subscribed")
    : failed("hear the pusher's pokes", refused, RIGHTS);
}

async function bucketRow({ bus, clock, cluster }: NatsCheck): Promise<Row> {
  const bucket = await bus.bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 });
  const end = new AbortController();
  const cancel = clock.timer(LISTEN_MS, () => end.abort());
  try {
    for await (const { key, value } of bucket.watch(clusterStatusKey(cluster), end.signal)) {
      if (value === undefined) continue;
      const { reads, verified, reason } = parseClusterStatus(key, value);
      if (reads < CONTRACT_VERSION)
        return failed(
          "status bucket",
          `the pusher reads contract version ${reads}, this watcher writes ${CONTRACT_VERSION}`,
          "upgrade the pusher first",
        );
      return ok(
        "status bucket",
        verified ? "the pusher has verified this cluster" : `not verified: ${reason ?? "no reason given"}`,
      );
    }
  } finally {
    cancel();
  }
  return ok("status bucket", "readable; no pusher has reported on this cluster yet");
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : "failed");

function fixFor(error: unknown): string {
  if (!(error instanceof BusError))
    return "upgrade watcher and pusher to versions that understand each other";
  return error.kind === "forbidden" || error.kind === "unknown" ? RIGHTS : "look into the log of nats-server";
}
