import t from "tap";
import type { Configuration } from "../src/configuration.ts";
import { addresses, approve, heldHash } from "./guarded-stage.ts";
import { configurationOf, Stage } from "./stage.ts";

const routed = (...groups: readonly string[]): Configuration =>
  configurationOf({ routes: [{ targets: ["fw1"], clusters: ["east", "west"], groups }] });

/** Group web of 30 and batch of two, in place. */
async function running() {
  const stage = new Stage(routed("web", "batch"));
  const east = await stage.watcher("east", "web", "batch");
  await stage.watcher("west");
  stage.start();
  for (const address of addresses(30)) await stage.during(east.add("web", address));
  for (const address of ["10.9.0.1", "10.9.0.2"]) await stage.during(east.add("batch", address));
  await stage.until(() => stage.holds("web", ...addresses(30)) && stage.group("batch").length === 2, 60_000);
  return { stage, east };
}

/** As `run` does when the file has changed: one pusher ends in order, and the next one begins. */
async function reconfigure(stage: Stage, configuration: Configuration): Promise<void> {
  await stage.stop();
  stage.configuration = configuration;
  stage.start();
  await stage.clock.run(20_000);
}

t.test("a configuration that changes nothing on a target writes nothing there", async (t) => {
  const { stage } = await running();
  const before = stage.writes().length;
  await reconfigure(stage, { ...stage.configuration, driftSeconds: 60 });
  t.equal(stage.writes().length, before);
  t.equal((await stage.targetStatus("east", "fw1"))?.groups["web"]?.inSync, true);
  await stage.stop();
});

t.test(
  "what a retired route leaves behind is held, goes with an approval, and stays when it is restored",
  async (t) => {
    const { stage } = await running();
    const before = stage.writes().length;
    await reconfigure(stage, routed("other"));
    t.equal(stage.writes().length, before);
    t.ok(stage.holds("web", ...addresses(30)) && stage.group("batch").length === 2);
    await reconfigure(stage, routed("web", "batch"));
    t.equal(stage.writes().length, before, "a mistake that is mended costs nothing");
    t.equal(await heldHash(stage), "");

    await reconfigure(stage, routed("batch"));
    const { text } = await approve(stage);
    t.match(text, /web/);
    t.match(text, /unrouted|no route/);
    t.equal((await approve(stage, await heldHash(stage))).code, 0);
    t.ok(await stage.until(() => stage.holds("web"), 30_000));
    t.equal(stage.group("batch").length, 2);
    await stage.stop();
  },
);

t.test("what a retired cluster leaves behind is held", async (t) => {
  const { stage } = await running();
  const routes = [{ targets: ["fw1"], clusters: ["west"], groups: ["*"] }];
  await reconfigure(stage, configurationOf({ clusters: [{ name: "west" }], routes }));
  t.ok(stage.holds("web", ...addresses(30)) && stage.group("batch").length === 2);
  t.not(await heldHash(stage), "");
  await stage.stop();
});
