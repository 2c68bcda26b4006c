// Disturbs everything at random while pods come and go, and judges the firewall's whole history. See --help.
import { optionsOr } from "../../scripts/options.ts";
import { obtainTool, PartMissing, type ToolName } from "../tools/tool.ts";
import { HELP, parseOptions } from "./options.ts";
import { runChaos, writeReport } from "./run.ts";

const PARTS: readonly ToolName[] = [
  "nats-server",
  "toxiproxy-server",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
];

process.exitCode = await main();

async function main(): Promise<number> {
  const fresh = Date.now() % 1_000_000;
  const { chaos, build } = optionsOr(HELP, parseOptions(process.argv.slice(2), fresh));
  try {
    for (const name of PARTS) await obtainTool(name, (line) => console.error(line));
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    console.error(error.message);
    return 1;
  }
  if (build) await import("../../scripts/build.ts");
  const report = await runChaos({ ...chaos, say: (line) => console.log(line) });
  const { removals, additions, rest, kinds, changes, wrong, late } = report;
  const of = Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`);
  console.log(`\n${report.rounds} rounds, ${changes} changes; ${of.join(", ")}`);
  for (const [name, { count, p50, p99, max }] of Object.entries({ removals, additions, rest }))
    console.log(`${name.padEnd(9)} n ${count}, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`);
  console.log(
    `a device changed hands ${report.takeovers.pushers} times, a cluster ${report.takeovers.watchers} times`,
  );
  console.log(
    `${report.writes} writes, ${late.length} of them late, by up to ${most(late.map(({ lateMs }) => lateMs))} ms; ` +
      `${late.filter(({ changed }) => changed).length} changed something, undone within ${most(late.map(({ undoneMs }) => undoneMs))} ms`,
  );
  console.log(`${wrong.length} rounds were wrong; ${writeReport(report)}`);
  return wrong.length === 0 ? 0 : 1;
}

function most(values: readonly number[]): number {
  return Math.max(0, ...values);
}
