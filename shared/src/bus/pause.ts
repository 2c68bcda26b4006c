import type { Clock } from "../runtime/clock.ts";
import type { Bus } from "./bus.ts";

/** Sleeps, but neither past the signal nor past the moment at which the connection comes back. Never throws. */
export async function pause(bus: Bus, clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const back = new AbortController();
  const stop = bus.onConnection((connected) => {
    if (connected) back.abort();
  });
  try {
    await clock.sleep(ms, AbortSignal.any([signal, back.signal]));
  } catch {
    // Woken early.
  } finally {
    stop();
  }
}
