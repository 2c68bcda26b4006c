import type { Option, OptionValues } from "./arguments.ts";
import type { Command } from "./command-line.ts";
import { showConfig } from "./config.ts";
import { UserError } from "./errors.ts";
import { runUntilSignal } from "./lifecycle.ts";
import type { Logger } from "./logger.ts";

/** Options of a command as they were given. */
export type Options = OptionValues;

export const CONFIG_OPTION = {
  type: "string",
  description: "YAML file with the configuration; fields can be overridden by PODGATE_… variables",
} as const;

export const OUTPUT_OPTION = {
  type: "string",
  description: "text or json",
  default: "text",
  check: (output: string) => wantsJson({ output }),
} as const;

/** The option `wait`. @param seconds unless another time is given */
export function waitOption(description: string, seconds: number): Option {
  return {
    type: "string",
    description,
    default: String(seconds),
    check: (wait) => waitMsOf({ wait }),
  };
}

/** @throws UserError for another form */
export function wantsJson({ output }: Options): boolean {
  if (output !== "text" && output !== "json")
    throw new UserError(`--output ${String(output)}: use text or json`);
  return output === "json";
}

/** Of the option `wait`. @throws UserError for what is no such time */
export function waitMsOf({ wait }: Options): number {
  const seconds = Number(wait);
  if (!Number.isFinite(seconds) || seconds <= 0 || seconds > 3600)
    throw new UserError(`--wait ${String(wait)}: give seconds, more than 0 and at most 3600`);
  return seconds * 1000;
}

export interface Service<T> {
  readonly description: string;
  /** @throws UserError with every fault */
  readonly load: (options: Options) => T;
  readonly loggerOf: (configuration: T) => Logger;
  /** Until the signal. @param again loads the configuration anew, from where this one came */
  readonly run: (configuration: T, logger: Logger, signal: AbortSignal, again: () => T) => Promise<void>;
}

/** The command `run` of a service: it runs until SIGTERM, or only checks and prints its configuration. */
export function serviceCommand<T>({ description, load, loggerOf, run }: Service<T>): Command {
  return {
    description,
    options: {
      config: CONFIG_OPTION,
      "check-config": { type: "boolean", description: "check the configuration, print it and exit" },
    },
    async run(options) {
      const configuration = load(options);
      if (options["check-config"] === true) {
        process.stdout.write(showConfig(configuration));
        return 0;
      }
      const logger = loggerOf(configuration);
      logger.info({ configuration }, "starting");
      return runUntilSignal(logger, (signal) => run(configuration, logger, signal, () => load(options)));
    },
  };
}
