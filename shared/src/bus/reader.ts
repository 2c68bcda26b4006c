import { backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { BusError, type Bus, type StoredMessage } from "./bus.ts";
import { pause } from "./pause.ts";

export type ReaderItem =
  /** A new session: what was folded before stands until this one is verified; fold into a fresh map. */
  | { readonly kind: "session"; readonly created: string; readonly lastSequence: number }
  | ({
      readonly kind: "message";
      /** It was in the stream when the session attached: it proves nothing about now. */
      readonly replayed: boolean;
    } & StoredMessage)
  | { readonly kind: "caught-up" }
  | { readonly kind: "interrupted"; readonly reason: string };

export interface ReaderOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
}

const RETRY = { baseMs: 100, capMs: 5000 };

/**
 * A cluster's stream, for ever: session after session, each with a new consumer that reads the last message per
 * subject and then everything that comes. Every session ends with `interrupted`, which says why; the next one
 * follows with capped, jittered back-off. Ends only with the signal or the bus.
 */
export async function* follow(
  bus: Bus,
  stream: string,
  options: ReaderOptions,
): AsyncGenerator<ReaderItem, void, undefined> {
  const { signal, clock, random } = options;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      let attached = 0;
      for await (const item of bus.consume(stream, signal)) {
        if (item.kind === "attached") {
          attached = item.lastSequence;
          yield { kind: "session", created: item.created, lastSequence: item.lastSequence };
        } else if (item.kind === "message") {
          yield { ...item, replayed: item.sequence <= attached };
        } else {
          attempt = 0;
          yield item;
        }
      }
      // The port ends a session without an error only for the signal or a closed bus.
      return;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.kind === "closed") return;
      yield { kind: "interrupted", reason: error.message };
    }
    await pause(bus, clock, backoff(attempt, RETRY, random), signal);
  }
}

/**
 * The whole table as it is now: the last message of each subject, in the order of sequences; of one that is written
 * meanwhile, the later counts. Nothing is kept here. After each interruption it begins anew.
 *
 * @param begin called at each beginning; what it returns gets the messages that follow
 * @returns false when the signal or the end of the bus came first
 */
export async function readAll(
  bus: Bus,
  stream: string,
  options: ReaderOptions,
  begin: () => (message: StoredMessage) => void,
): Promise<boolean> {
  let take: ((message: StoredMessage) => void) | undefined;
  for await (const item of follow(bus, stream, options)) {
    if (item.kind === "session") take = begin();
    else if (item.kind === "message") take?.(item);
    else if (item.kind === "caught-up") return true;
  }
  return false;
}
