import { optionsOr, parseCommand } from "../../../../scripts/options.ts";
import { PROFILE_LINES } from "../src/profile.ts";
import { startSimulator, type Simulator } from "../src/simulator.ts";
import { runAnsible } from "./ansible.ts";
import { pythonEnvironment } from "./environment.ts";
import { runFortigateApi } from "./fortigate-api.ts";
import { table, type Result } from "./result.ts";

/** Clients that we did not write, against a simulator of every profile. */
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const CLIENTS = { "fortigate-api": runFortigateApi, ansible: runAnsible };
const NAMES = Object.keys(CLIENTS);
const USAGE = `npm run fidelity -- [client ...]

Runs clients that others wrote against the FortiOS simulator, with every profile (${PROFILE_LINES.join(", ")}).
The first run installs them into a Python environment of their own.

Clients: ${NAMES.join(", ")}; all when none is named`;

async function fidelity(only: readonly string[]): Promise<number> {
  const bin = await pythonEnvironment(say);
  const simulators = new Map<string, Simulator>();
  for (const profile of PROFILE_LINES)
    simulators.set(profile, await startSimulator({ profile, vdoms: ["root", "dmz"] }));
  const results: Result[] = [];
  try {
    for (const [name, client] of Object.entries(CLIENTS)) {
      if (only.length > 0 && !only.includes(name)) continue;
      const started = performance.now();
      say(`${name}: ${PROFILE_LINES.join(", ")} …`);
      results.push(...(await client(bin, simulators)));
      say(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
  } finally {
    await Promise.all([...simulators.values()].map((simulator) => simulator.close()));
  }
  const { text, failures } = table(results, PROFILE_LINES);
  say(text);
  for (const failure of failures) say(`FAILED ${failure}`);
  say(`${String(results.filter(({ ok }) => ok).length)} passed, ${String(failures.length)} failed`);
  return failures.length > 0 || results.length === 0 ? 1 : 0;
}

const clients = optionsOr(
  USAGE,
  parseCommand(
    process.argv.slice(2),
    {},
    (given) => {
      given.among("", given.operands, NAMES);
      return given.operands;
    },
    true,
  ),
);
process.exitCode = await fidelity(clients);
