import type { Epoch } from "../contract/epoch.ts";
import { BusError, type Bus } from "./bus.ts";
import { Fenced } from "./fenced.ts";

/** A message under the only sequence it can ever be stored at. */
export interface Sent {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly ttlSeconds: number | undefined;
  readonly sequence: number;
  /** The bus answered that it did not store it, and it was on the wire only once. */
  readonly refused: boolean;
}

export interface Reign {
  readonly stream: string;
  readonly epoch: Epoch;
  /** Last sequence acknowledged to us. */
  readonly acknowledged: number;
  /** Our newest state message up to there. */
  readonly state: Sent;
  /** What was sent after that, in order; each may be stored or not. */
  readonly flight: readonly Sent[];
}

/**
 * After a failed publish: up to which sequence is the stream ours? Undefined when it changed while it was read
 * (a late message of our own arrived): ask again.
 *
 * A message that was surely refused while its sequence is taken: another writer took it. Else the last message
 * alone proves nothing. It may be gone (a tombstone that expired while we were cut off), and a
 * claim of another writer may stand between two of our own. So two things are compared: the newest state message
 * must be our newest (every other writer begins with a claim, which is one, and state messages do not expire),
 * and for every message that would count as stored, its subject must show it or our later one. A tombstone may
 * be gone: an absent row says what it said, "not a member". If its subject shows an older message instead, the
 * tombstone was never stored.
 *
 * @throws Fenced when the stream is not ours any more, BusError when it cannot be read
 */
export async function settle(bus: Bus, reign: Reign): Promise<number | undefined> {
  const { stream, epoch, acknowledged, flight, state } = reign;
  const info = await bus.streamInfo(stream);
  if (info === undefined) throw new BusError("no-stream", `stream ${stream} does not exist`);
  const last = info.lastSequence;
  if (info.created !== epoch.created) {
    throw new Fenced("remade", `stream ${stream} was made anew at ${info.created}`);
  }
  if (last < acknowledged) {
    throw new Fenced("rolled-back", `stream ${stream} ends at ${last}, but acknowledged ${acknowledged}`);
  }
  if (last > acknowledged + flight.length) {
    throw new Fenced("replaced", `stream ${stream} holds messages of another writer (at ${last})`);
  }

  const rows = new Map([[state.subject, state]]);
  for (const sent of flight) {
    if (sent.sequence > last) continue;
    if (sent.refused)
      throw new Fenced("replaced", `stream ${stream} holds another's message at ${sent.sequence}`);
    rows.set(sent.subject, sent);
  }
  const wrong = await Promise.all([...rows.values()].map((sent) => isWrong(bus, stream, sent)));
  const again = await bus.streamInfo(stream);
  if (again?.lastSequence !== last || again.created !== epoch.created) return undefined;
  if (wrong.includes(true)) {
    throw new Fenced("replaced", `stream ${stream} holds messages of another writer (up to ${last})`);
  }
  return last;
}

async function isWrong(bus: Bus, stream: string, sent: Sent): Promise<boolean> {
  const held = await bus.lastMessage(stream, sent.subject);
  if (held === undefined) return sent.ttlSeconds === undefined;
  return held.sequence !== sent.sequence || Buffer.compare(held.data, sent.data) !== 0;
}
