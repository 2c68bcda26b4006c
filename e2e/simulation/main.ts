import { optionsOr } from "../../scripts/options.ts";
import { crashAt, pointsOf, sitesOf } from "./crash-points.ts";
import { HELP, parseOptions, type SimulationOptions } from "./options.ts";
import { asJson, faultsIn, idle, report, stays } from "./report.ts";
import { run, type RunResult } from "./run.ts";

// Errors are made by the thousand here, and their stacks cost more than all else.
Error.stackTraceLimit = 3;

const fresh = Math.floor(Math.random() * 2 ** 32);
const asked = optionsOr(HELP, parseOptions(process.argv.slice(2), fresh));
process.exitCode = (await commandOf(asked)(asked)) ? 0 : 1;

function commandOf({
  crashPoints,
  each: isEach,
}: SimulationOptions): (options: SimulationOptions) => Promise<boolean> {
  if (crashPoints) return crashes;
  return isEach ? each : several;
}

/** @returns whether nothing was wrong, and every class of faults changed something */
async function several({
  runs,
  seed: first,
  verbose,
  json,
  ...options
}: SimulationOptions): Promise<boolean> {
  const results: RunResult[] = [];
  for (let seed = first; seed < first + runs; seed += 1) {
    const result = await run({ ...options, seed, ...(verbose && { show: print }) });
    results.push(result);
    if (json) print(asJson(result));
    else for (const line of report(result)) print(line);
    if (result.violations.length > 0) return false;
  }
  const never = idle(results);
  if (json) return never.length === 0;
  if (runs > 1) print(`${String(runs)} runs, ${String(faultsIn(results))} faults: nothing was wrong`);
  if (never.length > 0) print(`never changed anything: ${never.join(", ")} (more steps?)`);
  return never.length === 0;
}

async function each({ faults, json, ...options }: SimulationOptions): Promise<boolean> {
  let isFine = true;
  for (const name of ["none", ...faults]) {
    const result = await run({ ...options, faults: name === "none" ? [] : [name] });
    const isWrong = result.violations.length > 0 || idle([result]).length > 0;
    isFine &&= !isWrong;
    if (json) {
      print(asJson(result));
      continue;
    }
    if (isWrong) for (const line of report(result)) print(line);
    const { begun, struck } = result.tallies.get(name) ?? { begun: 0, struck: 0 };
    const counts = `${String(begun).padStart(4)} begun, ${String(struck).padStart(5)} struck`;
    print(`${name.padEnd(22)} ${counts}: ${stays(result.exposures)}`);
  }
  return isFine;
}

/** Each site is named with what became of it. */
async function crashes({ seed, once, json }: SimulationOptions): Promise<boolean> {
  const points = pointsOf(await sitesOf(seed), seed, once ? "one" : "both");
  let isFine = true;
  for (const point of points) {
    const { died, violations, ...where } = await crashAt(seed, point);
    if (!died || violations.length > 0) isFine = false;
    if (json) print(JSON.stringify({ ...where, died, violations }));
    else
      print(
        `${died && violations.length === 0 ? "ok   " : "WRONG"} ${where.fate.padEnd(10)} ${where.site} (call ${String(where.nth)})${died ? "" : ": it was not reached"}`,
      );
    for (const violation of violations) if (!json) print(`      ${violation}`);
  }
  if (!json)
    print(`seed ${String(seed)}: ${String(points.length)} crashes, ${once ? "one" : "two"} at each site`);
  return isFine;
}

function print(line: string): void {
  console.log(line);
}
