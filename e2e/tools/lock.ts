import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const STALE_MINUTES = 30;

/**
 * Runs `work` while holding the lock file; others wait. It saves double work and guards nothing: a lock whose holder
 * is gone is taken over, and in the worst case two do the work.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; !taken(file); tries += 1) {
    if (tries === 0) onWait();
    if (isStale(file)) discard(file);
    else await sleep(250);
  }
  try {
    return await work();
  } finally {
    if (holder(file) === process.pid) rmSync(file, { force: true });
  }
}

function taken(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function holder(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function isStale(file: string): boolean {
  try {
    const minutes = (Date.now() - statSync(file).mtimeMs) / 60_000;
    if (minutes > STALE_MINUTES) return true;
    const pid = holder(file);
    // Empty: its holder is about to write its number.
    if (pid === undefined || pid === 0) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function discard(file: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    rmSync(aside);
  } catch {
    // Somebody else was quicker.
  }
}
