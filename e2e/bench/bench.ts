// Measures the product and prints tables; also writes everything as JSON. See --help.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { optionsOr, parseCommand } from "../../scripts/options.ts";
import { startControlPlane } from "../stack/control-plane.ts";
import { grantWatcherAccess } from "../stack/watcher-access.ts";
import { obtainTool, PartMissing } from "../tools/tool.ts";
import { measureChurn } from "./churn.ts";
import { measureIdle } from "./latency.ts";
import { simulatedPods } from "./pods.ts";
import { realPods } from "./real-pods.ts";
import { isMet, render, type Section } from "./report.ts";
import { measureRestarts } from "./restart.ts";
import { DEFAULT_BUDGET, makeRig, NO_BUDGET, type Rig, type RigOptions } from "./rig.ts";
import { measureScale } from "./scale.ts";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));

interface Job {
  readonly name: string;
  readonly run: () => Promise<Section>;
  /** Left out with --quick. */
  readonly long?: true;
}

const HELP = `npm run bench -- [options]

Measures how fast and at what cost changes in Kubernetes reach the firewall: built services as processes of their own,
a real nats-server, a simulated FortiGate, a simulated API server. Prints tables and writes JSON.

  --quick       few rounds, no run of minutes
  --only NAME   one measurement, several times for several (default all): latency-50, latency-250, churn-4,
                churn-0.9, restart, scale-10000, scale-50000, scale-100000
  --real        latency against a real kube-apiserver instead of the simulated one
  --no-build    measure the bundles that are there
  --node-option OPTION   of the services' Node, several times for several: --node-option=--max-semi-space-size=2
  --json FILE   where to write the results (default e2e/bench/results/<time>.json)
  --help`;

/** Under one call a second. */
const SLOW = { burst: 1, perSecond: 0.9 };

const JOBS: readonly Job[] = [
  ...[50, 250].map((writeMs) => ({
    name: `latency-${String(writeMs)}`,
    run: () => (values.real ? idleOnReal(writeMs) : idle(writeMs)),
  })),
  ...[DEFAULT_BUDGET, SLOW].map((budget) => ({
    name: `churn-${String(budget.perSecond)}`,
    run: () =>
      onRig({ writeMs: 0, budget: NO_BUDGET }, (rig) => measureChurn(rig, { writeMs: 50, events, budget })),
  })),
  {
    name: "restart",
    run: () => onRig({ writeMs: 0, budget: NO_BUDGET, driftSeconds: 1 }, measureRestarts),
  },
  scale(10_000, true),
  { ...scale(50_000, true), long: true },
  { ...scale(100_000, false), long: true },
];

const values = optionsOr(
  HELP,
  parseCommand(
    process.argv.slice(2),
    {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      real: { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
      "node-option": { type: "string", multiple: true, default: [] },
      json: { type: "string" },
    },
    (given) => {
      const names = JOBS.map(({ name }) => name);
      given.among("--only ", given.values.only, names);
      return given.values;
    },
  ),
);
const rounds = values.quick ? 5 : 50;
const events = values.quick ? 200 : 1000;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const nats = await obtainTool("nats-server", (line) => console.error(line));
    if (!values["no-build"]) await import("../../scripts/build.ts");
    const jobs = JOBS.filter(({ name, long }) =>
      values.only.length > 0 ? values.only.includes(name) : !(values.quick && long === true),
    );
    const machine = {
      processor: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryGigabytes: Math.round(totalmem() / 1e9),
      node: process.version,
      natsServer: `${nats.version} (${nats.from})`,
    };
    console.log(
      `${Object.entries(machine)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join(", ")}\n`,
    );
    const startedAt = new Date().toISOString();
    const sections: Section[] = [];
    for (const { run } of jobs) {
      const load = loadavg()[0] ?? 0;
      const measured = await run();
      // What else ran on the machine spoils every number.
      const said = `Load of the machine before: ${load.toFixed(1)} on ${String(machine.cores)} cores.`;
      const section = { ...measured, notes: [...measured.notes, said] };
      sections.push(section);
      console.log(render(section));
    }
    const file = resolve(values.json ?? join(RESULTS, `${startedAt.replaceAll(":", "-")}.json`));
    mkdirSync(dirname(file), { recursive: true });
    const quick = values.quick;
    writeFileSync(file, `${JSON.stringify({ startedAt, quick, machine, sections }, undefined, 1)}\n`);
    const aims = sections.flatMap((section) => section.aims);
    console.log(
      `${String(aims.filter(isMet).length)} of ${String(aims.length)} aims met; results in ${file}`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    console.error(error.message);
    return 1;
  }
}

async function onRig(options: RigOptions, measure: (rig: Rig) => Promise<Section>): Promise<Section> {
  const rig = await makeRig({ ...options, nodeOptions: values["node-option"] });
  try {
    return await measure(rig);
  } finally {
    await rig.close();
  }
}

function idle(writeMs: number): Promise<Section> {
  return onRig({ writeMs, budget: DEFAULT_BUDGET }, (rig) =>
    measureIdle(rig, simulatedPods(rig), writeMs, rounds),
  );
}

async function idleOnReal(writeMs: number): Promise<Section> {
  const plane = await startControlPlane({ name: "bench", nodes: 1 });
  try {
    const { kubeconfig } = await grantWatcherAccess(plane);
    const source = await realPods(plane);
    return await onRig({ writeMs, budget: DEFAULT_BUDGET, kubeconfig }, (rig) =>
      measureIdle(rig, source, writeMs, rounds),
    );
  } finally {
    await plane.close();
  }
}

function scale(pods: number, withPusher: boolean): Job {
  return {
    name: `scale-${String(pods)}`,
    run: () => onRig({ writeMs: 0, budget: NO_BUDGET }, (rig) => measureScale(rig, { pods, withPusher })),
  };
}
