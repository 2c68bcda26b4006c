import t from "tap";
import { configurationOf, Stage, type Link, type Replica } from "./stage.ts";

const link = (n: number): Link => ({ user: `pusher-${n}`, source: `192.0.2.${n}`, isCut: false });

/** What one pusher sent, by its source address. */
const callsOf = (stage: Stage, n: number) => stage.sent.filter(({ source }) => source === `192.0.2.${n}`);
const writesOf = (stage: Stage, n: number) => callsOf(stage, n).filter(({ method }) => method !== "GET");

async function leases(replica: Replica): Promise<number> {
  const lines = (await replica.metrics.render()).split("\n");
  const values = lines.filter((line) => line.startsWith("podgate_pusher_device_lease{"));
  return values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

t.test(
  "of two pushers one writes a device; the other follows, is not stuck, and calls no device",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    const first = stage.replica(link(1));
    await stage.clock.run(2000);
    const second = stage.replica(link(2));
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
    await stage.clock.run(700_000);
    t.strictSame(callsOf(stage, 2), []);
    t.equal(second.pusher.stuck(), undefined);
    t.strictSame([await leases(first), await leases(second)], [1, 0]);
    await Promise.all([first.stop(), second.stop()]);
  },
);

t.test("a pusher that is told to stop leaves its device to the other one at once", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  const first = stage.replica(link(1));
  await stage.clock.run(2000);
  const second = stage.replica(link(2));
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(5000);
  const before = stage.writes().length;
  const from = stage.clock.now();
  await first.stop();
  t.ok(await stage.until(() => callsOf(stage, 2).length > 0, 500));
  t.comment(`orderly stop → first call of the next: ${stage.clock.now() - from} ms`);
  await stage.clock.run(60_000);
  t.equal(stage.writes().length, before, "and nothing is written because of it");
  await stage.during(watcher.add("web", "10.0.0.2"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 500));
  t.ok(writesOf(stage, 2).length > 0);
  await second.stop();
});

t.test("after a pusher is gone without a word, the other one writes within 10 s", async (t) => {
  for (const writeMs of [0, 10_000]) {
    const stage = new Stage(configurationOf(), { latency: { write: writeMs } });
    const watcher = await stage.watcher("east", "web");
    const first = stage.replica(link(1));
    await stage.clock.run(2000);
    const second = stage.replica(link(2));
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1"), 120_000));
    await stage.clock.run(5000);
    await stage.during(watcher.add("web", "10.0.0.2"));
    const from = stage.clock.now();
    first.cut();
    t.ok(await stage.until(() => writesOf(stage, 2).length > 0, 60_000));
    const [write] = writesOf(stage, 2);
    const ms = (write?.at ?? Number.NaN) - from;
    t.comment(`device of ${writeMs} ms a write: cut → first write ${ms} ms`);
    t.ok(ms <= 10_000);
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 120_000));
    first.mend();
    await Promise.all([first.stop(), second.stop()]);
  }
});
