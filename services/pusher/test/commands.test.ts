import t from "tap";
import { busInitCommand } from "../src/commands/bus-init.ts";
import { checkCommand } from "../src/commands/check.ts";
import { cleanCommand } from "../src/commands/clean.ts";
import { explainCommand } from "../src/commands/explain.ts";
import { planCommand } from "../src/commands/plan.ts";
import { Stage, configurationOf } from "./stage.ts";

const WAIT = { waitMs: 15_000 };

t.test(
  "plan prints what would change and why, writes nothing, and can say so by its exit code",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    await stage.watcher("west");
    await stage.during(watcher.add("web", "10.0.0.1"));
    const plan = (exitCode: boolean) =>
      stage.during(planCommand(stage.configuration, stage.ports(), { ...WAIT, exitCode }));
    const { text, json, code } = await plan(true);
    t.equal(code, 3);
    t.match(text, /target fw1 \(enforce\): 3 steps, plan [0-9a-f]{12}/);
    t.match(text, /create-address +pg\.a1\.10\.0\.0\.1 +.*web/);
    t.match(json, {
      targets: [{ target: "fw1", steps: [{ kind: "create-address" }], hash: /^[0-9a-f]{64}$/ }],
    });
    t.equal((await plan(false)).code, 0);
    t.strictSame(stage.writes(), []);
    stage.start();
    await stage.until(() => stage.holds("web", "10.0.0.1"));
    await stage.stop();
    const after = await plan(true);
    t.equal(after.code, 0);
    t.match(after.text, /target fw1 \(enforce\): nothing to change/);
  },
);

t.test("plan says which cluster is not verified and removes nothing on its behalf", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  await stage.until(() => stage.holds("web", "10.0.0.1"));
  await stage.stop();
  watcher.stop();
  stage.server.remakeStream("PODGATE_east");
  const { text, json, code } = await stage.during(
    planCommand(stage.configuration, stage.ports(), { ...WAIT, exitCode: true }),
  );
  t.equal(code, 0);
  t.match(text, /cluster east is not verified \(.+\): nothing is removed for it/);
  t.match(json, { targets: [{ steps: [] }] });
});

t.test("plan tells of a target that cannot be read, and fails", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  stage.dead.add("fw1.example.com");
  const { text, code } = await stage.during(
    planCommand(stage.configuration, stage.ports(), { ...WAIT, exitCode: false }),
  );
  t.equal(code, 1);
  t.match(text, /target fw1 \(enforce\): cannot be read: .*no answer/);
});

t.test("a command that is refused the token leaves the device alone, and so does the next one", async (t) => {
  const stage = new Stage(configurationOf({ targets: [{ name: "fw1" }, { name: "fw1-dmz", vdom: "dmz" }] }));
  await stage.watcher("east", "web");
  stage.token = () => "wrong";
  const plan = () =>
    stage.during(planCommand(stage.configuration, stage.ports(), { waitMs: 2000, exitCode: false }));
  t.match((await plan()).text, /fw1-dmz .*cannot be read: .*nothing is sent until/);
  t.equal(stage.device.log.entries().length, 1);
  stage.token = () => "simulator-token";
  t.match((await plan()).text, /fw1 .*cannot be read: .*nothing is sent until/);
  const checked = await stage.during(checkCommand(stage.configuration, stage.ports(), WAIT));
  t.match(checked.text, /failed +token +fw1 +the device refused the token/);
  t.equal(stage.device.log.entries().length, 1);
});

t.test("explain tells owners, cluster, standing on the device, and what keeps an address out", async (t) => {
  const stage = new Stage(
    configurationOf({
      clusters: [{ name: "east", cidrs: ["10.0.0.0/8"] }, { name: "west" }],
      routes: [{ targets: ["fw1"], clusters: ["east", "west"], groups: ["web"] }],
    }),
  );
  const watcher = await stage.watcher("east", "web", "other");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1", "web-1"));
  await stage.during(watcher.add("web", "192.0.2.1", "web-2"));
  await stage.during(watcher.add("other", "10.0.0.1", "web-1"));
  await stage.until(() => stage.holds("web", "10.0.0.1"));
  await stage.stop();
  const explain = (address: string) =>
    stage.during(explainCommand(stage.configuration, stage.ports(), { ...WAIT, address }));
  const member = await explain("10.0.0.1");
  t.match(member.text, /group web \(web of cluster east\): member because of Pod shop\/web-1; on the device/);
  t.match(member.text, /cluster east: verified/);
  t.match(member.text, /cluster west: not verified/);
  t.match(member.text, /address object pg\.a1\.10\.0\.0\.1: ours/);
  t.match(member.text, /group other of cluster east holds it, but: .*route/);
  t.match(member.json, { targets: [{ target: "fw1", groups: [{ member: true, onDevice: true }] }] });
  const forbidden = await explain("192.0.2.1");
  t.match(forbidden.text, /not on the device\n +refused: .*10\.0\.0\.0\/8/s);
  t.match((await explain("10.9.9.9")).text, /in no group that is routed to it/);
  t.rejects(explain("10.0.0.300"), /"10\.0\.0\.300" is no address/);
});

t.test("bus init makes what is missing, and tells field by field what differs and leaves it", async (t) => {
  const stage = new Stage();
  const init = () => stage.during(busInitCommand(stage.configuration, stage.ports(), WAIT));
  const first = await init();
  t.equal(first.code, 0);
  t.match(first.text, /PODGATE_east: ok\nPODGATE_west: ok\npodgate-status: ok\npodgate-pusher: ok/);
  stage.server.deleteStream("PODGATE_east");
  const { streamWire } = await import("@podgate/shared/bus/stream-wire");
  const { streamFor } = await import("@podgate/shared/bus/topology");
  stage.server.create({ ...streamWire(streamFor("east")), max_msgs_per_subject: 5 });
  const second = await init();
  t.equal(second.code, 1);
  t.match(second.text, /PODGATE_east: not as it must be, and left as it is:\n {2}.*max_msgs_per_subject/);
  t.equal((await init()).code, 1, "it was not changed");
});

t.test("bus init without NATS says what to check", async (t) => {
  const stage = new Stage();
  stage.server.stop();
  t.rejects(
    stage.during(busInitCommand(stage.configuration, stage.ports(), WAIT)),
    /NATS was not reached: check/,
  );
});

const checked = (stage: Stage) => stage.during(checkCommand(stage.configuration, stage.ports(), WAIT));

t.test("check finds everything right, in one table, and changes nothing", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  const { text, json, code } = await checked(stage);
  t.equal(code, 0, text);
  const { checks: rows } = json as { checks: { check: string; result: string }[] };
  t.strictSame(
    rows.map(({ check }) => check),
    [
      "configuration",
      "NATS",
      "stream",
      "stream",
      "bucket",
      "bucket",
      "files",
      "reachable",
      "VDOM",
      "HA role",
      "central management",
      "clock",
      "limits",
      "read",
      "write address",
      "write address6",
      "write addrgrp",
      "write addrgrp6",
    ],
  );
  t.ok(
    rows.every(({ result }) => result === "ok"),
    text,
  );
  t.notOk(stage.device.log.entries().some(({ changed }) => changed));
  t.match(text, /ok +reachable +fw1 +FGVM-0001, FortiOS 7\.4/);
});

t.test("check says of each thing that is wrong how to mend it", async (t) => {
  const streams = new Stage();
  const missing = await checked(streams);
  t.match(missing.text, /warn +stream +PODGATE_east +does not exist yet\n +fix: podgate-pusher bus init/);

  const readOnly = new Stage(configurationOf(), {
    users: [
      { name: "api", token: "simulator-token", profile: { fwgrp: "read", sysgrp: "none" }, vdoms: "*" },
    ],
  });
  await readOnly.watcher("east");
  const rights = await checked(readOnly);
  t.equal(rights.code, 1);
  t.match(
    rights.text,
    /failed +write addrgrp6 +fw1 +.*403.*\n +fix: give the API user's profile fwgrp-permission/,
  );

  const scope = new Stage(configurationOf({ targets: [{ name: "fw1", vdom: "nowhere" }] }));
  await scope.watcher("east");
  t.match((await checked(scope)).text, /failed +\S+ right +fw1 +.*\n +fix: .*this VDOM to the user's scope/);

  const dead = new Stage();
  await dead.watcher("east");
  dead.dead.add("fw1.example.com");
  t.match(
    (await checked(dead)).text,
    /failed +reachable +fw1 +.*no answer within 30000 ms\n +fix: is something/,
  );

  const token = new Stage();
  await token.watcher("east");
  token.token = () => "wrong-canary";
  const refused = await checked(token);
  t.match(
    refused.text,
    /failed +token +fw1 +.*not accepted.*\n +fix: put the token of a REST API administrator/,
  );
  t.notMatch(refused.text + token.raw.join(""), /canary/);

  const file = new Stage();
  await file.watcher("east");
  file.token = () => undefined;
  t.match((await checked(file)).text, /failed +files +fw1 +.*ENOENT.*\n +fix: mount the file there/);

  const offline = new Stage();
  offline.server.stop();
  t.match((await checked(offline)).text, /failed +NATS .*\n +fix: check nats\.servers/);
});

t.test("check warns of a FortiManager and of a clock that is off", async (t) => {
  const stage = new Stage(configurationOf(), {
    settings: { centralManagement: { type: "fortimanager", fmg: "192.0.2.5" } },
  });
  stage.skewMs = -120_000;
  await stage.watcher("east");
  const { text, code } = await checked(stage);
  t.equal(code, 0);
  t.match(text, /warn +central management +fw1 +managed by a FortiManager.*\n +fix: let the FortiManager/);
  t.match(text, /warn +clock +fw1 +the device is 120 s behind\n +fix: set NTP/);
});

t.test("check names a target that was taken out while it held something, until it is cleaned", async (t) => {
  const both = configurationOf({ targets: [{ name: "fw1" }, { name: "dmz", vdom: "dmz" }] });
  const one = configurationOf();
  const stage = new Stage(both);
  const watcher = await stage.watcher("east", "web");
  await stage.watcher("west");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1") && stage.group("web", "dmz").length === 1));
  await stage.clock.run(2000);
  await stage.stop();
  t.notMatch((await checked(stage)).text, /retired/);

  stage.configuration = one;
  stage.start();
  await stage.clock.run(20_000);
  const retired = await checked(stage);
  t.equal(retired.code, 0);
  t.match(
    retired.text,
    /warn +retired target +dmz +not configured any more, .*https:\/\/fw1\.example\.com, VDOM dmz.* our mark.*\n +fix: .*mode: paused.*podgate-pusher clean dmz/,
  );
  await stage.stop();

  stage.configuration = configurationOf({ targets: [{ name: "fw1" }, { name: "renamed", vdom: "dmz" }] });
  t.notMatch((await checked(stage)).text, /retired/, "another name for the same place");

  stage.configuration = configurationOf({
    targets: [{ name: "fw1" }, { name: "dmz", vdom: "dmz", mode: "paused" }],
  });
  const clean = (approve?: string) =>
    stage.during(
      cleanCommand(stage.configuration, stage.ports(), {
        target: "dmz",
        approve,
        who: "test",
        waitMs: 30_000,
      }),
    );
  const hash = /--approve ([0-9a-f]{12})/.exec((await clean()).text)?.[1];
  t.equal((await clean(hash)).code, 0);
  stage.configuration = one;
  t.notMatch((await checked(stage)).text, /retired/, "cleaned");
});

t.test("check does not take a device for a retired one that is configured by another URL", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(2000);
  await stage.stop();
  stage.configuration = configurationOf({ targets: [{ name: "fw", url: "https://fw1.example.net" }] });
  t.match((await checked(stage)).text, /retired target +fw1/, "nobody has seen yet what is behind it");
  stage.devices.set("fw1.example.net", stage.device);
  stage.start();
  await stage.clock.run(10_000);
  await stage.stop();
  t.notMatch((await checked(stage)).text, /retired/);
});

t.test("check names what a retired route or cluster leaves on a target", async (t) => {
  const stage = new Stage();
  const [east, west] = [await stage.watcher("east", "web", "batch"), await stage.watcher("west", "shop")];
  stage.start();
  await stage.during(east.add("web", "10.0.0.1"));
  await stage.during(east.add("batch", "10.0.0.2"));
  await stage.during(west.add("shop", "10.0.0.3"));
  t.ok(await stage.until(() => stage.holds("shop", "10.0.0.3") && stage.holds("batch", "10.0.0.2")));
  await stage.stop();
  t.notMatch((await checked(stage)).text, /retired/);
  stage.configuration = configurationOf({
    clusters: [{ name: "east" }],
    routes: [{ targets: ["fw1"], clusters: ["east"], groups: ["web"] }],
  });
  const { text, code } = await checked(stage);
  t.equal(code, 0);
  t.match(
    text,
    /warn +retired groups +fw1 +batch of cluster east, shop of cluster west: nothing .* leads here\n +fix: .*podgate-pusher plan/,
  );
});
