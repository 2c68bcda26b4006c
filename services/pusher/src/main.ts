import { runProgram, type Command } from "@podgate/shared/runtime/command-line";
import { loadConfig, showConfig } from "@podgate/shared/runtime/config";
import { UserError } from "@podgate/shared/runtime/errors";
import { runUntilSignal } from "@podgate/shared/runtime/lifecycle";
import type { Answer } from "./commands/answer.ts";
import { busInitCommand } from "./commands/bus-init.ts";
import { checkCommand } from "./commands/check.ts";
import { explainCommand } from "./commands/explain.ts";
import { planCommand } from "./commands/plan.ts";
import { withPorts } from "./command-ports.ts";
import { configurationSchema, type Configuration } from "./configuration.ts";
import { loggerOf, run } from "./run.ts";

const VERSION = process.env["PODGATE_VERSION"] ?? "0.0.0";

type Options = Readonly<Record<string, string | boolean | undefined>>;

const config = {
  type: "string",
  description: "YAML file with the configuration; fields can be overridden by PODGATE_… variables",
} as const;
const output = { type: "string", description: "text or json", default: "text" } as const;
const wait = {
  type: "string",
  description: "seconds to wait for NATS and for the clusters to be verified",
  default: "15",
} as const;

function load(options: Options): Configuration {
  const file = options["config"];
  return loadConfig(configurationSchema, { env: process.env, ...(typeof file === "string" && { file }) });
}

function waitOf(options: Options): number {
  const seconds = Number(options["wait"]);
  if (!Number.isFinite(seconds) || seconds <= 0 || seconds > 3600) {
    throw new UserError(`--wait ${String(options["wait"])}: give seconds, more than 0 and at most 3600`);
  }
  return seconds * 1000;
}

function show({ text, json, code }: Answer, options: Options): number {
  process.stdout.write(`${options["output"] === "json" ? JSON.stringify(json, undefined, 2) : text}\n`);
  return code;
}

function checkedOutput(options: Options): void {
  if (options["output"] !== "text" && options["output"] !== "json") {
    throw new UserError(`--output ${String(options["output"])}: use text or json`);
  }
}

/** A command that looks, prints and ends. */
function once(
  description: string,
  more: Pick<Command, "operands" | "options">,
  answer: (
    configuration: Configuration,
    ports: Parameters<Parameters<typeof withPorts>[1]>[0],
    given: { readonly options: Options; readonly operands: readonly string[]; readonly waitMs: number },
  ) => Promise<Answer>,
): Command {
  return {
    description,
    ...more,
    options: { config, wait, output, ...more.options },
    async run(options, operands) {
      checkedOutput(options);
      const given = { options, operands, waitMs: waitOf(options) };
      const configuration = load(options);
      return show(await withPorts(configuration, (ports) => answer(configuration, ports, given)), options);
    },
  };
}

process.exitCode = await runProgram(
  {
    name: "podgate-pusher",
    version: VERSION,
    description: "keeps the address groups of firewalls equal to what runs in Kubernetes",
    fallback: "run",
    commands: {
      run: {
        description: "follow the clusters and write the firewalls until SIGTERM",
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
      plan: once(
        "print what would change on every target, without writing",
        {
          options: {
            "exit-code": { type: "boolean", description: "exit with 3 when something would change" },
          },
        },
        (configuration, ports, { options, waitMs }) =>
          planCommand(configuration, ports, { waitMs, exitCode: options["exit-code"] === true }),
      ),
      check: once(
        "check configuration, NATS and every device, and say how to mend what is wrong",
        {},
        checkCommand,
      ),
      explain: once(
        "say why an address is, or is not, in the groups of every target",
        { operands: "ADDRESS" },
        (configuration, ports, { operands: [address, ...rest], waitMs }) => {
          if (address === undefined || rest.length > 0) {
            throw new UserError("explain: give one address, as in podgate-pusher explain 10.0.0.1");
          }
          return explainCommand(configuration, ports, { address, waitMs });
        },
      ),
      bus: once(
        "init: make the streams and buckets that are missing, and check those that exist",
        { operands: "init" },
        (configuration, ports, { operands, waitMs }) => {
          if (operands.join(" ") !== "init") throw new UserError("bus: the only operand is init");
          return busInitCommand(configuration, ports, { waitMs });
        },
      ),
    },
  },
  process.argv.slice(2),
);
