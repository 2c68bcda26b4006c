// An hour of events against a dead device, on a virtual clock. Run with --expose-gc; prints one line of JSON.
import { Stage } from "../stage.ts";

const HOST = "fw1.example.com";
const GROUPS = ["web", "api", "db", "cache", "queue"];
const ADDRESSES = 100;
const PER_SECOND = 100;
const HOUR_SECONDS = 3600;
/** By then everything has been seen, and code is compiled. */
const WARM_SECONDS = 600;

export interface Hour {
  readonly events: number;
  readonly keys: number;
  /** Bytes in use after a collection, once everything was seen. */
  readonly heap: number;
  /** Bytes more at the end of the hour. */
  readonly growth: number;
  /** Log lines over the same time. */
  readonly lines: number;
  /** Members in the end, and writes until the device that answers again held them; undefined = it never did. */
  readonly members: number;
  readonly writes: number | undefined;
}

const stage = new Stage();
const watcher = await stage.watcher("east", ...GROUPS);
await stage.watcher("west");
stage.start();
const held = new Map(GROUPS.map((group) => [group, new Set<string>()]));
const isRight = (): boolean => [...held].every(([group, members]) => stage.holds(group, ...members));
await stage.until(() => GROUPS.every((group) => stage.device.group("root", group) !== undefined));
stage.dead.add(HOST);

let events = 0;
let seed = 1;
let heap = 0;
let lines = 0;
for (let at = 0; at < HOUR_SECONDS; at += 1) {
  await stage.during(second());
  if (at !== WARM_SECONDS) continue;
  heap = heapUsed();
  lines = stage.lines.length;
}
const growth = heapUsed() - heap;
lines = stage.lines.length - lines;
const written = stage.writes().length;
stage.dead.delete(HOST);
const isMadeUpFor = await stage.until(isRight, 600_000);
const hour: Hour = {
  events,
  keys: GROUPS.length * ADDRESSES,
  heap,
  growth,
  lines,
  members: [...held.values()].reduce((sum, members) => sum + members.size, 0),
  writes: isMadeUpFor ? stage.writes().length - written : undefined,
};
console.log(JSON.stringify(hour));
await stage.stop();

/** Addresses come and go in no order, the same in each run. */
async function second(): Promise<void> {
  const said: Promise<void>[] = [];
  for (let n = 0; n < PER_SECOND; n += 1) {
    // The generator of Numerical Recipes; its high bits are good enough.
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const key = Math.floor((seed / 2 ** 32) * GROUPS.length * ADDRESSES);
    const group = GROUPS[Math.floor(key / ADDRESSES)] ?? "";
    const address = `10.0.0.${key % ADDRESSES}`;
    const members = held.get(group);
    if (members?.delete(address) === true) said.push(watcher.remove(group, address));
    else {
      members?.add(address);
      said.push(watcher.add(group, address));
    }
    events += 1;
  }
  await Promise.all(said);
  await stage.clock.sleep(1000);
}

function heapUsed(): number {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc === undefined) throw new Error("run it with --expose-gc");
  gc();
  return process.memoryUsage().heapUsed;
}
