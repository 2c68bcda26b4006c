import { approveCommand, whatWaits } from "@podgate/pusher/commands/approve";
import type { Configuration } from "@podgate/pusher/configuration";
import { Memory } from "@podgate/pusher/reconcile/memory";
import { silentLogger } from "@podgate/shared/runtime/logger";
import type { BusPort } from "./ports/bus-port.ts";
import type { Dice } from "./dice.ts";
import type { History } from "./history.ts";
import { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

export interface OperatorOptions {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly history: History;
  readonly configuration: Configuration;
  readonly busOf: (process: Process, user: string) => BusPort;
}

/** So long a command waits for the bus. */
const WAIT_MS = 5000;

/** A person who looks at what is held, and lets it go: by the command that people use. */
export class Operator {
  readonly #options: OperatorOptions;
  onApproved: (target: string, group: string, address: string) => void = () => undefined;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** @returns how many sets were waiting; undefined = it could not be told */
  async approve(): Promise<number | undefined> {
    const { timeline, history } = this.#options;
    const told: { count?: number | undefined }[] = [];
    void this.#command().then((count) => told.push({ count }));
    while (told.length === 0) await timeline.advance(100);
    const count = told[0]?.count;
    if (count !== 0) history.note("operator", `approves ${String(count ?? "nothing: no answer")}`);
    return count;
  }

  async #command(): Promise<number | undefined> {
    const { timeline, dice, configuration, busOf } = this.#options;
    const process = new Process("operator", timeline);
    const { clock } = process;
    const bus = busOf(process, "pusher");
    const memory = new Memory({ bus, clock, random: dice.random, logger: silentLogger });
    const ports = { bus, clock, memory };
    try {
      while (!bus.connected) await clock.sleep(50);
      const waiting = await whatWaits(configuration, ports, WAIT_MS);
      for (const { target, hash, items = [] } of waiting) {
        for (const { group, address } of items) this.onApproved(target, group, address);
        await approveCommand(configuration, ports, { hash, who: "operator", waitMs: WAIT_MS });
      }
      return waiting.length;
    } catch {
      // It has changed since, or the bus is away: he looks again later.
      return undefined;
    } finally {
      await bus.close();
      process.kill();
    }
  }
}
