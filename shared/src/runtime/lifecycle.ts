import { onCrash } from "./crash.ts";
import { takeSignals } from "./early-signals.ts";
import { describeError, UserError } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** Kubernetes kills after 30 s. */
const STOP_MS = 20_000;

/**
 * Runs a service until SIGTERM or SIGINT, which abort its signal: it finishes what is in flight and returns. A
 * second signal, a stop that takes too long, or an exception that nobody caught ends the process at once.
 *
 * @returns the exit code
 * @throws UserError that `run` threw
 */
export async function runUntilSignal(
  logger: Logger,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const stopping = new AbortController();
  let late: NodeJS.Timeout | undefined;
  const stop = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) {
      logger.warn({ signal: name }, "told to stop a second time: ends at once");
      process.exit(1);
    }
    logger.info({ signal: name }, "stopping: finishing what is in flight");
    late = setTimeout(() => {
      logger.error({ afterMs: STOP_MS }, "did not stop in time");
      process.exit(1);
    }, STOP_MS);
    stopping.abort();
  };
  const calm = onCrash((error) =>
    logger.error({ error: describeError(error) }, "ended by a failure nobody caught"),
  );
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  takeSignals();
  try {
    await run(stopping.signal);
    logger.info({}, "stopped");
    return 0;
  } catch (error) {
    if (error instanceof UserError) throw error;
    logger.error({ error: describeError(error) }, "ended by a failure");
    return 1;
  } finally {
    clearTimeout(late);
    calm();
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
  }
}
