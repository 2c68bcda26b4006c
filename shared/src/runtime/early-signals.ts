import { constants } from "node:os";

/*
 * Import this first. Until a service listens to signals itself, SIGTERM and SIGINT end the process at once. They do so
 * by themselves anywhere but in the first process of a container: there the kernel drops a signal that nobody listens
 * to, and a container that is told to stop while it starts would be killed after its whole grace period.
 */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

function end(signal: NodeJS.Signals): void {
  process.exit(128 + constants.signals[signal]);
}
for (const signal of SIGNALS) process.on(signal, end);

/** From now on the caller listens. */
export function takeSignals(): void {
  for (const signal of SIGNALS) process.off(signal, end);
}
