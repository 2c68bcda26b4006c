import { HELP, parseOptions, type Parsed } from "./options.ts";
import { idle, report, stays } from "./report.ts";
import { run } from "./run.ts";

type Options = Extract<Parsed, { kind: "run" }>;

const parsed = parseOptions(process.argv.slice(2), Math.floor(Math.random() * 2 ** 32));
if (parsed.kind === "help") console.log(HELP);
else if (parsed.kind === "faults") {
  for (const fault of parsed.faults) console.error(fault);
  process.exitCode = 2;
} else process.exitCode = (await (parsed.each ? each(parsed) : once(parsed))) ? 0 : 1;

function print(line: string): void {
  console.log(line);
}

/** @returns whether nothing was wrong */
async function once({ seed, steps, clusters, faults, verbose }: Options): Promise<boolean> {
  const result = await run({ seed, steps, clusters, faults, ...(verbose && { show: print }) });
  for (const line of report(result)) console.log(line);
  const never = idle([result]);
  if (never.length > 0) console.log(`never changed anything: ${never.join(", ")} (more steps?)`);
  return result.violations.length === 0 && never.length === 0;
}

async function each({ seed, steps, clusters, faults }: Options): Promise<boolean> {
  let fine = true;
  for (const name of ["none", ...faults]) {
    const result = await run({ seed, steps, clusters, faults: name === "none" ? [] : [name] });
    const { begun, struck } = result.tallies.get(name) ?? { begun: 0, struck: 0 };
    const isFine = result.violations.length === 0 && idle([result]).length === 0;
    if (!isFine) for (const line of report(result)) console.log(line);
    fine &&= isFine;
    console.log(
      `${name.padEnd(22)} ${String(begun).padStart(4)} begun, ${String(struck).padStart(5)} struck: ${stays(result.exposures)}`,
    );
  }
  return fine;
}
