import t from "tap";
import { testSeed } from "../../stack/seed.ts";
import { callLines } from "./call-lines.ts";
import { simulate } from "./command.ts";

interface Verdict {
  readonly site: string;
  readonly fate: string;
  readonly nth: number;
  readonly died: boolean;
  readonly violations: readonly string[];
}

/** Far fewer would mean that the list is not what it was; there were 59 when this was written. */
const LEAST_SITES = 50;

t.test("killed at any call into the world, everything comes right, and nothing is left over", async (t) => {
  const seed = testSeed();
  const args = ["--crash-points", "--seed", String(seed), "--json"];
  // Each site once, before or after by the seed; both are for the command itself.
  const ended = await simulate(...args, "--once");
  const verdicts = ended.output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Verdict);
  t.equal(ended.errors, "");
  for (const { site, fate, nth, died, violations } of verdicts) {
    const name = `${fate} ${site} (call ${String(nth)}); again: npm run simulate -- --crash-points --seed ${String(seed)}`;
    t.ok(died, `${name}: reached`);
    t.same(violations, [], name);
  }
  t.comment(`seed ${String(seed)}: ${String(verdicts.length)} sites`);
  t.ok(new Set(verdicts.map(({ site }) => site)).size >= LEAST_SITES, `${String(verdicts.length)} sites`);
  const reached = new Set(verdicts.flatMap(({ site }) => site.split(" ")));
  t.same(
    callLines().filter((line) => !reached.has(line)),
    [],
    "every line that calls into the world is reached (or excused in call-lines.ts)",
  );
  t.ok(verdicts.some(({ site }) => site.startsWith("watcher kubernetes.")));
  t.ok(verdicts.some(({ site }) => site.startsWith("pusher device.")));
});
