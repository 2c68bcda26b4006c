import t from "tap";
import { addresses, approve, heldHash, running, SHORT_WINDOW, WINDOW_MS } from "./guarded-stage.ts";
import { Stage } from "./stage.ts";

t.test("what is held because of what went before it is held after a restart, too", async (t) => {
  const [stage, watcher] = await running(20);
  const [first, then] = [addresses(5), addresses(3, 6)];
  for (const address of first) await stage.during(watcher.remove("web", address, "unselected"));
  t.ok(await stage.until(() => stage.group("web").length === 15), "five may go");
  for (const address of then) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  t.equal(stage.group("web").length, 15, "three more would be eight of twenty");
  const hash = await heldHash(stage);
  await stage.clock.run(WINDOW_MS * 1.1);
  await stage.restart();
  await stage.clock.run(20_000);
  t.equal(stage.group("web").length, 15, "by themselves they would be few");
  t.equal(await heldHash(stage), hash);
  await stage.stop();
});

t.test("an approval that nobody took in within a day lets nothing go", async (t) => {
  const stage = new Stage(SHORT_WINDOW);
  const [east, west] = [await stage.watcher("east", "web"), await stage.watcher("west")];
  east.pods = 100;
  stage.start();
  for (const address of addresses(20)) await stage.during(east.add("web", address));
  t.ok(await stage.until(() => stage.holds("web", ...addresses(20)), 60_000));
  await stage.clock.run(WINDOW_MS * 1.1);
  for (const address of addresses(8)) await stage.during(east.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  const hash = await heldHash(stage);
  await stage.stop();
  await approve(stage, hash);
  east.stop();
  west.stop();
  await stage.clock.run(25 * 3_600_000);
  const next = (await stage.silentWatcher("east")).knows(east);
  next.pods = 100;
  await stage.during(next.start("web"));
  await stage.watcher("west");
  stage.start();
  await stage.clock.run(60_000);
  t.equal(stage.group("web").length, 20);
  t.notOk(stage.lines.some(({ msg }) => msg.startsWith("approved")));
  t.not(await heldHash(stage), "", "it waits for another word");
  await stage.stop();
});
