import "@podgate/shared/runtime/early-signals";
import { setFlagsFromString } from "node:v8";
import { runProgram } from "@podgate/shared/runtime/command-line";
import { exitCode, rowsAsData, rowsAsText } from "@podgate/shared/runtime/check-row";
import { loadConfig } from "@podgate/shared/runtime/config";
import {
  CONFIG_OPTION,
  OUTPUT_OPTION,
  serviceCommand,
  wantsJson,
  type Options,
} from "@podgate/shared/runtime/service-command";
import { check } from "./check.ts";
import { configurationSchema, type Configuration } from "./configuration.ts";
import { explain, explanationAsText, podNamed } from "./explain.ts";
import { phaseCommands } from "./phase-commands.ts";
import { loggerOf, run } from "./run.ts";
import { staticGroups } from "./static-groups.ts";

// V8 lets a heap of 80 MB grow to 160 before it collects; a process that mostly waits can afford to collect at 96.
// Unlike a cap on the heap it stops no watcher of a larger cluster, and NODE_OPTIONS does not take it.
setFlagsFromString("--heap-growing-percent=20");

const VERSION = process.env["PODGATE_VERSION"] ?? "0.0.0";

function load(options: Options): Configuration {
  const file = options["config"];
  const configuration = loadConfig(configurationSchema, {
    env: process.env,
    ...(typeof file === "string" && { file }),
  });
  staticGroups(configuration);
  return configuration;
}

/** Beside the answer, which may be read by a program. */
const say = (line: string): void => void process.stderr.write(`podgate-watcher: ${line}\n`);

process.exitCode = await runProgram(
  {
    name: "podgate-watcher",
    version: VERSION,
    description: "publishes which addresses of one Kubernetes cluster are in which address group",
    fallback: "run",
    commands: {
      run: serviceCommand({
        description: "watch the cluster and publish until SIGTERM",
        load,
        loggerOf: (configuration) => loggerOf(configuration, VERSION),
        run: (configuration, logger, signal) => run(configuration, VERSION, logger, signal),
      }),
      check: {
        description: "try everything the watcher needs, change nothing, say what is missing",
        options: { config: CONFIG_OPTION, output: OUTPUT_OPTION },
        async run(options) {
          const json = wantsJson(options);
          const rows = await check(() => load(options), say);
          const text = json ? JSON.stringify(rowsAsData(rows), undefined, 2) : rowsAsText(rows);
          process.stdout.write(`${text}\n`);
          return exitCode(rows);
        },
      },
      ...phaseCommands(load),
      explain: {
        description: "why a pod is, or is not, in each group",
        operand: { name: "<namespace>/<pod>", check: podNamed },
        options: {
          config: CONFIG_OPTION,
          group: { type: "string", description: "only this group" },
          output: OUTPUT_OPTION,
        },
        async run(options, pod) {
          const json = wantsJson(options);
          const { group } = options;
          const named = typeof group === "string" ? group : undefined;
          const found = await explain(load(options), pod, named, say);
          process.stdout.write(json ? `${JSON.stringify(found, undefined, 2)}\n` : explanationAsText(found));
          return found.found ? 0 : 1;
        },
      },
    },
  },
  process.argv.slice(2),
);
