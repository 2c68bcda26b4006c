import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import t from "tap";
import type { Hour } from "./hour.ts";

/** Of 300,000 events each would cost at least 100 bytes, were they kept. */
const MOST_GROWTH_BYTES = 3_000_000;
/** A retry each 30 s, and what is told of it. */
const MOST_LINES = 1000;

t.setTimeout(280_000);

// In a process of its own: what tap keeps of every promise is more than all that a pusher keeps.
t.test(
  "an hour at 100 events a second against a dead device: what is kept grows with groups and addresses, not with events",
  async (t) => {
    const program = fileURLToPath(new URL("hour.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program]);
    const hour = JSON.parse(stdout) as Hour;
    const { events, growth, lines, members, writes } = hour;
    t.comment(stdout.trim());
    t.equal(events, 360_000);
    t.ok(growth < MOST_GROWTH_BYTES, `${growth} bytes more after ${events} events`);
    t.ok(lines < MOST_LINES, `${lines} log lines`);
    t.ok(members > 100, "many addresses are to be made up for");
    t.ok(writes !== undefined && writes > 0 && writes < 2 * hour.keys, `${writes} writes do it`);
  },
);
