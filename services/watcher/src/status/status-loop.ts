import { own } from "@podgate/shared/contract/own";
import type { Clock } from "@podgate/shared/runtime/clock";
import { Doorbell } from "@podgate/shared/runtime/doorbell";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { AskedPhase } from "../kubernetes/asked-phase.ts";
import type { DefinitionFact } from "../kubernetes/group-definitions.ts";
import { statusPath } from "../kubernetes/resources.ts";
import { requestJson, type KubernetesTransport } from "../kubernetes/transport.ts";
import type { Loser } from "../membership/conflicts.ts";
import { EventRecorder } from "./event-recorder.ts";
import { GroupEvents } from "./group-events.ts";
import type { Reports } from "./reports.ts";
import { statusOf, type GroupStatusView } from "./status-of.ts";
import { statusPatch } from "./status-patch.ts";

/** The watcher's own view of its cluster. */
export interface StatusSource {
  readonly fresh: boolean;
  readonly membership: {
    membersOf(group: string): number;
    sharedNamespaces(group: string, now: number): readonly string[];
  };
  definitions(): { fact: DefinitionFact; loser: Loser | undefined }[];
}

export interface StatusLoopOptions {
  readonly reports: Pick<Reports, "targets" | "cluster" | "silent">;
  readonly transport: KubernetesTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly source: () => StatusSource | undefined;
  /** What an operator asked the watcher for. */
  readonly asked: () => AskedPhase;
}

/** Numbers are brought up to date this often. */
const ROUND_MS = 5000;
/** What flips is written this soon: what comes together is written together. */
const FLIP_MS = 250;

/** Brings back what became of each group: status and Events of the custom resources, by the leading replica only. */
export class StatusLoop {
  readonly #options: StatusLoopOptions;
  readonly #bell = new Doorbell();
  readonly #recorder: EventRecorder;
  #events = new GroupEvents();
  /** What was written last, until the watch brings it back. */
  readonly #written = new Map<string, { over: DefinitionFact["status"]; status: DefinitionFact["status"] }>();
  #leads = false;

  constructor(options: StatusLoopOptions) {
    this.#options = options;
    this.#recorder = new EventRecorder(options.transport, options.clock);
  }

  leads(leads: boolean): void {
    this.#leads = leads;
    if (!leads) this.#events = new GroupEvents();
    this.ring();
  }

  /** Something may have flipped. */
  ring(): void {
    this.#bell.ring();
  }

  /** Until the signal. A failure here is logged and never stops the watcher. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    let next = clock.monotonic() + ROUND_MS;
    while (!signal.aborted) {
      await this.#bell.wait(next - clock.monotonic(), (ms, run) => clock.timer(ms, run), signal);
      await clock.sleep(FLIP_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      const whole = clock.monotonic() >= next;
      if (whole) next = clock.monotonic() + ROUND_MS;
      try {
        if (this.#leads) await this.#round(whole, signal);
      } catch (error) {
        if (!signal.aborted) logger.warn({ error }, "a round of statuses failed");
      }
    }
  }

  async #round(whole: boolean, signal: AbortSignal): Promise<void> {
    const { source, reports, clock } = this.#options;
    const current = source();
    // Blind, or before the first list, nothing is known that is worth saying.
    if (current === undefined || !current.fresh) return;
    const definitions = current.definitions();
    const targets = reports.targets();
    for (const { fact, loser } of definitions) {
      if (signal.aborted || !this.#leads) return;
      const group = fact.definition?.group ?? "";
      const view = statusOf(
        fact,
        loser,
        current.membership.membersOf(group),
        current.membership.sharedNamespaces(group, clock.monotonic()),
        targets,
        reports.silent ? "silent" : reports.cluster(),
        this.#options.asked(),
      );
      const refused = new Map<string, string>();
      for (const { target, groups } of targets) {
        for (const { address, reason } of own(groups, group)?.refused ?? [])
          refused.set(`${target} ${address}`, reason);
      }
      await this.#write(fact, view, whole, signal);
      await this.#tell(fact, view, refused, signal);
    }
    const uids = new Set(definitions.map(({ fact }) => fact.uid));
    this.#events.keep(uids);
    for (const uid of this.#written.keys()) if (!uids.has(uid)) this.#written.delete(uid);
  }

  async #write(
    fact: DefinitionFact,
    view: GroupStatusView,
    whole: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { transport, clock, logger } = this.#options;
    const { kind, namespace, name, uid } = fact;
    const written = this.#written.get(uid);
    const before = written !== undefined && written.over === fact.status ? written.status : fact.status;
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const patch = statusPatch(before, view, now);
    if (patch === undefined || !(whole || patch.flips)) return;
    const path = statusPath(kind, namespace, name);
    const contentType = "application/merge-patch+json";
    try {
      await requestJson(transport, { method: "PATCH", path, body: patch.body, contentType, signal });
      this.#written.set(uid, { over: fact.status, status: patch.status });
    } catch (error) {
      if (!signal.aborted) logger.warn({ error, kind, name }, "the status could not be written");
    }
  }

  async #tell(
    fact: DefinitionFact,
    view: GroupStatusView,
    refused: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger } = this.#options;
    const { kind, name } = fact;
    for (const event of this.#events.observe(fact.uid, view, refused, clock.monotonic())) {
      try {
        const recorded = await this.#recorder.record(fact, event, signal);
        if (!recorded) logger.debug({ kind, name, event }, "an Event was dropped: too many at once");
      } catch (error) {
        if (!signal.aborted) logger.warn({ error, kind, name }, "the Event could not be written");
      }
    }
  }
}
