import t from "tap";
import { addressAt, simulatedPods } from "../bench/pods.ts";
import { rounded } from "../bench/quantiles.ts";
import { makeRig, NO_BUDGET, pause } from "../bench/rig.ts";
import { usageOf } from "../bench/usage.ts";
import { skipWithout } from "../tools/tool.ts";

const GROUPS = 5;
const PODS = 500;
const PER_SECOND = 100;
/** Heaps have found their size by then. */
const WARM_SECONDS = 60;
const MEASURED_SECONDS = 180;
const SAMPLE_SECONDS = 3;
/** Of 6,000 events a minute each would cost at least 500 bytes, were they kept. */
const MOST_MEGABYTES_PER_MINUTE = 3;

t.setTimeout(600_000);

t.test(
  "three minutes at 100 events a second against a dead device: the services' memory does not grow with events",
  { skip: skipWithout("nats-server") },
  async (t) => {
    const rig = await makeRig({ writeMs: 0, budget: NO_BUDGET });
    t.teardown(() => rig.close());
    const source = simulatedPods(rig);
    const groupOf = (n: number): string => `memory-${n % GROUPS}`;
    for (let n = 0; n < GROUPS; n += 1) await source.defineGroup(groupOf(n), { app: groupOf(n) });
    const add = (n: number) => source.add(`p${n}`, { app: groupOf(n) }, addressAt(n));
    for (let n = 0; n < PODS; n += 1) await add(n);
    await rig.pusher.start();
    await rig.watcher.start();
    const each = PODS / GROUPS;
    const all = Object.fromEntries(Array.from({ length: GROUPS }, (_, n) => [groupOf(n), each]));
    await rig.holds(all);

    const { device } = rig.firewall.simulator;
    device.faults.add({ kind: "reply-lost", times: 0 });
    const services = { watcher: rig.watcher.pid, pusher: rig.pusher.pid };
    const samples: { readonly second: number; readonly watcher: number; readonly pusher: number }[] = [];
    const gone = new Set<number>();
    const started = performance.now();
    let events = 0;
    for (let second = 0; second < WARM_SECONDS + MEASURED_SECONDS; second += 1) {
      for (let n = 0; n < PER_SECOND; n += 1) {
        const pod = (events * 7) % PODS;
        if (gone.delete(pod)) await add(pod);
        else {
          gone.add(pod);
          await source.remove(`p${pod}`);
        }
        events += 1;
      }
      if (second >= WARM_SECONDS && second % SAMPLE_SECONDS === 0)
        samples.push({
          second,
          watcher: usageOf(services.watcher).ownRss,
          pusher: usageOf(services.pusher).ownRss,
        });
      await pause(Math.max(0, started + (second + 1) * 1000 - performance.now()));
    }
    for (const name of ["watcher", "pusher"] as const) {
      const perMinute = rounded(60 * slope(samples.map((sample) => [sample.second, sample[name]])));
      const last = samples.at(-1)?.[name] ?? Number.NaN;
      t.comment(`${name}: ${perMinute} MB a minute over ${MEASURED_SECONDS} s, ${last} MB at the end`);
      t.ok(perMinute < MOST_MEGABYTES_PER_MINUTE, `${name}: ${perMinute} MB a minute`);
    }
    device.faults.clear();
    for (const pod of gone) await add(pod);
    await rig.holds(all);
    t.pass(`what ${events} events left to do is made up for`);
  },
);

/** Of the line with the least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  const above = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
  return above / points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
}
