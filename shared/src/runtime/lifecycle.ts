import { describeError } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** Kubernetes kills after 30 s. */
const STOP_MS = 20_000;

/**
 * Runs a service until SIGTERM or SIGINT, which abort its signal: it finishes what is in flight and returns. A
 * second signal, or a stop that takes too long, ends the process at once.
 *
 * @returns the exit code
 */
export async function runUntilSignal(
  logger: Logger,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const stopping = new AbortController();
  let late: NodeJS.Timeout | undefined;
  const stop = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) process.exit(1);
    logger.info({ signal: name }, "stopping: finishing what is in flight");
    late = setTimeout(() => {
      logger.error({ afterMs: STOP_MS }, "did not stop in time");
      process.exit(1);
    }, STOP_MS);
    late.unref();
    stopping.abort();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  try {
    await run(stopping.signal);
    logger.info({}, "stopped");
    return 0;
  } catch (error) {
    logger.error({ error: describeError(error) }, "ended by a failure");
    return 1;
  } finally {
    clearTimeout(late);
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
  }
}
