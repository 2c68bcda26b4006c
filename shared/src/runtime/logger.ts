import { pino } from "pino";
import { masked } from "./masked.ts";
import { maskText } from "./secrets.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the code logs with: fields first, then the sentence. */
export interface Logger {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
}

export interface LoggerOptions {
  readonly service: string;
  readonly version: string;
  readonly level: "debug" | "info" | "warn" | "error";
  /** Where lines go; standard output when absent, written synchronously so that the last line is never lost. */
  readonly write?: (line: string) => void;
}

/** JSON lines, masked in fields and sentence: see `masked`. */
export function createLogger({ service, version, level, write }: LoggerOptions): Logger {
  const destination = write === undefined ? pino.destination({ fd: 1, sync: true }) : { write };
  const logger = pino(
    {
      level,
      base: { service, version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const at =
    (name: LoggerOptions["level"]) =>
    (fields: Fields, message: string): void => {
      if (logger.isLevelEnabled(name)) logger[name](masked(fields), maskText(message));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** For tests that do not look at logs. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
