import type { Scene } from "../scenarios/scene.ts";
import type { KubernetesObject } from "../stack/kubernetes-client.ts";
import { disturbances, told, type Disturbance } from "./disturbances.ts";
import { lateWrites, type LateWrite } from "./late-writes.ts";
import type { ChaosOptions } from "./options.ts";
import { Random } from "./random.ts";
import { takeovers, turnsOf, writesOf, type Takeovers } from "./turns.ts";
import { GROUPS, work } from "./workload.ts";
import { CLUSTERS, type World } from "./world.ts";

/** The firewall may be so late: a round's disturbances, and what it takes to recover from all of them. */
const BOUND_MS = 90_000;
/** On two busy cores this process hears of a change later than the product. */
const SLACK_MS = 4000;
/** Any number: pods change by a chance of their own. */
const OTHER = 0x5bd1;
/** An administrator's own, which nobody may change. */
const FOREIGN = { address: "by-hand", group: "by-hand-group" };

export interface Round {
  readonly seed: number;
  /** What went wrong, in words. */
  readonly disturbances: readonly string[];
  readonly kinds: readonly string[];
  readonly changes: number;
  readonly takeovers: Takeovers;
  /** On the device, by the pushers. */
  readonly writes: number;
  readonly late: readonly LateWrite[];
  /** Milliseconds from the last heal until every group was as the API servers say. */
  readonly restMs: number;
  readonly wrong: readonly string[];
  /** What was said of the addresses that were wrong. */
  readonly stories: readonly string[];
  readonly lateRemovals: readonly number[];
  readonly lateAdditions: readonly number[];
}

/** What an administrator keeps on the device beside ours. */
export function makeForeign(scene: Scene): void {
  const { simulator } = scene.stack.firewall();
  const make = (path: string, body: Record<string, unknown>): void => {
    const { status } = simulator.edit({ method: "POST", path: `firewall/${path}`, body });
    if (status !== 200) throw new Error(`${path} at the console: ${status}`);
  };
  make("address", { name: FOREIGN.address, subnet: "192.0.2.1 255.255.255.255" });
  make("addrgrp", { name: FOREIGN.group, member: [{ name: FOREIGN.address }] });
}

/** Disturbs, lets pods come and go meanwhile, heals, waits for rest, and judges the whole history of the round. */
export async function playRound(
  world: World,
  { seed, faults, leaseSeconds }: Pick<ChaosOptions, "seed" | "faults" | "leaseSeconds">,
): Promise<Round> {
  const { scene } = world;
  const random = new Random(seed);
  const planned = disturbances(random, faults, leaseSeconds);
  // Nothing of earlier rounds: each begins at rest, and can be replayed by its own seed.
  await scene.forget(undefined, BOUND_MS);
  const foreign = foreignNow(scene);
  const beganAt = Date.now();
  const stopping = new AbortController();
  const working = work(scene, new Random(seed ^ OTHER), stopping.signal);
  await disturb(world, planned).finally(() => stopping.abort());
  const changes = await working;
  const healedAt = performance.now();
  await rest(world);
  const restMs = Math.round(performance.now() - healedAt);
  const verdicts = GROUPS.map((group) => scene.judge(group, { boundMs: BOUND_MS, slackMs: SLACK_MS }));
  const wrong = verdicts.flatMap((verdict) => verdict.wrong);
  const stories = wrong.flatMap((fault) => storyOf(scene, fault));
  if (foreignNow(scene) !== foreign) wrong.push("an administrator's object was changed");
  const writes = writesOf(world);
  return {
    seed,
    disturbances: planned.map(told),
    kinds: planned.map(({ kind }) => kind),
    changes,
    takeovers: takeovers(world.services, beganAt),
    writes: writes.length,
    late: lateWrites(
      turnsOf(world.services, "pusher"),
      writes,
      scene.stack.firewall().simulator.device.chronicle.entries(),
    ),
    restMs,
    wrong,
    stories,
    lateRemovals: verdicts.flatMap((verdict) => verdict.lateRemovals),
    lateAdditions: verdicts.flatMap((verdict) => verdict.lateAdditions),
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function disturb(world: World, planned: readonly Disturbance[]): Promise<void> {
  const results = await Promise.allSettled(
    planned.map(async ({ at, ms, strike, heal }) => {
      await pause(at);
      try {
        await strike(world);
        await pause(ms);
      } finally {
        await heal(world);
      }
    }),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Waits until every group is as the API servers say, twice in a row, and every pusher has verified every cluster. */
export async function rest({ scene, services }: World): Promise<void> {
  const isEqual = async (): Promise<true | undefined> => {
    for (const cluster of CLUSTERS) {
      const pods = await scene.pods("chaos", { cluster });
      // What is still starting or ending is not at rest.
      if (pods.some((pod) => !isSettled(pod))) return undefined;
    }
    for (const group of GROUPS) {
      const [expected, actual] = [await scene.expected(group), await scene.members(group)];
      if (actual?.join() !== expected.join()) return undefined;
    }
    return true;
  };
  await scene.until("every group to be as the API servers say", isEqual, BOUND_MS);
  const pushers = [...services].filter(([name]) => name.startsWith("pusher"));
  await scene.until(
    "every cluster to be verified by every pusher",
    async () => {
      for (const [, pusher] of pushers) {
        const metrics = await pusher.metrics();
        for (const cluster of CLUSTERS)
          if (metrics.get(`podgate_pusher_cluster_verified{cluster="${cluster}"}`) !== 1) return undefined;
      }
      return true;
    },
    BOUND_MS,
  );
  await scene.until("every group to stay so", isEqual, BOUND_MS);
}

function isSettled({ metadata, status }: KubernetesObject): boolean {
  const { podIP } = (status ?? {}) as { readonly podIP?: string };
  return podIP !== undefined && !("deletionTimestamp" in metadata);
}

/** @param fault `group: address …`, as the judge says it */
function storyOf(scene: Scene, fault: string): string[] {
  const [, group = "", address = ""] = /^(\S+): ([\d.]+)/.exec(fault) ?? [];
  return [fault, ...scene.story(group, address)];
}

function foreignNow(scene: Scene): string {
  const { device } = scene.stack.firewall().simulator;
  return JSON.stringify([device.address("root", FOREIGN.address), device.group("root", FOREIGN.group)]);
}
