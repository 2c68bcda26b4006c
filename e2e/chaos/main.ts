// Disturbs everything at random while pods come and go, and judges the firewall's whole history. See --help.
import { parseArgs } from "node:util";
import { obtainTool, PartMissing, type ToolName } from "../tools/tool.ts";
import { runChaos, writeReport } from "./run.ts";

const HELP = `npm run chaos -- [options]

Real processes: two clusters with two watchers each, two pushers, NATS, and a simulated FortiGate, all behind links of
Toxiproxy. In each round up to three things go wrong at the same time (a link is cut, slow, resets or swallows
everything; a service is killed or stands still beyond its lease; NATS is killed or loses its volume; an API server is
killed; the device is slow, loses replies or fails over) while pods come and go. Then everything is healed, comes to
rest, and the device's history is judged against the API servers': no member that no pod held, none that stayed or was
missing beyond the bound, no administrator's object changed.

  --rounds N   how many (default 10)
  --seed S     of the first round; the next has the next (default: of the time)
  --no-build   the bundles that are there
  --help

A round that fails prints the command that plays it again: the same disturbances and changes, in a new stack.`;

const PARTS: readonly ToolName[] = [
  "nats-server",
  "toxiproxy-server",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
];

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    "no-build": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

process.exitCode = values.help ? help() : await main(Number(values.rounds), Number(values.seed));

function help(): number {
  console.log(HELP);
  return 0;
}

async function main(rounds: number, seed: number): Promise<number> {
  if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed) || seed < 0) {
    console.error("--rounds and --seed are whole numbers, --rounds at least 1");
    return 2;
  }
  try {
    for (const name of PARTS) await obtainTool(name, (line) => console.error(line));
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    console.error(error.message);
    return 1;
  }
  if (!values["no-build"]) await import("../../scripts/build.ts");
  const report = await runChaos({ rounds, seed, say: (line) => console.log(line) });
  const { removals, additions, rest, kinds, changes, wrong } = report;
  const of = Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`);
  console.log(`\n${report.rounds} rounds, ${changes} changes; ${of.join(", ")}`);
  for (const [name, { count, p50, p99, max }] of Object.entries({ removals, additions, rest }))
    console.log(`${name.padEnd(9)} n ${count}, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`);
  console.log(`${wrong.length} rounds were wrong; ${writeReport(report)}`);
  return wrong.length === 0 ? 0 : 1;
}
