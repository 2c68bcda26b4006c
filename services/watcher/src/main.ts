import { runProgram } from "@podgate/shared/runtime/command-line";
import { loadConfig, showConfig } from "@podgate/shared/runtime/config";
import { UserError } from "@podgate/shared/runtime/errors";
import { runUntilSignal } from "@podgate/shared/runtime/lifecycle";
import { exitCode, rowsAsData, rowsAsText } from "@podgate/shared/runtime/check-row";
import { check } from "./check.ts";
import { configurationSchema, type Configuration } from "./configuration.ts";
import { explain, explanationAsText } from "./explain.ts";
import { loggerOf, run } from "./run.ts";
import { staticGroups } from "./static-groups.ts";

const VERSION = process.env["PODGATE_VERSION"] ?? "0.0.0";

type Options = Readonly<Record<string, string | boolean | undefined>>;

const config = {
  type: "string",
  description: "YAML file with the configuration; fields can be overridden by PODGATE_… variables",
} as const;
const output = { type: "string", description: "text or json", default: "text" } as const;

function load(options: Options): Configuration {
  const file = options["config"];
  const configuration = loadConfig(configurationSchema, {
    env: process.env,
    ...(typeof file === "string" && { file }),
  });
  staticGroups(configuration);
  return configuration;
}

/** @throws UserError */
function wantsJson({ output: form }: Options): boolean {
  if (form !== "text" && form !== "json")
    throw new UserError(`--output: "${String(form)}" must be text or json`);
  return form === "json";
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
      check: {
        description: "try everything the watcher needs, change nothing, say what is missing",
        options: { config, output },
        async run(options) {
          const json = wantsJson(options);
          const rows = await check(() => load(options));
          const text = json ? JSON.stringify(rowsAsData(rows), undefined, 2) : rowsAsText(rows);
          process.stdout.write(`${text}\n`);
          return exitCode(rows);
        },
      },
      explain: {
        description: "why a pod is, or is not, in each group",
        operands: "<namespace>/<pod>",
        options: { config, group: { type: "string", description: "only this group" }, output },
        async run(options, [pod, ...more]) {
          if (pod === undefined || more.length > 0) throw new UserError("name one pod: namespace/name");
          const json = wantsJson(options);
          const { group } = options;
          const found = await explain(load(options), pod, typeof group === "string" ? group : undefined);
          process.stdout.write(json ? `${JSON.stringify(found, undefined, 2)}\n` : explanationAsText(found));
          return found.found ? 0 : 1;
        },
      },
    },
  },
  process.argv.slice(2),
);
