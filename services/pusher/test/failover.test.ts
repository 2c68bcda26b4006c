import type { DeviceOptions } from "@podgate/fortios-simulator/state";
import t from "tap";
import { approveCommand } from "../src/commands/approve.ts";
import { callsOf, leases, link, writesOf } from "./replica.ts";
import { configurationOf, Stage } from "./stage.ts";

t.setTimeout(120_000);

/** Two pushers of one device, which holds web of cluster east with its one address. The first pusher has it. */
async function pair(options: DeviceOptions = {}) {
  const stage = new Stage(configurationOf(), options);
  const watcher = await stage.watcher("east", "web");
  const first = stage.replica(link(1));
  await stage.clock.run(2000);
  const second = stage.replica(link(2));
  await stage.during(watcher.add("web", "10.0.0.1"));
  if (!(await stage.until(() => stage.holds("web", "10.0.0.1"), 120_000)))
    throw new Error("the first pusher wrote nothing");
  return { stage, watcher, first, second };
}

t.test(
  "of two pushers one writes a device; the other follows, is not stuck, and calls no device",
  async (t) => {
    const { stage, first, second } = await pair();
    await stage.clock.run(700_000);
    t.strictSame(callsOf(stage, 2), []);
    t.equal(second.pusher.stuck(), undefined);
    t.strictSame([await leases(first), await leases(second)], [1, 0]);
    await Promise.all([first.stop(), second.stop()]);
  },
);

t.test("a pusher that is told to stop leaves its device to the other one at once", async (t) => {
  const { stage, watcher, first, second } = await pair();
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

t.test(
  "one that is told to stop in the middle of a call finishes it first; the other one has it then",
  async (t) => {
    const { stage, watcher, first, second } = await pair({ latency: { write: 9000 } });
    await stage.clock.run(20_000);
    await stage.during(watcher.add("web", "10.0.0.2"));
    await stage.clock.run(1000);
    const from = stage.clock.now();
    const before = writesOf(stage, 1).length;
    await first.stop();
    t.equal(stage.clock.now() - from, 8000, "its call took as long as it takes");
    t.equal(writesOf(stage, 1).length, before, "and no other began");
    t.equal(callsOf(stage, 2)[0]?.at, stage.clock.now(), "at once");
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 30_000));
    const creations = stage.writes().filter((write) => write === "POST cmdb/firewall/address");
    t.equal(creations.length, 2, "what the first had done is not done again");
    await second.stop();
  },
);

t.test("after a pusher is gone without a word, the other one writes within 10 s", async (t) => {
  for (const writeMs of [0, 10_000]) {
    const { stage, watcher, first, second } = await pair({ latency: { write: writeMs } });
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

t.test("the silence that a refused token asks for is kept by the next pusher, too", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  stage.token = () => "wrong";
  const first = stage.replica(link(1));
  await stage.clock.run(2000);
  const second = stage.replica(link(2));
  await stage.clock.run(10_000);
  t.equal(stage.sent.length, 1, "one call with the wrong token");
  await first.stop();
  await stage.clock.run(60_000);
  t.equal(stage.sent.length, 1, "and none by the second");
  await stage.clock.run(30_000);
  t.equal(stage.sent.length, 2);
  t.match(stage.sent[1], { source: "192.0.2.2" });
  await second.stop();
});

t.test(
  "without NATS nothing is written; with it again, what was missed is, after a look at the device",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    const only = stage.replica(link(1));
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
    await stage.clock.run(3000);
    stage.server.stop();
    await stage.clock.run(7000);
    const calls = stage.sent.length;
    await stage.clock.run(300_000);
    t.equal(stage.sent.length, calls, "its lease is over: nobody knows who else may write");
    stage.server.start();
    const back = stage.clock.now();
    await stage.during(watcher.add("web", "10.0.0.2"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 10_000));
    t.comment(`NATS is back → written: ${stage.clock.now() - back} ms`);
    t.equal(stage.sent[calls]?.method, "GET", "it looks before it writes");
    await only.stop();
  },
);

t.test("a pusher that has a device again does not tell of less than the one in between did", async (t) => {
  const { stage, watcher, first, second } = await pair();
  const applied = async (): Promise<number> =>
    (await stage.during(stage.targetStatus("east", "fw1")))?.appliedSequence ?? 0;
  await stage.clock.run(5000);
  const before = await applied();
  first.cut();
  await stage.during(watcher.add("web", "10.0.0.2"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 60_000));
  await stage.clock.run(5000);
  const between = await applied();
  t.ok(before > 0 && between > before, "the second has applied more");
  first.mend();
  await stage.clock.run(20_000);
  // What it reads first is late: until then it knows of nothing that is applied.
  stage.device.latency = { ...stage.device.latency, read: 3000 };
  second.cut();
  const told: number[] = [];
  for (let waited = 0; waited < 40_000; waited += 500) {
    await stage.clock.run(500);
    told.push(await applied());
  }
  t.notOk(told.includes(before), "what it told of once is not told again");
  t.equal(told.at(-1), between);
  second.mend();
  await Promise.all([first.stop(), second.stop()]);
});

t.test("a write that arrives after another pusher took over is found and corrected", async (t) => {
  for (const lagMs of [8000, 10_000, 20_000, 28_000]) {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    const own = link(1);
    const first = stage.replica(own);
    await stage.clock.run(2000);
    const second = stage.replica(link(2));
    for (const n of [1, 2]) await stage.during(watcher.add("web", `10.0.0.${n}`));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2")));
    await stage.clock.run(5000);
    own.lagMs = lagMs;
    await stage.during(watcher.remove("web", "10.0.0.1"));
    const sent = stage.clock.now();
    t.ok(await stage.until(() => writesOf(stage, 1).some(({ at }) => at >= sent), 1000));
    first.cut();
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.2"), 10_000), "the second does it");
    await stage.during(watcher.add("web", "10.0.0.3"));
    t.ok(
      await stage.until(
        () => stage.holds("web", "10.0.0.2", "10.0.0.3"),
        sent + lagMs - stage.clock.now() - 1,
      ),
    );
    t.ok(
      await stage.until(() => !stage.holds("web", "10.0.0.2", "10.0.0.3"), 60_000),
      "it comes late, and undoes it",
    );
    const late = stage.clock.now();
    t.equal(late - sent, lagMs);
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.2", "10.0.0.3"), 60_000));
    const ms = stage.clock.now() - late;
    t.comment(`a write of ${lagMs} ms, left behind: wrong for ${ms} ms`);
    t.ok(ms <= 2 * lagMs + 5000);
    await Promise.all([second.stop(), first.stop()]);
  }
});

t.test("one that finds out late that it had lost a device has the next holder read it again", async (t) => {
  const { stage, first, second } = await pair();
  first.cut();
  await stage.clock.run(50_000);
  const quiet = callsOf(stage, 2).length;
  t.ok(quiet > 0, "the second has it");
  first.mend();
  t.ok(await stage.until(() => callsOf(stage, 2).length > quiet, 2000));
  t.match(
    stage.lines.find(({ msg }) => msg.includes("may have written late")),
    { device: "fw1.example.com", by: first.identity },
  );
  await Promise.all([first.stop(), second.stop()]);
});

t.test("what one pusher put in is guarded by the next one too, and is no drift to it", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  await stage.watcher("west");
  const first = stage.replica(link(1));
  await stage.clock.run(2000);
  const second = stage.replica(link(2));
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(5000);
  first.cut();
  for (let n = 2; n <= 20; n += 1) await stage.during(watcher.add("web", `10.0.0.${n}`));
  t.ok(await stage.until(() => stage.group("web").length === 20, 60_000));
  first.mend();
  await stage.clock.run(20_000);
  const before = writesOf(stage, 1).length;
  second.cut();
  // Nothing tells why most of the group is not in the cluster any more.
  watcher.stop();
  stage.server.remakeStream("PODGATE_east");
  const next = await stage.silentWatcher("east");
  next.pods = 20;
  await stage.during(next.start("web"));
  await stage.during(next.add("web", "10.0.0.1"));
  // The first has it again, and what it knew of it is older than what the second wrote.
  await stage.clock.run(20_000);
  t.notOk(stage.lines.some(({ drift }) => drift === "member-added"));
  t.equal(stage.group("web").length, 20, "what would take 19 of 20 waits for a person");
  await stage.during(next.add("web", "10.0.0.21"));
  t.ok(await stage.until(() => stage.group("web").length === 21, 10_000));
  t.ok(writesOf(stage, 1).length > before, "it is the first that writes");
  second.mend();
  await Promise.all([first.stop(), second.stop()]);
});

t.test(
  "what a guard holds stays held when another pusher takes over, and goes when that is approved",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    await stage.watcher("west");
    const first = stage.replica(link(1));
    await stage.clock.run(2000);
    const second = stage.replica(link(2));
    for (let n = 1; n <= 20; n += 1) await stage.during(watcher.add("web", `10.0.0.${n}`));
    t.ok(await stage.until(() => stage.group("web").length === 20, 60_000));
    await stage.clock.run(5000);
    for (let n = 1; n <= 15; n += 1) await stage.during(watcher.remove("web", `10.0.0.${n}`, "unselected"));
    await stage.clock.run(10_000);
    t.equal(stage.group("web").length, 20, "held by the first");
    first.cut();
    await stage.clock.run(60_000);
    t.equal(stage.group("web").length, 20, "and by the second");
    first.mend();
    await stage.clock.run(10_000);
    const ports = stage.ports({ user: "command", source: "192.0.2.9", isCut: false });
    const shown = await stage.during(
      approveCommand(stage.configuration, ports, { hash: undefined, who: "me", waitMs: 5000 }),
    );
    const hash = /[0-9a-f]{12}/.exec(shown.text)?.[0];
    await stage.during(approveCommand(stage.configuration, ports, { hash, who: "me", waitMs: 5000 }));
    t.ok(await stage.until(() => stage.group("web").length === 5, 10_000));
    t.ok(writesOf(stage, 2).length > 0);
    await Promise.all([first.stop(), second.stop()]);
  },
);
