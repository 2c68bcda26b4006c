import t from "tap";
import { addresses, approve, heldHash, running } from "./guarded-stage.ts";

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
