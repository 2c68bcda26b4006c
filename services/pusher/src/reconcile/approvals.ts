import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import { describeError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import { jsonOf } from "./json-of.ts";
import { APPROVALS, approvalSchema, type Approval } from "./kept-held.ts";

export interface ApprovalsPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 1000;
/** What was closed is kept for so long, to be looked at. */
const KEEP_MS = 7 * 86_400_000;

/** Approvals as they stand in the pusher's memory on the bus, followed as they come. */
export class Approvals {
  readonly #ports: ApprovalsPorts;
  readonly #open = new Map<string, Approval>();
  #listener: (target: string) => void = () => undefined;

  constructor(ports: ApprovalsPorts) {
    this.#ports = ports;
  }

  /** Called with the target when one comes. */
  onChange(listener: (target: string) => void): void {
    this.#listener = listener;
  }

  /** Not closed yet. */
  of(target: string): Approval[] {
    return [...this.#open.values()].filter((approval) => approval.target === target);
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#ports;
    while (!signal.aborted) {
      try {
        const bucket = await this.#bucket();
        for await (const { key, value } of bucket.watch(APPROVALS, signal)) {
          const approval = value === undefined ? undefined : approvalSchema.safeParse(jsonOf(value)).data;
          this.#open.delete(key);
          if (approval === undefined) continue;
          const { closed } = approval;
          if (closed === undefined) {
            this.#open.set(key, approval);
            this.#listener(approval.target);
          } else if (clock.now() - closed.at > KEEP_MS) await bucket.delete(key);
        }
      } catch (error) {
        logger.debug({ reason: describeError(error) }, "approvals cannot be followed");
      }
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }

  #bucket() {
    return this.#ports.bus.bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
  }
}
