import type { Clock } from "@podgate/shared/runtime/clock";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { TargetConfiguration } from "../configuration.ts";
import type { Actual, ActualChild } from "../firewall/firewall.ts";
import { GROUPS_NAMED, proofKey, type Forget, type Proof } from "./decision.ts";
import type { Memory } from "./memory.ts";
import type { TargetWork } from "./target-work.ts";

export interface ForgettingPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memory: Pick<Memory, "save">;
}

/** While something is left, the target is read again after this long, doubled each time. */
const AGAIN_MS = { first: 2000, longest: 60_000 };

/**
 * One forgotten cluster on one target: reads it until nothing of the cluster is left, or nothing more can be done about
 * what is, and stores what was found as the proof.
 */
export class Forgetting {
  readonly decision: Forget;
  readonly #cluster: string;
  readonly #target: Pick<TargetConfiguration, "name" | "mode" | "removals">;
  readonly #work: Pick<TargetWork, "readSoon" | "plan">;
  readonly #ports: ForgettingPorts;
  readonly #checked = new Set<string>();
  /** What the last read found, so that it can be told whether anything still happens. */
  #found: string | undefined;
  #wait = AGAIN_MS.first;
  #nextAt = Number.NEGATIVE_INFINITY;
  #isClean = false;
  #said = "";

  constructor(
    cluster: string,
    decision: Forget,
    target: Pick<TargetConfiguration, "name" | "mode" | "removals">,
    work: Pick<TargetWork, "readSoon" | "plan">,
    ports: ForgettingPorts,
  ) {
    this.#cluster = cluster;
    this.decision = decision;
    this.#target = target;
    this.#work = work;
    this.#ports = ports;
  }

  get target(): string {
    return this.#target.name;
  }

  /** Call once a second. @param now monotonic milliseconds */
  tick(now: number): void {
    if (this.#isClean || now < this.#nextAt) return;
    this.#nextAt = now + this.#wait;
    this.#wait = Math.min(AGAIN_MS.longest, this.#wait * 2);
    this.#work.readSoon();
  }

  /** The target was read. @returns whether a proof was written */
  async saw(actual: Actual): Promise<boolean> {
    const own = [...actual.children.values()].filter(
      ({ standing, origin }) => standing === "ours" && origin?.cluster === this.#cluster,
    );
    for (const { name } of own) this.#checked.add(name);
    const remains = own.map((child) => ({
      name: child.name,
      addresses: child.members.size,
      reason: this.#reason(child, actual).slice(0, 512),
    }));
    const found = JSON.stringify(remains);
    const stands = found === this.#found && this.#work.plan.next(this.#ports.clock.monotonic()) === undefined;
    this.#found = found;
    if (own.length > 0 && this.#target.mode === "enforce" && !stands) return false;
    this.#isClean = own.length === 0;
    if (found === this.#said) return false;
    const proof: Proof = {
      v: 1,
      hash: this.decision.hash,
      decidedAt: this.decision.when,
      target: this.#target.name,
      readAt: Math.round(actual.readAt),
      checked: [...this.#checked].slice(0, GROUPS_NAMED),
      remains: remains.slice(0, GROUPS_NAMED),
      remaining: remains.length,
    };
    this.#said = found;
    if (!(await this.#ports.memory.save(proofKey(this.#cluster, this.#target.name), proof))) {
      this.#said = "";
      this.#isClean = false;
      return false;
    }
    const line = { cluster: this.#cluster, target: this.#target.name, checked: this.#checked.size };
    if (this.#isClean)
      this.#ports.logger.info(line, "nothing of the forgotten cluster is left on the target");
    else
      this.#ports.logger.warn(
        { ...line, remains: remains.slice(0, 20) },
        "something of the forgotten cluster is left on the target",
      );
    return true;
  }

  #reason({ name }: ActualChild, { parents }: Actual): string {
    const { mode, removals } = this.#target;
    if (mode !== "enforce") return `the target is in mode ${mode}: nothing is written`;
    if (removals === "addOnly") return "the target only adds (removals: addOnly)";
    const holders = [...parents.values()].filter(({ members }) => members.has(name)).map((each) => each.name);
    return holders.length > 0
      ? `it could not be taken out of ${holders.join(", ")}`
      : "something else on the firewall uses it: take it out there";
  }
}
