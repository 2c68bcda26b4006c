import { parseArgs } from "node:util";
import { run } from "./run.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "100" },
    clusters: { type: "string", default: "2" },
    verbose: { type: "boolean", default: false },
  },
});
const result = await run({
  seed: Number(values.seed),
  steps: Number(values.steps),
  clusters: Number(values.clusters),
  ...(values.verbose && { show: (line: string) => console.log(line) }),
});
console.log({
  ...result,
  lastLines: result.violations.length > 0 ? result.lastLines : [],
  exposures: result.exposures.length,
  worst: Math.max(...result.exposures),
});
