import { pino } from "pino";
import { describeError } from "./errors.ts";

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

const SECRET = /token|password|secret|authorization|credential|nkey|seed|^key$/i;
const DEPTH = 6;

/** JSON lines. Errors are cut to name, code and messages, and fields named like secrets are masked at any depth. */
export function createLogger({ service, version, level, write }: LoggerOptions): Logger {
  const destination = write === undefined ? pino.destination({ fd: 1, sync: true }) : { write };
  const logger = pino(
    {
      level,
      base: { service, version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => safe(fields, DEPTH) as Fields },
    },
    destination,
  );
  return logger as unknown as Logger;
}

/** For tests that do not look at logs. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function safe(value: unknown, depth: number): unknown {
  if (value instanceof Error) return describeError(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return "…";
  if (Array.isArray(value)) return value.map((entry) => safe(entry, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      SECRET.test(key) && !key.endsWith("File") ? "***" : safe(entry, depth - 1),
    ]),
  );
}
