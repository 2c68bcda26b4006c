import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";

/** More different lines than this are no repetition any more. */
const MOST = 1000;

/**
 * A logger that says a standing trouble once, however often it is met, and again after `everyMs` with the number
 * of lines held back. Lines are the same when they differ in numbers only. Errors of every kind are counted in
 * the metrics, so nothing is lost.
 */
export function quiet(logger: Logger, clock: Clock, everyMs: number): Logger {
  const said = new Map<string, { readonly at: number; held: number }>();
  const once =
    (level: "warn" | "error"): Logger["warn"] =>
    (fields, message) => {
      const { error, kind, resource } = fields;
      const cause = error instanceof Error ? error.message : "";
      const key = [level, message, kind, resource, cause].map(String).join("\n").replaceAll(/\d+/g, "0");
      const before = said.get(key);
      if (before !== undefined && clock.monotonic() - before.at < everyMs) {
        before.held += 1;
        return;
      }
      if (said.size >= MOST) said.clear();
      said.set(key, { at: clock.monotonic(), held: 0 });
      logger[level](before?.held ? { ...fields, repeated: before.held } : fields, message);
    };
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: once("warn"),
    error: once("error"),
  };
}
