import { pause } from "@podgate/shared/bus/pause";
import { backoff } from "@podgate/shared/runtime/backoff";
import type { Clock } from "@podgate/shared/runtime/clock";
import type { AskedPhase } from "../kubernetes/asked-phase.ts";
import { Rival } from "./rival.ts";
import type { SessionOptions } from "./session.ts";
import { takeOver, type TakeoverPorts } from "./takeover.ts";

export interface Leadership {
  /** Resolves when the Lease is ours. @throws the signal's reason */
  acquire(signal: AbortSignal): Promise<void>;
  /** Resolves when it is lost, or at the signal. */
  keep(signal: AbortSignal): Promise<void>;
  /** A fresh read says that it is still ours. */
  verify(signal: AbortSignal): Promise<boolean>;
  release(signal: AbortSignal): Promise<void>;
  /** What an operator asks for. */
  readonly asked: AskedPhase;
  /** Called when it changes. Returns its own end. */
  onAsked(run: () => void): () => void;
}

export interface ReignPorts extends Omit<TakeoverPorts, "rival" | "leads"> {
  readonly leadership: Leadership;
  readonly observe: TakeoverPorts["observe"] & { leads(leads: boolean): void };
}

const RETRY = { baseMs: 250, capMs: 5000 };
/** A session that lasted this long was a good one: the next failure is a first one again. */
const GOOD_MS = 30_000;
const RELEASE_MS = 5000;

type ReignOptions = Omit<SessionOptions, "asked">;

/**
 * Reign after reign: wait for the Lease, run a session, and start over when it ended. Only a holder whose Lease a
 * fresh read has just confirmed claims the stream. At the signal what is in flight is stored, then the Lease is
 * given up, so that another replica takes over at once.
 */
export async function reign(options: ReignOptions, ports: ReignPorts, signal: AbortSignal): Promise<void> {
  const { leadership, logger, observe } = ports;
  const rival = new Rival(options.heartbeatMs);
  while (!signal.aborted) {
    try {
      await leadership.acquire(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      // The request that was broken off may have taken it.
      return release(leadership, ports.clock);
    }
    observe.leads(true);
    logger.info({ cluster: options.cluster }, "leading");
    const lost = new AbortController();
    const scope = AbortSignal.any([signal, lost.signal]);
    const keeping = leadership.keep(scope).finally(() => lost.abort());
    try {
      await sessions(options, { ...ports, rival, leads: (within) => leadership.verify(within) }, scope);
    } finally {
      observe.leads(false);
      lost.abort();
      await keeping;
    }
    if (signal.aborted) await release(leadership, ports.clock);
    else logger.warn({ cluster: options.cluster }, "not leading any more");
  }
}

async function release(leadership: Leadership, clock: Clock): Promise<void> {
  const late = new AbortController();
  const cancel = clock.timer(RELEASE_MS, () => late.abort());
  await leadership.release(late.signal);
  cancel();
}

/** Each session is of one phase that an operator asks for; when that changes, another one begins. */
async function sessions(
  options: ReignOptions,
  ports: ReignPorts & TakeoverPorts,
  scope: AbortSignal,
): Promise<void> {
  const { bus, leadership, logger, clock, random } = ports;
  let failures = 0;
  while (!scope.aborted && (await ports.leads(scope))) {
    const { asked } = leadership;
    if (asked !== "synced") logger.warn({ phase: asked }, ASKED[asked]);
    const begun = clock.monotonic();
    const changed = new AbortController();
    const unheard = leadership.onAsked(() => changed.abort());
    await takeOver({ ...options, asked }, ports, AbortSignal.any([scope, changed.signal]));
    unheard();
    if (changed.signal.aborted) {
      failures = 0;
      continue;
    }
    failures = clock.monotonic() - begun >= GOOD_MS ? 0 : failures + 1;
    if (!scope.aborted) await pause(bus, clock, backoff(failures, RETRY, random), scope);
  }
}

const ASKED = {
  maintenance:
    "in maintenance: no change of this cluster is published, and firewalls keep what they hold, until podgate-watcher resume",
  draining:
    "drained: every member of this cluster leaves every firewall, and none comes back, until podgate-watcher resume",
} as const;
