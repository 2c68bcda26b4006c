import "@podgate/shared/runtime/early-signals";
import type { Accepted } from "@podgate/shared/runtime/arguments";
import { runProgram, type Command } from "@podgate/shared/runtime/command-line";
import { loadConfig } from "@podgate/shared/runtime/config";
import { UserError } from "@podgate/shared/runtime/errors";
import { sayIfLong } from "@podgate/shared/runtime/long-wait";
import {
  CONFIG_OPTION,
  OUTPUT_OPTION,
  serviceCommand,
  waitMsOf,
  waitOption,
  wantsJson,
  type Options,
} from "@podgate/shared/runtime/service-command";
import type { Answer } from "./commands/answer.ts";
import { adoptClusterCommand } from "./commands/adopt-cluster.ts";
import { approveCommand } from "./commands/approve.ts";
import { busInitCommand } from "./commands/bus-init.ts";
import { busUsersCommand } from "./commands/bus-users.ts";
import { checkCommand } from "./commands/check.ts";
import { cleanCommand } from "./commands/clean.ts";
import { addressNamed, explainCommand } from "./commands/explain.ts";
import { forgetClusterCommand } from "./commands/forget-cluster.ts";
import { planCommand } from "./commands/plan.ts";
import { whoDecides } from "./commands/who.ts";
import { withPorts } from "./command-ports.ts";
import { configurationSchema, type Configuration } from "./configuration.ts";
import { loggerOf, run } from "./run.ts";

const VERSION = process.env["PODGATE_VERSION"] ?? "0.0.0";

const wait = waitOption("seconds to wait for NATS and for the clusters to be verified", 15);

function load(options: Options): Configuration {
  const file = options["config"];
  return loadConfig(configurationSchema, { env: process.env, ...(typeof file === "string" && { file }) });
}

function show({ text, json, code }: Answer, asJson: boolean): number {
  process.stdout.write(`${asJson ? JSON.stringify(json, undefined, 2) : text}\n`);
  return code;
}

const by = {
  type: "string",
  description: "who decides it, for the record; default the user of this system",
} as const;

/** For a command that shows first, and acts when it is given the hash of what it showed. */
const decision = {
  approve: { type: "string", description: "do it: the hash that was shown" },
  by,
  wait: waitOption("seconds to wait for NATS, and for what was decided to be done", 60),
} as const;

const decided = (options: Options) => ({
  approve: typeof options["approve"] === "string" ? options["approve"] : undefined,
  who: whoDecides(options["by"]),
});

type CommandPorts = Parameters<Parameters<typeof withPorts>[1]>[0];

/** Beside the answer, which may be read by a program. */
const say = (line: string): void => void process.stderr.write(`podgate-pusher: ${line}\n`);

function waitedFor({ nats }: Configuration, { bus, busTrouble }: CommandPorts): string {
  if (bus.connected) return "the clusters and the targets";
  const trouble = busTrouble?.();
  return `NATS at ${nats.servers.join(", ")}${trouble === undefined ? "" : `: ${trouble}`}`;
}

/** A command that looks, prints and ends. */
function once(
  description: string,
  more: Accepted,
  answer: (
    configuration: Configuration,
    ports: CommandPorts,
    given: { readonly options: Options; readonly operand: string; readonly waitMs: number },
  ) => Promise<Answer>,
): Command {
  return {
    description,
    ...more,
    options: { config: CONFIG_OPTION, wait, output: OUTPUT_OPTION, ...more.options },
    async run(options, operand) {
      const asJson = wantsJson(options);
      const given = { options, operand, waitMs: waitMsOf(options) };
      const configuration = load(options);
      const answered = (ports: CommandPorts): Promise<Answer> =>
        sayIfLong(
          () => waitedFor(configuration, ports),
          { clock: ports.clock, say },
          answer(configuration, ports, given),
        );
      return show(await withPorts(configuration, answered), asJson);
    },
  };
}

function busCommandNamed(name: string): void {
  if (name !== "init" && name !== "users") throw new UserError(`bus ${name}: give init or users`);
}

const init = once("", {}, (configuration, ports, { waitMs }) =>
  busInitCommand(configuration, ports, { waitMs }),
);

process.exitCode = await runProgram(
  {
    name: "podgate-pusher",
    version: VERSION,
    description: "keeps the address groups of firewalls equal to what runs in Kubernetes",
    fallback: "run",
    commands: {
      run: serviceCommand({
        description: "follow the clusters and write the firewalls until SIGTERM",
        load,
        loggerOf: (configuration) => loggerOf(configuration, VERSION),
        run: (configuration, logger, signal, again) => run(configuration, VERSION, logger, signal, { again }),
      }),
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
      approve: once(
        "let go what a guard holds back: exactly what podgate-pusher plan shows under this hash; without one, list what waits",
        { operand: { name: "HASH", optional: true }, options: { by: decision.by } },
        (configuration, ports, { options, operand, waitMs }) =>
          approveCommand(configuration, ports, {
            hash: operand === "" ? undefined : operand,
            who: whoDecides(options["by"]),
            waitMs,
          }),
      ),
      check: once(
        "check configuration, NATS and every device, and say how to mend what is wrong",
        {},
        checkCommand,
      ),
      explain: once(
        "say why an address is, or is not, in the groups of every target",
        { operand: { name: "ADDRESS", check: addressNamed } },
        (configuration, ports, { operand, waitMs }) =>
          explainCommand(configuration, ports, { address: operand, waitMs }),
      ),
      "forget-cluster": once(
        "take everything of a cluster that does not exist any more off every firewall: shows it, and with its hash does it",
        { operand: { name: "NAME" }, options: decision },
        (configuration, ports, { options, operand, waitMs }) =>
          forgetClusterCommand(configuration, ports, {
            cluster: operand,
            ...decided(options),
            waitMs,
          }),
      ),
      "adopt-cluster": once(
        "take a rebuilt cluster (another uid) for the one that had its name: shows what it changes, and with its hash does it",
        { operand: { name: "NAME" }, options: decision },
        (configuration, ports, { options, operand, waitMs }) =>
          adoptClusterCommand(configuration, ports, {
            cluster: operand,
            ...decided(options),
            waitMs,
          }),
      ),
      clean: once(
        "take everything that carries our mark off one target: shows it, and with its hash does it",
        { operand: { name: "TARGET" }, options: decision },
        (configuration, ports, { options, operand, waitMs }) =>
          cleanCommand(configuration, ports, {
            target: operand,
            ...decided(options),
            waitMs,
          }),
      ),
      bus: {
        description:
          "init: make the streams and buckets that are missing, and check those that exist; users: write a key for every NATS user, and their rights for nats-server",
        operand: { name: "init|users", check: busCommandNamed },
        options: {
          config: CONFIG_OPTION,
          wait,
          output: OUTPUT_OPTION,
          out: { type: "string", description: "users: folder to write to", default: "nats-users" },
          rotate: { type: "string", description: "users: this one gets a new key, beside the one it has" },
        },
        async run(options, operand) {
          if (operand === "init") return init.run(options, "");
          const { out, rotate } = options;
          const named = typeof rotate === "string" ? rotate : undefined;
          const answer = busUsersCommand(load(options), { folder: String(out), rotate: named });
          return show(answer, wantsJson(options));
        },
      },
    },
  },
  process.argv.slice(2),
);
