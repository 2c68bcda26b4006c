import { readFileSync } from "node:fs";

/** Megabytes (10^6 bytes) of memory and seconds of CPU a process has taken so far. */
export interface Usage {
  readonly rss: number;
  /** Since it was started. */
  readonly peakRss: number;
  /** What of `rss` is the process's own; the rest is Node's program file, shared by all that run it. */
  readonly ownRss: number;
  readonly cpuSeconds: number;
}

/** Kernel ticks a second: USER_HZ is 100 on every Linux that Node runs on. */
const TICKS = 100;

/** From /proc: Linux only. */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  const kib = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  // Fields 14 and 15 of proc(5), counted behind the name in parentheses.
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, "utf8")
      .split(") ")
      .at(-1)
      ?.split(" ") ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    rss: megabytes(kib("VmRSS")),
    peakRss: megabytes(kib("VmHWM")),
    ownRss: megabytes(kib("RssAnon")),
    cpuSeconds: ticks / TICKS,
  };
}

const megabytes = (kib: number): number => Math.round((kib * 1024) / 1e5) / 10;
