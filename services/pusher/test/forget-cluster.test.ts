import { DEFAULT_TOKEN } from "@podgate/fortios-simulator/state";
import t from "tap";
import { forgetClusterCommand, type ForgetOptions } from "../src/commands/forget-cluster.ts";
import { configurationOf, Stage } from "./stage.ts";

function forget(stage: Stage, more: Partial<ForgetOptions> = {}) {
  const options = { cluster: "east", approve: undefined, who: "test", waitMs: 60_000, ...more };
  return stage.during(forgetClusterCommand(stage.configuration, stage.ports(), options));
}

/** Cluster east had two addresses in web, west one of its own; now nobody speaks for east. */
async function silent(more: Record<string, unknown> = {}) {
  const stage = new Stage(configurationOf(more));
  const east = await stage.watcher("east", "web", "batch");
  const west = await stage.watcher("west", "web");
  stage.start();
  await stage.during(east.add("web", "10.0.0.1"));
  await stage.during(east.add("batch", "10.0.0.2"));
  await stage.during(west.add("web", "10.1.0.1"));
  await stage.until(() => stage.holds("web", "10.0.0.1", "10.1.0.1") && stage.holds("batch", "10.0.0.2"));
  east.stop();
  await stage.clock.run(15_000);
  return { stage, east };
}

const hashIn = (text: string): string => /--approve ([0-9a-f]{12})/.exec(text)?.[1] ?? "";

t.test(
  "a silent cluster keeps everything until it is forgotten by hash; then all of it goes, proven",
  async (t) => {
    const { stage } = await silent();
    t.ok(stage.holds("web", "10.0.0.1", "10.1.0.1"));
    const { text, code } = await forget(stage);
    t.equal(code, 0);
    t.match(text, /target fw1: 2 groups with 2 addresses/);
    t.match(text, /web: 1 addresses \(pg\.a1\.web\.east\.0, in web\)/);
    await stage.clock.run(10_000);
    t.ok(stage.holds("batch", "10.0.0.2"), "to look changes nothing");
    const done = await forget(stage, { approve: hashIn(text), who: "alice" });
    t.equal(done.code, 0, done.text);
    t.match(
      done.text,
      /target fw1: read at \d{4}-.*, nothing is left \(2 groups were there: .*pg\.a1\.web\.east\.0/,
    );
    t.ok(stage.holds("web", "10.1.0.1"), "the other cluster keeps its own");
    t.ok(
      await stage.until(() => stage.writes().includes("DELETE cmdb/firewall/addrgrp/batch")),
      "a group of ours that is empty goes",
    );
    t.ok(stage.lines.some(({ msg, who }) => msg.includes("is forgotten") && who === "alice"));
    t.ok(
      stage.lines.some(({ msg, target }) => msg.startsWith("nothing of the forgotten") && target === "fw1"),
    );
    await stage.stop();
  },
);

t.test("a cluster that is heard is not forgotten, and the remedy is named", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  await stage.watcher("west");
  await t.rejects(forget(stage), { message: /east is heard.*podgate-watcher drain/ });
  await t.rejects(forget(stage, { cluster: "north" }), { message: /no cluster "north".*east, west/ });
});

t.test("a hash of something else is refused", async (t) => {
  const { stage, east } = await silent();
  const { text } = await forget(stage);
  await t.rejects(forget(stage, { approve: "0123456789ab" }), { message: /another set \([0-9a-f]{12}\)/ });
  const again = (await stage.silentWatcher("east")).knows(east);
  await stage.during(again.start("web", "batch"));
  await stage.during(again.add("web", "10.0.0.7"));
  await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.7", "10.1.0.1"));
  again.stop();
  await stage.clock.run(15_000);
  await t.rejects(forget(stage, { approve: hashIn(text) }), { message: /another set/ });
  t.ok(stage.holds("batch", "10.0.0.2"));
  await stage.stop();
});

t.test("without a pusher nothing is proven, and the one that comes does it", async (t) => {
  const { stage } = await silent();
  const { text } = await forget(stage);
  await stage.stop();
  const { text: told, code } = await forget(stage, { approve: hashIn(text), waitMs: 5000 });
  t.equal(code, 1);
  t.match(told, /fw1: not proven yet; does a pusher run/);
  stage.start();
  await stage.clock.run(5000);
  t.ok(stage.holds("batch", "10.0.0.2"), "a pusher that has just begun does not know of the silence");
  t.ok(await stage.until(() => stage.holds("web", "10.1.0.1"), 30_000));
  await stage.stop();
});

t.test("a cluster that comes back makes the forgetting void and joins without a flap", async (t) => {
  const { stage, east } = await silent();
  const { text } = await forget(stage);
  await stage.stop();
  await forget(stage, { approve: hashIn(text), waitMs: 2000 });
  const back = (await stage.silentWatcher("east")).knows(east);
  await stage.during(back.start("web", "batch"));
  const before = stage.writes().length;
  stage.start();
  await stage.clock.run(60_000);
  t.strictSame(stage.writes().slice(before), [], "what it has stays without a write");
  t.ok(stage.lines.some(({ msg }) => msg.includes("void")));
  await stage.restart();
  await stage.clock.run(60_000);
  t.ok(stage.holds("web", "10.0.0.1", "10.1.0.1"));
  await stage.stop();
});

t.test(
  "a cluster that is heard again makes the forgetting void, verified or not: it may fall silent once more",
  async (t) => {
    const { stage, east } = await silent();
    const { text } = await forget(stage);
    await stage.stop();
    await forget(stage, { approve: hashIn(text), waitMs: 2000 });
    const back = (await stage.silentWatcher("east")).knows(east);
    back.phase = "syncing";
    await stage.during(back.start("web", "batch"));
    stage.start();
    t.teardown(() => stage.stop());
    await stage.clock.run(20_000);
    t.equal((await stage.clusterStatus("east"))?.verified, false);
    back.stop();
    await stage.clock.run(60_000);
    t.ok(stage.holds("web", "10.0.0.1", "10.1.0.1") && stage.holds("batch", "10.0.0.2"));
  },
);

t.test("a cluster that comes back after it was forgotten is filled again", async (t) => {
  const { stage, east } = await silent();
  const { text } = await forget(stage);
  await forget(stage, { approve: hashIn(text) });
  t.ok(stage.holds("web", "10.1.0.1"));
  const back = (await stage.silentWatcher("east")).knows(east);
  await stage.during(back.start("web", "batch"));
  t.ok(
    await stage.until(() => stage.holds("web", "10.0.0.1", "10.1.0.1") && stage.holds("batch", "10.0.0.2")),
  );
  await stage.clock.run(60_000);
  t.ok(stage.holds("batch", "10.0.0.2"));
  await stage.stop();
});

t.test(
  "a proof is of one decision: forgotten again with the same groups, a cluster is proven again",
  async (t) => {
    const { stage, east } = await silent();
    const first = await forget(stage);
    await forget(stage, { approve: hashIn(first.text) });
    const back = (await stage.silentWatcher("east")).knows(east);
    await stage.during(back.start("web", "batch"));
    await stage.until(() => stage.holds("web", "10.0.0.1", "10.1.0.1") && stage.holds("batch", "10.0.0.2"));
    back.stop();
    await stage.clock.run(15_000);
    await stage.stop();
    const again = await forget(stage);
    t.equal(hashIn(again.text), hashIn(first.text), "the same set");
    const done = await forget(stage, { approve: hashIn(again.text), waitMs: 5000 });
    t.equal(done.code, 1, "no pusher has done it");
    t.match(done.text, /not proven yet/);
  },
);

t.test("what somebody else's object uses remains, emptied, and the proof names it", async (t) => {
  const { stage } = await silent();
  const url = "/api/v2/cmdb/firewall/policy?vdom=root";
  const policy = {
    policyid: 7,
    srcintf: [{ name: "any" }],
    dstintf: [{ name: "any" }],
    srcaddr: [{ name: "pg.a1.batch.east.0" }],
    dstaddr: [{ name: "all" }],
    action: "accept",
    schedule: "always",
    service: [{ name: "ALL" }],
  };
  const headers = { authorization: `Bearer ${DEFAULT_TOKEN}` };
  const made = stage.device.handle(
    { method: "POST", url, headers, body: JSON.stringify(policy), source: "192.0.2.9" },
    stage.clock.now(),
  );
  t.match(made, { status: 200 });
  const { text } = await forget(stage);
  const done = await forget(stage, { approve: hashIn(text), waitMs: 180_000 });
  t.equal(done.code, 1);
  t.match(
    done.text,
    /1 groups are left\n {2}pg\.a1\.batch\.east\.0: 0 addresses: .*something else on the firewall uses it/,
  );
  await stage.stop();
});

t.test("a target that is only observed keeps its groups, and the proof says why", async (t) => {
  const { stage } = await silent();
  await stage.stop();
  const observed = new Stage(configurationOf({ targets: [{ name: "fw1", mode: "observe" }] }));
  for (const [host, device] of stage.devices) observed.devices.set(host, device);
  for (const cluster of ["east", "west"]) await observed.silentWatcher(cluster);
  observed.start();
  await observed.clock.run(15_000);
  const { text } = await forget(observed);
  t.match(text, /not before its mode is enforce \(observe now\)/);
  const done = await forget(observed, { approve: hashIn(text) });
  t.equal(done.code, 1);
  t.match(done.text, /2 groups are left\n.*mode observe: nothing is written/);
  await observed.stop();
});
