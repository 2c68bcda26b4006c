import type { Clock } from "./clock.ts";

/** What a person takes for an answer at once. */
const AT_ONCE_MS = 1000;

export interface LongWaitPorts {
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

/** Says to who waits at a terminal for what it is, when it takes longer than a second. */
export async function sayIfLong<T>(
  what: () => string,
  { clock, say }: LongWaitPorts,
  work: Promise<T>,
): Promise<T> {
  const cancel = clock.timer(AT_ONCE_MS, () => say(`waiting for ${what()}`));
  try {
    return await work;
  } finally {
    cancel();
  }
}
