import type { Bus } from "@podgate/shared/bus/bus";
import {
  clusterStatusKey,
  parseClusterStatus,
  parseTargetStatus,
  STATUS_BUCKET,
  targetStatusKey,
  type ClusterStatus,
  type TargetStatus,
} from "@podgate/shared/contract/status";
import type { Clock } from "@podgate/shared/runtime/clock";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import type { Logger } from "@podgate/shared/runtime/logger";
import { object } from "../facts/json.ts";
import type { DefinitionFact } from "../kubernetes/group-definitions.ts";
import { statusPath } from "../kubernetes/resources.ts";
import { requestJson, type KubernetesTransport } from "../kubernetes/transport.ts";
import type { Loser } from "../membership/conflicts.ts";
import type { Membership } from "../membership/membership.ts";
import { statusOf, type Condition, type GroupStatusView } from "./status-of.ts";

export interface StatusLoopOptions {
  readonly bus: Bus;
  readonly transport: KubernetesTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cluster: string;
  readonly source: () =>
    | {
        readonly membership: Membership;
        readonly fresh: boolean;
        definitions(): { fact: DefinitionFact; loser: Loser | undefined }[];
      }
    | undefined;
}

const ROUND_MS = 5000;
const FLIP_MS = 250;

/** Brings back what became of each group: status of the custom resources, written by the leading replica only. */
export class StatusLoop {
  readonly #options: StatusLoopOptions;
  readonly #targets = new Map<string, TargetStatus>();
  readonly #bell = new Doorbell();
  #clusterStatus: ClusterStatus | undefined;
  #leads = false;

  constructor(options: StatusLoopOptions) {
    this.#options = options;
  }

  leads(leads: boolean): void {
    this.#leads = leads;
    this.#bell.ring();
  }

  /** Until the signal. A failure here is logged and never stops the watcher. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, cluster } = this.#options;
    const filters = [clusterStatusKey(cluster), targetStatusKey(cluster, "*")];
    const watching = filters.map((filter) => this.#watch(filter, signal));
    while (!signal.aborted) {
      await this.#bell.wait(ROUND_MS, clock.timer, signal);
      if (signal.aborted) break;
      // What comes together is written together.
      await clock.sleep(FLIP_MS, signal).catch(() => undefined);
      if (this.#leads && !signal.aborted) await this.#round(signal);
    }
    await Promise.all(watching);
  }

  async #watch(filter: string, signal: AbortSignal): Promise<void> {
    const { bus, cluster, clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        const bucket = await bus.bucket({ name: STATUS_BUCKET, replicas: 1, maxBytes: 0 });
        for await (const { key, value } of bucket.watch(filter, signal)) {
          if (key === clusterStatusKey(cluster))
            this.#clusterStatus = value && parseClusterStatus(key, value);
          else if (value === undefined) this.#targets.delete(key);
          else this.#takeTarget(key, parseTargetStatus(key, value));
        }
      } catch (error) {
        if (!signal.aborted) logger.debug({ error, filter }, "the status cannot be watched");
      }
      await clock.sleep(ROUND_MS, signal).catch(() => undefined);
    }
  }

  /** Counts change with every pod; only what flips is worth a write before the next round. */
  #takeTarget(key: string, status: TargetStatus): void {
    const before = this.#targets.get(key);
    this.#targets.set(key, status);
    const flips = Object.entries(status.groups).some(
      ([group, { inSync }]) => before?.groups[group]?.inSync !== inSync,
    );
    if (flips) this.#bell.ring();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { source, clock, logger } = this.#options;
    const current = source();
    if (current === undefined || !current.fresh) return;
    const now = clock.monotonic();
    for (const { fact, loser } of current.definitions()) {
      const group = fact.definition?.group ?? "";
      const view = statusOf(
        fact,
        loser,
        current.membership.membersOf(group),
        current.membership.sharedNamespaces(group, now),
        [...this.#targets.values()],
        this.#clusterStatus,
      );
      try {
        await this.#write(fact, view, signal);
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ error, kind: fact.kind, name: fact.name }, "the status could not be written");
      }
    }
  }

  async #write(fact: DefinitionFact, view: GroupStatusView, signal: AbortSignal): Promise<void> {
    const status = { ...view, conditions: view.conditions.map((condition) => this.#dated(condition, fact)) };
    if (JSON.stringify(sorted(fact.status)) === JSON.stringify(sorted(status))) return;
    const body = JSON.stringify({ status });
    const path = statusPath(fact.kind, fact.namespace, fact.name);
    const contentType = "application/merge-patch+json";
    await requestJson(this.#options.transport, { method: "PATCH", path, body, contentType, signal });
  }

  /** The transition time stays while the status does. */
  #dated(condition: Condition, fact: DefinitionFact): Condition & { lastTransitionTime: string } {
    const conditions = fact.status["conditions"];
    const before = (Array.isArray(conditions) ? conditions : [])
      .map(object)
      .find((each) => each["type"] === condition.type);
    const kept = before?.["status"] === condition.status && typeof before["lastTransitionTime"] === "string";
    const now = new Date(this.#options.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    return { ...condition, lastTransitionTime: kept ? String(before["lastTransitionTime"]) : now };
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}
