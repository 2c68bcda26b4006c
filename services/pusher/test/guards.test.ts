import t from "tap";
import { Stage, configurationOf } from "./stage.ts";
import type { TestWatcher } from "./test-watcher.ts";

const addresses = (count: number, from = 1): string[] =>
  [...Array(count).keys()].map((n) => `10.0.${Math.trunc((n + from) / 250)}.${((n + from) % 250) + 1}`);

/** A group web of cluster east with these addresses, in place. */
async function running(count: number, more: Record<string, unknown> = {}): Promise<[Stage, TestWatcher]> {
  const stage = new Stage(configurationOf(more));
  const watcher = await stage.watcher("east", "web");
  await stage.watcher("west");
  stage.start();
  for (const address of addresses(count)) await stage.during(watcher.add("web", address));
  await stage.until(() => stage.holds("web", ...addresses(count)), 60_000);
  // What was there when the window began is what shares are taken of.
  await stage.clock.run(700_000);
  return [stage, watcher];
}

t.test(
  "a broken selector removes nothing: it is held, and seen in status, metric, log and plan",
  async (t) => {
    const [stage, watcher] = await running(20);
    for (const address of addresses(20)) await stage.during(watcher.remove("web", address, "unselected"));
    await stage.clock.run(10_000);
    t.equal(stage.group("web").length, 20);
    const status = await stage.during(stage.targetStatus("east", "fw1"));
    t.match(status?.groups["web"], {
      inSync: false,
      reason: "Held",
      message: /20 addresses stay: .*approve/,
    });
    t.match(await stage.metric("podgate_pusher_held"), [
      /guard="mass-removal"\} 0/,
      /guard="last-member"\} 20/,
    ]);
    const [line] = stage.lines.filter(({ msg }) => msg === "held until it is approved");
    t.match(line, {
      level: "warn",
      target: "fw1",
      cluster: "east",
      group: "web",
      guard: "last-member",
      count: 20,
    });
    await stage.stop();
  },
);
