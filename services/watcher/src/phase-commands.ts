import { createInterface } from "node:readline/promises";
import { systemClock } from "@podgate/shared/runtime/clock";
import type { Command } from "@podgate/shared/runtime/command-line";
import { UserError } from "@podgate/shared/runtime/errors";
import { CONFIG_OPTION, waitMsOf, waitOption, type Options } from "@podgate/shared/runtime/service-command";
import type { Configuration } from "./configuration.ts";
import { busOf } from "./connections.ts";
import { kubeConfig } from "./kubernetes/cluster.ts";
import { KubernetesError } from "./kubernetes/transport.ts";
import { UndiciTransport } from "./kubernetes/undici-transport.ts";
import { drain, resume, toMaintenance, type PhaseChange, type PhaseChangePorts } from "./phase-change.ts";

type Change = (change: PhaseChange, ports: PhaseChangePorts) => Promise<number>;

const wait = waitOption("seconds to wait until the bus confirms it; without that the exit code is 1", 60);

/** `drain`, `maintenance` and `resume`: what an operator asks of the watcher that leads, through its Lease. */
export function phaseCommands(
  load: (options: Options) => Configuration,
): Record<"drain" | "maintenance" | "resume", Command> {
  const command = (description: string, change: Change, options: Command["options"] = {}): Command => ({
    description,
    options: { config: CONFIG_OPTION, wait, ...options },
    run: (given) => run(load(given), waitMsOf(given), given["yes"] === true, change),
  });
  return {
    maintenance: command(
      "freeze the cluster: nothing of it changes on firewalls, no member joins and none leaves, until resume",
      toMaintenance,
    ),
    drain: command(
      "empty every group of the cluster on every firewall and keep it so, until resume; shows what goes, and asks",
      drain,
      { yes: { type: "boolean", description: "do not ask" } },
    ),
    resume: command("end maintenance or draining: what the cluster holds is published again", resume),
  };
}

async function run(
  configuration: Configuration,
  waitMs: number,
  yes: boolean,
  change: Change,
): Promise<number> {
  const { cluster, lease } = configuration;
  const transport = new UndiciTransport(kubeConfig(configuration.kubernetes));
  const bus = busOf(configuration, () => undefined);
  try {
    return await change(
      { cluster, lease, waitMs },
      {
        bus,
        transport,
        clock: systemClock,
        say: (line) => void process.stdout.write(`${line}\n`),
        confirm: (question) => (yes ? Promise.resolve(true) : asked(question, cluster)),
      },
    );
  } catch (error) {
    if (error instanceof KubernetesError)
      throw new UserError(
        `Lease ${lease.namespace}/${lease.name} could not be written (${error.message}): podgate-watcher check says what is missing`,
      );
    throw error;
  } finally {
    await bus.close();
    await transport.close();
  }
}

async function asked(question: string, answer: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UserError(`${question} Confirm it with --yes; there is no terminal to ask at`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(`${question} Type its name to go on: `)).trim() === answer;
  } finally {
    terminal.close();
  }
}
