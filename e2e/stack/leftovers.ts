import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What must not outlive this process, whatever ends it. Called at once, without waiting for anything. */
const leftovers = new Set<() => unknown>();
let armed = false;

export function onEnd(undo: () => unknown): () => void {
  arm();
  leftovers.add(undo);
  return () => void leftovers.delete(undo);
}

/** A directory that is gone when this process is; the second member removes it earlier. */
export function temporaryDirectory(name: string): readonly [path: string, remove: () => void] {
  const path = mkdtempSync(join(tmpdir(), `podgate-${name}-`));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  const forget = onEnd(remove);
  return [
    path,
    () => {
      remove();
      forget();
    },
  ];
}

function arm(): void {
  if (armed) return;
  armed = true;
  process.once("exit", () => {
    // Programs were registered after their directories: the last comes first.
    for (const undo of [...leftovers].toReversed()) {
      try {
        undo();
      } catch {
        // The next one is still due.
      }
    }
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // A listener of somebody else (the demo's, the stack's) ends the process in its own way.
      if (process.listenerCount(signal) === 1) process.exit(130);
    });
  }
}
