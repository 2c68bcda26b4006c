import type { Bus } from "@podgate/shared/bus/bus";
import { follow } from "@podgate/shared/bus/reader";
import { parseEvent } from "@podgate/shared/contract/event";
import { parseSubject, streamOf } from "@podgate/shared/contract/subjects";
import { systemClock } from "@podgate/shared/runtime/clock";
import { systemRandom } from "@podgate/shared/runtime/random";
import { CLUSTER } from "./rig.ts";

export interface OnTheBus {
  /** When the watcher had it (its clock, whole milliseconds), and when the bus had stored it. */
  readonly observedAt: number;
  readonly storedAt: number;
}

/** Listens on the bus to tell where the time goes. */
export class BusRecorder {
  /** Resolves when it hears what comes. */
  readonly ready: Promise<void>;
  readonly #seen = new Map<string, OnTheBus>();
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;

  constructor(bus: Bus) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#done = this.#listen(bus, resolve);
  }

  /** The newest event of this address. */
  find(op: "add" | "remove", group: string, address: string): OnTheBus | undefined {
    return this.#seen.get(`${op} ${group} ${address}`);
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#done;
  }

  async #listen(bus: Bus, caughtUp: () => void): Promise<void> {
    const { signal } = this.#controller;
    for await (const item of follow(bus, streamOf(CLUSTER), {
      signal,
      clock: systemClock,
      random: systemRandom,
    })) {
      if (item.kind === "caught-up") caughtUp();
      if (item.kind !== "message" || parseSubject(item.subject).kind !== "member") continue;
      const { op, group, address, observedAt } = parseEvent(item.subject, item.data);
      this.#seen.set(`${op} ${group} ${address}`, { observedAt, storedAt: item.storedAt });
    }
  }
}
