import { runProgram } from "@podgate/shared/runtime/command-line";
import { loadConfig, showConfig } from "@podgate/shared/runtime/config";
import { runUntilSignal } from "@podgate/shared/runtime/lifecycle";
import { configurationSchema, type Configuration } from "./configuration.ts";
import { loggerOf, run } from "./run.ts";

const VERSION = process.env["PODGATE_VERSION"] ?? "0.0.0";

type Options = Readonly<Record<string, string | boolean | undefined>>;

const config = {
  type: "string",
  description: "YAML file with the configuration; fields can be overridden by PODGATE_… variables",
} as const;

function load(options: Options): Configuration {
  const file = options["config"];
  return loadConfig(configurationSchema, { env: process.env, ...(typeof file === "string" && { file }) });
}

process.exitCode = await runProgram(
  {
    name: "podgate-watcher",
    version: VERSION,
    description: "publishes which addresses of one Kubernetes cluster are in which address group",
    fallback: "run",
    commands: {
      run: {
        description: "watch the cluster and publish until SIGTERM",
        options: {
          config,
          "check-config": { type: "boolean", description: "check the configuration, print it and exit" },
        },
        async run(options) {
          const configuration = load(options);
          if (options["check-config"] === true) {
            process.stdout.write(showConfig(configuration));
            return 0;
          }
          const logger = loggerOf(configuration, VERSION);
          logger.info({ configuration }, "starting");
          return runUntilSignal(logger, (signal) => run(configuration, VERSION, logger, signal));
        },
      },
    },
  },
  process.argv.slice(2),
);
