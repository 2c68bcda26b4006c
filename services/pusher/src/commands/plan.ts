import type { Configuration } from "../configuration.ts";
import type { Plan } from "../plan/plan.ts";
import { objectOf } from "../reconcile/applied-line.ts";
import type { TargetWork } from "../reconcile/target-work.ts";
import { table, type Answer } from "./answer.ts";
import { look, type ClusterView, type LookPorts } from "./look.ts";

/** With `--exit-code`, when something would change. */
const CHANGES = 3;

interface TargetView extends Partial<Plan> {
  readonly target: string;
  readonly mode: TargetWork["mode"];
  readonly error?: string;
}

/** What would change on every target now. Writes nothing. */
export async function planCommand(
  configuration: Configuration,
  ports: LookPorts,
  options: { readonly waitMs: number; readonly exitCode: boolean },
): Promise<Answer> {
  return look(configuration, ports, options.waitMs, ({ targets, views, faults }) => {
    const now = ports.clock.monotonic();
    const plans = targets.works.map((work): TargetView => {
      const { target, mode } = work;
      const error = faults.get(target);
      return error === undefined ? { ...work.plan.plan(now), target, mode } : { target, mode, error };
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
  for (const { target, mode, error, steps = [], held = [], warnings = [], truncated, hash } of plans) {
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
    for (const each of held) lines.push(`  held: ${each.what}: ${each.reason}; ${each.release}`);
    for (const warning of warnings) lines.push(`  warning: ${warning}`);
  }
  return lines.join("\n");
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
