import type { Clock } from "@podgate/shared/runtime/clock";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import { describeError, UserError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { Configuration } from "./configuration.ts";

export interface ReloadPorts {
  /** Loads the configuration from where the present one came. @throws UserError with every fault */
  readonly again: () => Configuration;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Somebody asks for it now (SIGHUP). Returns the end of the subscription. */
  readonly onAsked: (run: () => void) => () => void;
  /** Is what stands in the file usable? */
  readonly observe: (valid: boolean) => void;
}

/** A file has no signal of its own: a ConfigMap's is swapped under us, an editor's is written in place. */
const POLL_MS = 5000;
/** What has just changed may be half written: a shorter list of routes is valid, too. */
const SETTLE_MS = 1000;

/**
 * Waits for another configuration: one that loads, differs from the present one, and is still the same a moment later.
 * A faulty one is refused whole, with all its faults in the log, and the present one stays.
 *
 * @returns undefined at the signal
 */
export async function anotherConfiguration(
  present: Configuration,
  { again, clock, logger, onAsked, observe }: ReloadPorts,
  signal: AbortSignal,
): Promise<Configuration | undefined> {
  const bell = new Doorbell();
  let isAsked = false;
  const unheard = onAsked(() => {
    isAsked = true;
    bell.ring();
  });
  const before = JSON.stringify(present);
  let seen = before;
  let fault: string | undefined;
  try {
    while (!signal.aborted) {
      const ms = seen === before ? POLL_MS : SETTLE_MS;
      await bell.wait(ms, (wait, run) => clock.timer(wait, run), signal);
      if (signal.aborted) break;
      try {
        const next = again();
        requireSameInstall(present, next);
        const text = JSON.stringify(next);
        if (fault !== undefined) logger.info({}, "the configuration is without faults again");
        else if (isAsked && text === before) logger.info({}, "the configuration is as it was: nothing to do");
        fault = undefined;
        observe(true);
        if (text !== before && text === seen) return next;
        seen = text;
      } catch (error) {
        const words = error instanceof UserError ? error.message : describeError(error);
        if (words !== fault || isAsked) logger.error({ faults: faultsIn(words) }, REFUSED);
        fault = words;
        seen = before;
        observe(false);
      }
      isAsked = false;
    }
    return undefined;
  } finally {
    unheard();
  }
}

/** @throws UserError */
function requireSameInstall(present: Configuration, next: Configuration): void {
  if (next.install === present.install) return;
  throw new UserError(
    `install: "${next.install}": it is "${present.install}" in force, by which everything on the firewalls is named: nobody would take that away any more. Clean every target first, then restart with another one`,
  );
}

const REFUSED = "the configuration was changed, and is refused: the one in force stays";

const faultsIn = (words: string): string[] =>
  words
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** What a person should know of the change, beyond that it was made. */
export function tellOfChange(before: Configuration, now: Configuration, logger: Logger): void {
  const targets = new Set(now.targets.map(({ name }) => name));
  const clusters = new Set(now.clusters.map(({ name }) => name));
  for (const { name, url, vdom } of before.targets)
    if (!targets.has(name))
      logger.warn(
        { target: name, url, vdom },
        "a target is not configured any more: what carries our mark stays on it as it is. To take it off, configure the target again with mode: paused and run podgate-pusher clean",
      );
  for (const { name } of before.clusters)
    if (!clusters.has(name))
      logger.warn(
        { cluster: name },
        "a cluster is not configured any more: what firewalls hold of it passes the guards before it goes",
      );
  if (JSON.stringify(before.ops) !== JSON.stringify(now.ops))
    logger.warn({ ops: now.ops }, "ops.host and ops.port are taken at the start only: restart for them");
}
