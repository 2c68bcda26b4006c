import type { Bus } from "@podgate/shared/bus/bus";
import type { Clock } from "@podgate/shared/runtime/clock";
import { UserError } from "@podgate/shared/runtime/errors";
import type { Logger } from "@podgate/shared/runtime/logger";
import { Lease } from "./lease.ts";
import { LeaseBoard } from "./lease-board.ts";
import { buildLease, deviceLeaseKey, wantedKey } from "./lease-entry.ts";
import { Tenure } from "./lease-tenure.ts";

export interface LoanOptions {
  readonly device: string;
  /** Of this process, and of no other that ever was. */
  readonly identity: string;
  readonly seconds: number;
  /** How long the pusher that has the device may take to finish. */
  readonly waitMs: number;
}

export interface LoanPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Runs a command's work on a device while no pusher calls it: whoever has it finishes and gives it up, and takes it
 * back afterwards.
 *
 * @param use its signal is aborted when the lease is lost; ask `holds` before each call
 * @throws UserError when nobody gives it up in time, or when it was lost
 */
export async function withDevice<T>(
  { device, identity, seconds, waitMs }: LoanOptions,
  ports: LoanPorts,
  use: (holds: () => boolean, lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock } = ports;
  const board = new LeaseBoard(ports);
  const lease = new Lease({ key: deviceLeaseKey(device), identity, seconds }, { ...ports, board });
  const ending = new AbortController();
  const late = clock.timer(waitMs, () => ending.abort());
  const results: { readonly value: T }[] = [];
  const failures: unknown[] = [];
  const tenure = new Tenure(
    lease,
    {
      fields: { device },
      begin: () => late(),
      run: async (_, lost) => {
        try {
          results.push({ value: await use(() => lease.held, lost) });
        } catch (error) {
          // Thrown on when the lease was given up.
          failures.push(error);
        } finally {
          ending.abort();
        }
      },
      end: async () => true,
    },
    { ...ports, board, patience: () => 0, missed: () => undefined, turned: () => undefined },
  );
  const wanted = buildLease({ holder: identity, seconds, clean: false });
  const want = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await board.put(wantedKey(device), wanted);
      await clock.sleep((seconds * 1000) / 3, ending.signal).catch(() => undefined);
    }
    await board.remove(wantedKey(device));
  };
  try {
    await Promise.all([board.run(ending.signal), want(), tenure.run(ending.signal)]);
  } finally {
    late();
  }
  if (failures.length > 0) throw failures[0];
  const [result] = results;
  if (result === undefined) {
    throw new UserError(
      `device ${device}: the pusher that writes it did not give it up within ${waitMs / 1000} s`,
    );
  }
  return result.value;
}
