import type { Test } from "tap";
import type { Exposures } from "./exposure.ts";
import type { InCluster, JudgeScene, Scene } from "./scene.ts";

/** A disturbance of the stack, and how it ends. */
export interface Fault {
  /** In the summary. */
  readonly name: string;
  readonly strike: () => unknown;
  readonly heal: () => unknown;
  /** While it lasts and pods have come and gone: what must be seen of it. */
  readonly during?: () => unknown;
  /** How late the firewall may be: the fault's own length and what it takes to recover, in milliseconds. */
  readonly boundMs: number;
  /** Pods cannot change while it lasts (the API server is away). */
  readonly still?: true;
}

/** Numbers of pods during a fault: addresses go, come again, and others come. */
const DURING = [1, 5, 2];
/** Controllers whose API server was away may take their time. */
const PODS_MS = 60_000;
const BEFORE = 4;
const AFTER = 3;

/**
 * Pods of a group of its own come and go while a fault lasts; in the end the firewall holds what the API server says,
 * and at no moment of the whole history was a member wrong but for latency within the bound.
 *
 * @param where `calm` = a firewall that the fault does not concern: it must not be late
 */
export async function throughFault(
  t: Test,
  scene: Scene,
  exposures: Exposures,
  fault: Fault,
  where: InCluster & JudgeScene & { readonly calm?: string } = {},
): Promise<void> {
  const group = fault.name.replaceAll(/[^a-z0-9]+/g, "-");
  const { cluster, calm, ...onFirewall } = where;
  const inCluster = cluster === undefined ? {} : { cluster };
  await scene.namespace(group, inCluster);
  await scene.group(group, { pods: { app: group }, ...inCluster });
  await scene.deployment(group, group, { replicas: BEFORE, ...inCluster });
  await scene.untilEqual(group, { count: BEFORE, ...onFirewall });
  const since = Date.now();
  const struckAt = performance.now();
  await fault.strike();
  try {
    if (fault.still !== true) for (const replicas of DURING) await run(scene, group, replicas, inCluster);
    await fault.during?.();
  } finally {
    await fault.heal();
  }
  const healedAt = performance.now();
  await run(scene, group, AFTER, inCluster);
  await scene.untilEqual(group, { count: AFTER, ms: fault.boundMs, ...onFirewall });
  const equalAt = performance.now();
  const verdict = scene.judge(group, { boundMs: fault.boundMs, since, ...onFirewall });
  t.strictSame(verdict.wrong, [], "no member was wrong at any moment");
  const figures = {
    lastedMs: Math.round(healedAt - struckAt),
    recoveredMs: Math.round(equalAt - healedAt),
  };
  if (calm === undefined) {
    exposures.note(t, fault.name, verdict, figures);
    return;
  }
  await scene.untilEqual(group, { ...onFirewall, firewall: calm });
  const other = scene.judge(group, { since, ...onFirewall, firewall: calm });
  t.strictSame(other.wrong, [], `and firewall ${calm}, which has no fault, was not even late`);
  const calmMaxMs = Math.max(0, ...other.lateAdditions, ...other.lateRemovals);
  exposures.note(t, fault.name, verdict, { ...figures, calmMaxMs });
}

/** Waits until so many pods have addresses, by the API server alone. */
async function run(scene: Scene, group: string, replicas: number, inCluster: InCluster): Promise<void> {
  await scene.scale(group, group, replicas, inCluster);
  let pods = "";
  await scene.until(
    () => `${replicas} pods of ${group}; there are ${pods}`,
    async () => {
      const found = await scene.expected(group);
      pods = found.join(" ");
      return found.length === replicas || undefined;
    },
    PODS_MS,
  );
}

/** A fault that is over at once. */
export const nothing = (): void => undefined;

/** A fault that is to last so long whatever happens. */
export const lasting = (ms: number) => (): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
