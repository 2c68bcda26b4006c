import type { Logger } from "@podgate/shared/runtime/logger";
import { objectOf } from "./applied-line.ts";
import type { TargetWork } from "./target-work.ts";

/** A whole plan costs as much as doing it. */
const LOOK_MS = 5000;
const STEPS_SHOWN = 20;

/** Logs what a target in mode `observe` would do, whenever that changes. */
export class ObservedPlan {
  readonly #logger: Logger;
  readonly #seen = new Map<string, { readonly hash: string; readonly at: number }>();

  constructor({ logger }: { readonly logger: Logger }) {
    this.#logger = logger;
  }

  look(work: TargetWork, now: number): void {
    const seen = this.#seen.get(work.target);
    if (work.mode !== "observe" || !work.wasRead || (seen && now - seen.at < LOOK_MS)) return;
    const { hash, steps, held } = work.plan.plan(now);
    this.#seen.set(work.target, { hash, at: now });
    if (hash === seen?.hash) return;
    this.#logger.info(
      {
        target: work.target,
        steps: steps.length,
        held: held.length,
        first: steps.slice(0, STEPS_SHOWN).map((step) => `${step.kind} ${objectOf(step)}: ${step.reason}`),
      },
      "would change; nothing is written in mode observe",
    );
  }
}
