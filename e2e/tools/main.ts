// Gets every real part and prints, one line each, which it took and from where.
import { optionsOr, parseCommand } from "../../scripts/options.ts";
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
const { wanted, builds } = optionsOr(
  HELP,
  parseCommand(
    process.argv.slice(2),
    { "no-build": { type: "boolean", default: false } },
    (given) => {
      given.among("", given.operands, NAMES);
      const names = given.operands.length > 0 ? (given.operands as ToolName[]) : NAMES;
      return { wanted: names, builds: !given.values["no-build"] };
    },
    true,
  ),
);
for (const name of wanted) await show(name);

async function show(name: ToolName): Promise<void> {
  try {
    const found = builds ? await obtainTool(name, (line) => console.log(line)) : findTool(name);
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
