import t from "tap";
import { adoptClusterCommand, type AdoptOptions } from "../src/commands/adopt-cluster.ts";
import { NEW, OLD, rebuild } from "./rebuilt-cluster.ts";
import { configurationOf, Stage } from "./stage.ts";

function adopt(stage: Stage, more: Partial<AdoptOptions> = {}) {
  const options = { cluster: "east", approve: undefined, who: "test", waitMs: 20_000, ...more };
  return stage.during(adoptClusterCommand(stage.configuration, stage.ports(), options));
}

async function rebuilt(stage = new Stage()) {
  const { next } = await rebuild(stage, () => stage.start());
  return { stage, next };
}

const hashIn = (text: string): string => /--approve ([0-9a-f]{12})/.exec(text)?.[1] ?? "";

t.test(
  "a rebuilt cluster changes nothing until it is adopted by hash; then it is as it says, at once",
  async (t) => {
    const { stage } = await rebuilt();
    t.ok(stage.holds("web", ...OLD));
    const { text, code } = await adopt(stage);
    t.equal(code, 0);
    t.match(text, /was uid uid-of-east; uid uid-of-the-new publishes now/);
    t.match(text, /batch: 0 join, 1 leave/);
    t.match(text, /web: 1 join, 18 leave/);
    await stage.clock.run(10_000);
    t.ok(stage.holds("web", ...OLD), "to look changes nothing");
    await t.rejects(adopt(stage, { approve: "0123456789ab" }), { message: /something else/ });
    const done = await adopt(stage, { approve: hashIn(text), who: "alice" });
    t.equal(done.code, 0, done.text);
    t.ok(await stage.until(() => stage.holds("web", ...NEW), 10_000));
    t.ok(await stage.until(() => stage.holds("batch")));
    t.ok(stage.lines.some(({ msg, who }) => msg.includes("is adopted") && who === "alice"));
    t.equal((await stage.clusterStatus("east"))?.uid, "uid-of-the-new");
    await stage.restart();
    await stage.clock.run(30_000);
    t.ok(stage.holds("web", ...NEW));
    t.equal((await stage.clusterStatus("east"))?.verified, true);
    await stage.stop();
  },
);

t.test(
  "also where the pusher was started after the old one was gone: it knows of it by the firewall alone",
  async (t) => {
    const { stage } = await rebuilt();
    await stage.restart();
    await stage.clock.run(5000);
    t.ok(stage.holds("web", ...OLD));
    const { text } = await adopt(stage);
    t.equal((await adopt(stage, { approve: hashIn(text) })).code, 0);
    t.ok(await stage.until(() => stage.holds("web", ...NEW), 10_000));
    await stage.stop();
  },
);

t.test(
  "also where what the pusher had kept was lost with the bus' store: it knows it, and keeps it anew",
  async (t) => {
    const { stage } = await rebuilt();
    stage.server.remakeStream("KV_podgate-pusher");
    await stage.clock.run(40_000);
    const { text } = await adopt(stage);
    t.match(text, /was uid uid-of-east; uid uid-of-the-new publishes now/);
    t.equal((await adopt(stage, { approve: hashIn(text) })).code, 0);
    await stage.stop();
  },
);

t.test("the status and the log of a second cluster under the name tell the remedy", async (t) => {
  const { stage } = await rebuilt();
  const status = await stage.clusterStatus("east");
  t.equal(status?.verified, false);
  t.match(status?.reason, /uid uid-of-the-new.*give one of the two another name.*adopt-cluster east/);
  t.ok(stage.lines.some(({ reason }) => String(reason).includes("podgate-pusher adopt-cluster east")));
  await stage.stop();
});

t.test("nobody is adopted while the known one has the last word, or where none was ever known", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  await stage.watcher("west");
  await t.rejects(adopt(stage), { message: /no cluster was ever known as east/ });
  stage.start();
  await stage.clock.run(10_000);
  await t.rejects(adopt(stage), { message: /no other cluster publishes as east.*uid-of-east/ });
  await stage.stop();
});

t.test("a uid that stands in the configuration is changed there", async (t) => {
  const clusters = [{ name: "east", uid: "uid-of-east" }, { name: "west" }];
  const { stage } = await rebuilt(new Stage(configurationOf({ clusters })));
  await t.rejects(adopt(stage), { message: /clusters\[0\]\.uid: "uid-of-east".*put the new uid there/ });
  await stage.stop();
});

t.test("a uid that is put into the configuration later undoes an adoption", async (t) => {
  const { stage } = await rebuilt();
  t.teardown(() => stage.stop());
  const { text } = await adopt(stage);
  await adopt(stage, { approve: hashIn(text) });
  await stage.until(() => stage.holds("web", ...NEW));
  await stage.stop();
  stage.configuration = configurationOf({
    clusters: [{ name: "east", uid: "uid-of-east" }, { name: "west" }],
  });
  stage.start();
  await stage.clock.run(30_000);
  const status = await stage.clusterStatus("east");
  t.match(status, { verified: false, reason: /uid-of-the-new/ });
});

t.test("a new one that is silent, too, is not adopted", async (t) => {
  const { stage, next } = await rebuilt();
  next.stop();
  await stage.clock.run(15_000);
  await t.rejects(adopt(stage), { message: /not verified as east.*its watcher must run/ });
  await stage.stop();
});
