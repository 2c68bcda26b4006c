import type { Outcome, Step } from "../firewall/firewall.ts";

/** A dry run lists so many steps. */
const MOST_STEPS = 100_000;

interface Machine {
  next(now: number): Step | undefined;
  took(step: Step, outcome: Outcome, now: number): unknown;
}

/** Every step that a target's plan would take if each were done at once. @param copy is used up */
export function dryRun(copy: Machine, now: number): { steps: Step[]; truncated: boolean } {
  const steps: Step[] = [];
  for (let step = copy.next(now); step !== undefined; step = copy.next(now)) {
    if (steps.length === MOST_STEPS) return { steps, truncated: true };
    steps.push(step);
    copy.took(step, { result: "done", changed: true }, now);
  }
  return { steps, truncated: false };
}
