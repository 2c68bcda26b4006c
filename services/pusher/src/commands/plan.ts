import type { Configuration } from "../configuration.ts";
import { shortHash } from "../plan/guards/held-set.ts";
import type { Plan } from "../plan/plan.ts";
import { Memory } from "../reconcile/memory.ts";
import { objectOf } from "../reconcile/applied-line.ts";
import type { TargetWork } from "../reconcile/target-work.ts";
import { table, type Answer } from "./answer.ts";
import { whatWaits } from "./approve.ts";
import { look, type ClusterView, type LookPorts } from "./look.ts";

/** So long may NATS take to say what is held. */
const KV_MS = 2000;
/** With `--exit-code`, when something would change. */
const CHANGES = 3;

/** What of a held set is on record: only what the pusher itself told can be approved. */
type OnRecord = "this set" | "another set" | "nothing";

interface TargetView extends Partial<Plan> {
  readonly target: string;
  readonly mode: TargetWork["mode"];
  readonly error?: string;
  /** "this set" can be approved under `heldHash` now. */
  readonly onRecord?: OnRecord;
}

/** What would change on every target now. Writes nothing. */
export async function planCommand(
  configuration: Configuration,
  ports: LookPorts,
  options: { readonly waitMs: number; readonly exitCode: boolean },
): Promise<Answer> {
  return look(configuration, ports, options.waitMs, async ({ targets, views, faults }) => {
    const now = ports.clock.monotonic();
    const waiting = await whatWaits(configuration, { ...ports, memory: new Memory(ports) }, KV_MS);
    const plans = targets.works.map((work): TargetView => {
      const { target, mode } = work;
      const error = faults.get(target);
      if (error !== undefined) return { target, mode, error };
      const plan = work.plan.plan(now);
      const told = waiting.find((each) => each.target === target)?.hash;
      const onRecord = told === undefined ? "nothing" : told === plan.heldHash ? "this set" : "another set";
      return { ...plan, target, mode, onRecord };
    });
    const changes = plans.some(({ steps }) => (steps?.length ?? 0) > 0);
    const code = faults.size > 0 ? 1 : changes && options.exitCode ? CHANGES : 0;
    return { text: textOf(plans, views), json: { clusters: views, targets: plans }, code };
  });
}

function textOf(plans: readonly TargetView[], views: readonly ClusterView[]): string {
  const lines = views
    .filter(({ verified }) => !verified)
    .map(
      ({ cluster, reason }) => `cluster ${cluster} is not verified (${reason}): nothing is removed for it`,
    );
  for (const { target, mode, error, steps = [], held = [], warnings = [], ...more } of plans) {
    const { truncated, hash, heldHash = "", onRecord = "nothing" } = more;
    if (lines.length > 0) lines.push("");
    if (error !== undefined) {
      lines.push(`target ${target} (${mode}): cannot be read: ${error}`);
      continue;
    }
    const count =
      steps.length === 0 ? "nothing to change" : `${steps.length} steps, plan ${hash?.slice(0, 12)}`;
    lines.push(`target ${target} (${mode}): ${count}`);
    lines.push(...indented(table(steps.map((step) => [step.kind, objectOf(step), step.reason]))));
    if (truncated === true) lines.push("  … and more");
    lines.push(...heldLines(held));
    if (heldHash !== "") lines.push(`  ${RELEASE[onRecord](shortHash(heldHash))}`);
    for (const warning of warnings) lines.push(`  warning: ${warning}`);
  }
  return lines.join("\n");
}

const RELEASE: Record<OnRecord, (hash: string) => string> = {
  "this set": (hash) => `what waits for an approval goes with: podgate-pusher approve ${hash}`,
  "another set": () =>
    "another set than this is on record: the pusher tells within seconds; podgate-pusher approve lists what it told",
  nothing: (hash) => `what waits for an approval is ${hash}; it can be given once a pusher runs`,
};

/** So many of what is held for one reason are named. */
const NAMED = 10;

/** One line for all that is held for the same reason. */
function heldLines(held: Plan["held"]): string[] {
  const alike = Map.groupBy(held, ({ cluster, group, guard, reason }) =>
    JSON.stringify([cluster, group, guard, reason]),
  );
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const names = same.slice(0, NAMED).map(({ what }) => what);
    const more = same.length > NAMED ? ` and ${same.length - NAMED} more` : "";
    const of = first.group === undefined ? "" : ` of ${first.group} (cluster ${first.cluster})`;
    return [
      `  held by ${first.guard}: ${names.join(", ")}${more}${of}: ${first.reason}; until ${first.release}`,
    ];
  });
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
