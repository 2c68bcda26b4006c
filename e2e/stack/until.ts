import { setTimeout as pause } from "node:timers/promises";

/** Looks ten times a second until there is something. @throws when the time is over */
export async function until<T>(
  what: string | (() => string),
  look: () => Promise<T | undefined> | T | undefined,
  ms = 30_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Error(`waited ${ms} ms for ${typeof what === "string" ? what : what()}`);
    await pause(100);
  }
}
