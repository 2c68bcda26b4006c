// Gets every real part and prints, one line each, which it took and from where.
import { parseArgs } from "node:util";
import { cacheRoot } from "./cache.ts";
import { KITS, overrideOf, type ToolName } from "./parts.ts";
import { findTool, obtainTool, PartMissing } from "./tool.ts";

const HELP = `npm run tools -- [options] [part ...]

Gets the real parts of the tests: ${KITS.flatMap((kit) => kit.parts.map(({ name }) => name)).join(", ")}.
Each is taken from, in this order: its variable (${overrideOf("nats-server")}=…), PATH if its version is the pinned
one, the cache (${cacheRoot()}/tools/<kit>-<version>-<hash>/), a build with Go.

  --no-build   say what is at hand, build nothing
  --help`;

const NAMES = KITS.flatMap(({ parts }) => parts.map(({ name }) => name as ToolName));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "no-build": { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !NAMES.includes(name as ToolName));

if (values.help) {
  console.log(HELP);
} else if (unknown.length > 0) {
  console.error(`no part is named ${unknown.join(", ")}; there are ${NAMES.join(", ")}`);
  process.exitCode = 2;
} else {
  for (const name of positionals.length > 0 ? (positionals as ToolName[]) : NAMES) await show(name);
}

async function show(name: ToolName): Promise<void> {
  try {
    const found = values["no-build"] ? findTool(name) : await obtainTool(name, (line) => console.log(line));
    if (found === undefined) return missing(name, "not at hand");
    console.log(`${name.padEnd(24)} ${found.version.padEnd(9)} ${found.from.padEnd(10)} ${found.path}`);
  } catch (error) {
    missing(name, error instanceof PartMissing ? error.message : String(error));
  }
}

function missing(name: string, why: string): void {
  console.log(`${name.padEnd(24)} missing: ${why}`);
  process.exitCode = 1;
}
