import t from "tap";
import { Metrics } from "@podgate/shared/runtime/metrics";
import { VirtualClock } from "../../../shared/test/bus/virtual-clock.ts";
import { watcherMetrics, type Following } from "../src/metrics.ts";
import { Pulse } from "../src/pulse.ts";
import { sampler } from "../src/sampler.ts";

const pods = (lists: number, watches: number, fresh = true): Following[] => [
  { resource: "pods", fresh, listed: 7, lists, watches },
];

async function value(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await metrics.render()).split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

t.test("every series is born at zero", async (t) => {
  const metrics = new Metrics("watcher", "1");
  watcherMetrics(metrics);
  for (const series of [
    'podgate_watcher_publish_seconds_count{op="remove"}',
    'podgate_watcher_kubernetes_errors_total{resource="pods",kind="gone"}',
    'podgate_watcher_bus_troubles_total{kind="fenced"}',
    'podgate_watcher_pods_not_counting{reason="host network"}',
    'podgate_watcher_fresh{resource="addressgroups"}',
    'podgate_watcher_removes_total{cause="vanished"}',
  ])
    t.equal(await value(metrics, series), 0, series);
});

t.test("lists and watches are counted on over the sessions", async (t) => {
  const metrics = new Metrics("watcher", "1");
  const observe = watcherMetrics(metrics);
  observe.following(pods(1, 5));
  observe.following(pods(2, 9));
  // The next session's source begins at nothing.
  observe.following(pods(1, 1, false));
  t.equal(await value(metrics, 'podgate_watcher_lists_total{resource="pods"}'), 3);
  t.equal(await value(metrics, 'podgate_watcher_watches_total{resource="pods"}'), 10);
  t.equal(await value(metrics, 'podgate_watcher_fresh{resource="pods"}'), 0);
});

t.test("one that does not lead any more is in no phase, sees nothing and has no members", async (t) => {
  const metrics = new Metrics("watcher", "1");
  const observe = watcherMetrics(metrics);
  observe.leads(true);
  observe.following(pods(1, 1));
  observe.state("synced", 6, 1);
  const series = [
    'podgate_watcher_phase{phase="synced"}',
    'podgate_watcher_fresh{resource="pods"}',
    'podgate_watcher_objects{resource="pods"}',
    "podgate_watcher_members",
    "podgate_watcher_pending_changes",
    "podgate_watcher_leader",
  ];
  for (const each of series) t.ok(await value(metrics, each), each);
  observe.leads(false);
  for (const each of series) t.equal(await value(metrics, each), 0, each);
});

t.test("all pods are gone through every fifteen seconds at most", async (t) => {
  const clock = new VirtualClock();
  let counted = 0;
  const gauges = { following: () => undefined, notCounting: () => void (counted += 1) };
  const source = { following: () => pods(1, 1), membership: { notCounting: () => new Map() } };
  const sample = sampler(gauges, clock, () => source);
  for (let n = 0; n < 300; n += 1) {
    sample();
    await clock.run(100);
  }
  t.equal(counted, 2);
});

t.test("a loop that stands is not live; one that rests is", async (t) => {
  const clock = new VirtualClock();
  const pulse = new Pulse(clock, 60_000);
  pulse.beat();
  await clock.run(59_000);
  t.equal(pulse.check(), undefined);
  await clock.run(2000);
  t.equal(pulse.check(), "the loop has been standing for 61 s");
  pulse.rest();
  t.equal(pulse.check(), undefined);
});
