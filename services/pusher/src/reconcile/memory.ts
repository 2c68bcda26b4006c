import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import type { Bus } from "@podgate/shared/bus/bus";
import { backoff } from "@podgate/shared/runtime/backoff";
import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import type { z } from "zod";
import { jsonOf } from "./json-of.ts";

export interface MemoryPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

const RETRY = { baseMs: 200, capMs: 5000 };

/**
 * What a pusher must know after a restart and can't read from a firewall or a stream: KV bucket `podgate-pusher`.
 * Nothing begins before its entry is read: without it a lockout could be run into, or another cluster be taken
 * for the known one.
 */
export class Memory {
  readonly #ports: MemoryPorts;

  constructor(ports: MemoryPorts) {
    this.#ports = ports;
  }

  /** Tries until it is read or the signal ends it. An entry of another form counts as none, with a warning. */
  async load<T>(key: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | undefined> {
    const { clock, random, logger } = this.#ports;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const entry = await (await this.#bucket()).get(key);
        if (entry === undefined) return undefined;
        const parsed = schema.safeParse(jsonOf(entry.value));
        if (parsed.success) return parsed.data;
        logger.warn({ key }, "an entry of the pusher's memory is of another version; it is left out");
        return undefined;
      } catch (error) {
        const level = attempt === 4 ? "warn" : "debug";
        logger[level]({ key, reason: describeError(error) }, "waiting for the pusher's memory on the bus");
      }
      await clock.sleep(backoff(attempt, RETRY, random), signal).catch(() => undefined);
    }
    return undefined;
  }

  /** @returns whether it is stored; a failure is logged, and the caller comes again */
  async save(key: string, value: object): Promise<boolean> {
    try {
      await (await this.#bucket()).put(key, new TextEncoder().encode(JSON.stringify(value)));
      return true;
    } catch (error) {
      this.#ports.logger.warn(
        { key, reason: describeError(error) },
        "the pusher's memory could not be written; trying again",
      );
      return false;
    }
  }

  #bucket() {
    return this.#ports.bus.bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
  }
}
