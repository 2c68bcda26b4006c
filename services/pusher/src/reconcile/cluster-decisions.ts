import type { Bucket, Bus } from "@podgate/shared/bus/bus";
import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { z } from "zod";
import type { Configuration } from "../configuration.ts";
import type { Actual } from "../firewall/firewall.ts";
import type { Clusters } from "./clusters.ts";
import { adoptKey, adoptSchema, forgetKey, forgetSchema, type Adopt, type Forget } from "./decision.ts";
import { Forgetting } from "./forgetting.ts";
import { jsonOf } from "./json-of.ts";
import type { Memory } from "./memory.ts";
import type { TargetWork } from "./target-work.ts";

export interface DecisionPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memory: Pick<Memory, "save">;
  readonly clusters: Pick<Clusters, "followers">;
}

const AGAIN_MS = 1000;

/** What people decided about clusters by `forget-cluster` and `adopt-cluster`, as far as it is still true. */
export class ClusterDecisions {
  readonly #configuration: Pick<Configuration, "clusters" | "targets">;
  readonly #ports: DecisionPorts;
  readonly #forgets = new Map<string, Forget>();
  readonly #adopts = new Map<string, Adopt>();
  /** Cluster → target → what is left to do. */
  readonly #forgettings = new Map<string, Map<string, Forgetting>>();

  constructor(configuration: Pick<Configuration, "clusters" | "targets">, ports: DecisionPorts) {
    this.#configuration = configuration;
    this.#ports = ports;
  }

  /** Until the signal: takes what is decided, at once. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#follow(forgetKey("*"), forgetSchema, this.#forgets, signal),
      this.#follow(adoptKey("*"), adoptSchema, this.#adopts, signal),
    ]);
  }

  /** Call once a second. @param works every target */
  tick(now: number, works: readonly TargetWork[]): void {
    for (const [cluster, adopt] of this.#adopts) this.#adopt(cluster, adopt);
    for (const [cluster, forget] of this.#forgets) this.#forget(cluster, forget, now, works);
    for (const targets of this.#forgettings.values())
      for (const forgetting of targets.values()) forgetting.tick(now);
  }

  /** A target was read. */
  read(target: string, actual: Actual): void {
    for (const targets of this.#forgettings.values()) void targets.get(target)?.saw(actual);
  }

  #adopt(cluster: string, { from, uid, who, hash }: Adopt): void {
    const follower = this.#ports.clusters.followers.get(cluster);
    const isPinned = this.#configuration.clusters.some((each) => each.name === cluster && each.uid);
    if (follower === undefined || isPinned || follower.fold.uid !== from) return;
    follower.adopt(uid);
    // It is done, and what people decide after it is not undone by it.
    this.#adopts.delete(cluster);
    this.#ports.logger.warn({ cluster, from, uid, who, hash }, "another cluster is adopted under this name");
  }

  #forget(cluster: string, decision: Forget, now: number, works: readonly TargetWork[]): void {
    const follower = this.#ports.clusters.followers.get(cluster);
    if (follower === undefined) return;
    const { fold } = follower;
    if (fold.verified || (fold.isHeard(now) && fold.foreign === undefined)) {
      this.#void(cluster);
      return;
    }
    const [known] = this.#forgettings.get(cluster)?.values() ?? [];
    // A watch that begins anew delivers the same decision again.
    const isKnown = known?.decision.hash === decision.hash && known.decision.when === decision.when;
    if (isKnown && fold.retired === "forgotten") return;
    // A pusher that has just begun to listen does not know yet that the cluster is silent.
    if (fold.retired !== "forgotten" && !fold.isSilent(now)) return;
    follower.forget();
    const { who, hash } = decision;
    this.#ports.logger.warn({ cluster, who, hash }, "the cluster is forgotten: nothing of it stays");
    const forgettings = this.#configuration.targets.flatMap((target) => {
      const work = works.find((each) => each.target === target.name);
      return work === undefined ? [] : [new Forgetting(cluster, decision, target, work, this.#ports)];
    });
    this.#forgettings.set(cluster, new Map(forgettings.map((each) => [each.target, each])));
  }

  #void(cluster: string): void {
    this.#forgets.delete(cluster);
    this.#forgettings.delete(cluster);
    this.#ports.clusters.followers.get(cluster)?.recall();
    this.#ports.logger.warn({ cluster }, "the cluster is heard again: that it was forgotten is void");
    // Where it fails, the next start comes here again.
    void this.#bucket()
      .then((bucket) => bucket.delete(forgetKey(cluster)))
      .catch(() => undefined);
  }

  async #follow<T>(
    filter: string,
    schema: z.ZodType<T>,
    into: Map<string, T>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger } = this.#ports;
    while (!signal.aborted) {
      try {
        for await (const { key, value } of (await this.#bucket()).watch(filter, signal)) {
          const cluster = key.slice(key.indexOf(".") + 1);
          const decision = value && schema.safeParse(jsonOf(value));
          if (decision?.success === true) into.set(cluster, decision.data);
          else into.delete(cluster);
          if (decision?.success === false)
            logger.warn({ key }, "a decision that cannot be read; it is left out");
        }
      } catch (error) {
        logger.debug({ reason: describeError(error) }, "decisions about clusters cannot be read yet");
      }
      await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
    }
  }

  #bucket(): Promise<Bucket> {
    return this.#ports.bus.bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
  }
}
