import type { Bus } from "@podgate/shared/bus/bus";
import { Fenced } from "@podgate/shared/bus/fenced";
import { Publisher } from "@podgate/shared/bus/publisher";
import { readAll } from "@podgate/shared/bus/reader";
import { parseEvent, type Event } from "@podgate/shared/contract/event";
import { parseState, type State } from "@podgate/shared/contract/state";
import { pokeSubject, stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Random } from "@podgate/shared/runtime/random";
import { memberKey } from "./difference.ts";
import { Session, type SessionObserver, type SessionOptions, type SessionSource } from "./session.ts";

export interface Leadership {
  acquire(signal: AbortSignal): Promise<void>;
  keep(signal: AbortSignal): Promise<void>;
  verify(signal: AbortSignal): Promise<boolean>;
  release(signal: AbortSignal): Promise<void>;
}

export interface ReignPorts {
  readonly bus: Bus;
  readonly leadership: Leadership;
  /** A new one per session: a standby keeps no cache. */
  readonly source: () => SessionSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observe: SessionObserver & { leads(leads: boolean): void; trouble(kind: string): void };
}

const AGAIN_MS = 1000;

/**
 * Reign after reign: wait for the Lease, run a session, and start over when it ended. Only a holder whose Lease a
 * fresh read has confirmed claims the stream.
 */
export async function reign(options: SessionOptions, ports: ReignPorts, signal: AbortSignal): Promise<void> {
  const { leadership, clock, logger, observe } = ports;
  while (!signal.aborted) {
    try {
      await leadership.acquire(signal);
    } catch {
      break;
    }
    observe.leads(true);
    logger.info({ cluster: options.cluster }, "leading");
    const lost = new AbortController();
    const keeping = leadership.keep(AbortSignal.any([signal, lost.signal])).then(() => lost.abort());
    const scope = AbortSignal.any([signal, lost.signal]);
    try {
      while (!scope.aborted && (await leadership.verify(scope))) {
        await oneSession(options, ports, scope);
        if (!scope.aborted) await clock.sleep(AGAIN_MS, scope).catch(() => undefined);
      }
    } finally {
      observe.leads(false);
      lost.abort();
      await keeping;
    }
    if (!signal.aborted) logger.warn({ cluster: options.cluster }, "not leading any more");
    else await leadership.release(AbortSignal.timeout(5000));
  }
}

async function oneSession(options: SessionOptions, ports: ReignPorts, scope: AbortSignal): Promise<void> {
  const { bus, clock, random, logger, observe } = ports;
  const stream = streamOf(options.cluster);
  // The session stops at the scope; the publisher then still stores what is in flight, and is closed after that.
  const over = new AbortController();
  try {
    const last = await lastState(bus, options.cluster);
    if (last !== undefined && last.clusterUid !== options.clusterUid) {
      logger.error(
        { cluster: options.cluster, theirs: last.clusterUid, ours: options.clusterUid },
        "another cluster publishes under this name: give one of them another name (field cluster)",
      );
      observe.trouble("other-cluster");
      await clock.sleep(10_000, scope).catch(() => undefined);
      return;
    }
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
    const readBack = async (signal: AbortSignal): Promise<ReadonlyMap<string, Event>> => {
      const table = await readAll(bus, stream, { signal, clock, random });
      const events = new Map<string, Event>();
      for (const { subject, data } of table?.messages.values() ?? []) {
        if (subject === stateSubject(options.cluster)) continue;
        const event = parseEvent(subject, data);
        events.set(memberKey(event.group, event.address), event);
      }
      return events;
    };
    const abort = (): void => void clock.timer(5000, () => over.abort());
    scope.addEventListener("abort", abort, { once: true });
    const session = new Session(options, {
      publisher: {
        claim: (make) => publisher.claim(make),
        publish: (m, o) => publisher.publish(m, o),
        readBack,
      },
      source: ports.source(),
      clock,
      logger,
      onPoke: (run) => bus.onNotify(pokeSubject(options.cluster), run),
      observe,
    });
    await session.run(last?.resourceVersion ?? "", scope);
  } catch (error) {
    if (scope.aborted) return;
    observe.trouble(error instanceof Fenced ? "fenced" : "session");
    logger.warn({ error }, error instanceof Fenced ? "another writer has the stream" : "the session ended");
  } finally {
    over.abort();
  }
}

async function lastState(bus: Bus, cluster: string): Promise<State | undefined> {
  const subject = stateSubject(cluster);
  const message = await bus.lastMessage(streamOf(cluster), subject);
  return message === undefined ? undefined : parseState(subject, message.data);
}
