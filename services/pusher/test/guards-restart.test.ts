import t from "tap";
import { addresses, approve, heldHash, running, WINDOW_MS } from "./guarded-stage.ts";

t.test("a held set survives restarts, also when nothing on the bus tells of it any more", async (t) => {
  const [stage, watcher] = await running(20);
  for (const address of addresses(8)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  const hash = await heldHash(stage);
  await stage.restart();
  await stage.clock.run(10_000);
  t.equal(await heldHash(stage), hash);
  // Tombstones live for an hour.
  await stage.clock.run(3_700_000);
  await stage.restart();
  await stage.clock.run(10_000);
  t.equal(stage.group("web").length, 20);
  t.equal(await heldHash(stage), hash);
  await approve(stage, hash);
  await stage.restart();
  t.ok(
    await stage.until(() => stage.group("web").length === 12),
    "also when it restarts right after the approval",
  );
  await stage.stop();
});

t.test(
  "a cluster that shrank shortly before an orderly restart is measured by what it was then",
  async (t) => {
    const [stage, watcher] = await running(20);
    for (const pods of [99, 30]) {
      watcher.pods = pods;
      await stage.during(watcher.say());
      await stage.clock.run(1000);
    }
    await stage.stop();
    for (const address of addresses(1)) await stage.during(watcher.remove("web", address, "vanished"));
    stage.start();
    t.ok(await stage.until(() => stage.group("web").length === 19, 60_000), "one of 30, not 70 of 100");
    await stage.stop();
  },
);

t.test("a pusher that was away while a selector broke removes nothing", async (t) => {
  const [stage, watcher] = await running(20);
  await stage.stop();
  for (const address of addresses(15)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(3_700_000);
  stage.start();
  await stage.clock.run(20_000);
  t.equal(stage.group("web").length, 20);
  t.match((await approve(stage)).json, [{ groups: [{ count: 15, guard: "absence" }] }]);
  await stage.stop();
});

t.test("a pusher that was away while every pod was replaced follows at once", async (t) => {
  const [stage, watcher] = await running(20);
  await stage.stop();
  for (const address of addresses(20)) await stage.during(watcher.remove("web", address, "ended"));
  for (const address of addresses(18, 50)) await stage.during(watcher.add("web", address));
  await stage.clock.run(3_700_000);
  stage.start();
  t.ok(await stage.until(() => stage.holds("web", ...addresses(18, 50)), 60_000));
  await stage.stop();
});

t.test("a restart begins no new window: what went before it counts", async (t) => {
  const [stage, watcher] = await running(20);
  for (const address of addresses(3)) await stage.during(watcher.remove("web", address, "unselected"));
  t.ok(await stage.until(() => stage.group("web").length === 17), "three may go");
  await stage.restart();
  for (const address of addresses(3, 4)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(10_000);
  t.equal(stage.group("web").length, 17, "three more would be six of twenty");
  t.match((await approve(stage)).json, [{ groups: [{ count: 3, guard: "mass-removal" }] }]);
  for (const address of addresses(3, 4)) await stage.during(watcher.add("web", address));
  await stage.clock.run(WINDOW_MS * 1.1);
  await stage.restart();
  for (const address of addresses(3, 4)) await stage.during(watcher.remove("web", address, "unselected"));
  t.ok(await stage.until(() => stage.group("web").length === 14), "a window later they are few");
  await stage.stop();
});

t.test(
  "a pusher that dies with each removal, over and over, lets no more go than one that lives",
  async (t) => {
    const [stage, watcher] = await running(20);
    await stage.stop();
    for (const [n, address] of addresses(8).entries()) {
      const link = { user: `pusher-${n}`, source: "192.0.2.1", isCut: false };
      const pusher = stage.replica(link);
      const before = stage.group("web").length;
      await stage.clock.run(10_000);
      await stage.during(watcher.remove("web", address, "unselected"));
      await stage.until(() => stage.group("web").length < before, 5000);
      // As `kill -9` in the moment in which the device has done it: nothing is said to anybody any more.
      pusher.cut();
      await pusher.stop();
    }
    t.equal(stage.group("web").length, 15);
  },
);

t.test("what is held counts in its window after a restart, too", async (t) => {
  const [stage, watcher] = await running(20);
  for (const address of addresses(8)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  await stage.restart();
  for (const address of addresses(3, 10)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(10_000);
  t.equal(stage.group("web").length, 20, "three more would be eleven of twenty");
  await stage.clock.run(WINDOW_MS * 1.1);
  await stage.restart();
  for (const address of addresses(3, 15)) await stage.during(watcher.remove("web", address, "unselected"));
  t.ok(await stage.until(() => stage.group("web").length === 17), "what was held long ago counts no more");
  await stage.stop();
});
