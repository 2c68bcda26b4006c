import t from "tap";
import { Stage, configurationOf } from "./stage.ts";

t.test(
  "an address that joins a group is on the firewall, resolved through its parent, after two calls",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    stage.start();
    t.ok(
      await stage.until(() => stage.device.group("root", "web") !== undefined),
      "the empty group is made first",
    );
    await stage.clock.run(3000);
    const before = stage.writes().length;
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1"), 500), "within half a second");
    t.equal(stage.writes().length - before, 2, "create and put");
    await stage.during(watcher.remove("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web"), 500));
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1"), 500));
    t.equal(stage.writes().length - before, 4, "a known address costs one call");
    await stage.stop();
  },
);
