// Asks the registry what is known of faults in the packages of others: `npm run audit`. Fails where one of them is high
// or critical and in what is shipped; a registry that does not answer such questions is no failure, and is said.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { auditReport } from "./audit-report.ts";

const WAIT_MS = 120_000;
/** As `run.mjs` installs with. */
const PNPM = /^const PNPM = "(.+)";$/m.exec(readFileSync("scripts/run.mjs", "utf8"))?.[1];
if (PNPM === undefined) throw new Error("scripts/run.mjs names no version of pnpm");

const args = ["--yes", PNPM, "audit", "--prod", "--json", ...process.argv.slice(2)];
const { stdout, stderr, error } = spawnSync("npx", args, { encoding: "utf8", timeout: WAIT_MS });
if (error !== undefined) {
  console.log(`audit: not done: ${error.message}`);
} else {
  const report = auditReport(stdout, stderr);
  if (!report.answered) {
    console.log(`audit: not done: the registry does not tell of advisories: ${report.why}`);
  } else {
    const { packages, failing, others } = report;
    for (const each of [...failing, ...others]) console.log(each);
    const count = `${failing.length} high or critical in what is shipped, ${others.length} others`;
    console.log(`audit: ${packages} packages, advisories: ${count}`);
    process.exitCode = failing.length > 0 ? 1 : 0;
  }
}
