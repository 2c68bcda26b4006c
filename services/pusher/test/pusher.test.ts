import { DEFAULT_TOKEN } from "@podgate/fortios-simulator/state";
import t from "tap";
import type { TargetConfiguration } from "../src/configuration.ts";
import { Pusher } from "../src/reconcile/pusher.ts";
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

t.test(
  "a group of ours whose mark somebody took off is his from the next read of the target on",
  async (t) => {
    const stage = new Stage(configurationOf({ driftSeconds: 60 }));
    const watcher = await stage.watcher("east", "web");
    stage.start();
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
    const child = "pg.a1.web.east.0";
    const headers = { authorization: `Bearer ${DEFAULT_TOKEN}` };
    const url = `/api/v2/cmdb/firewall/addrgrp/${child}`;
    const body = JSON.stringify({ comment: "mine" });
    stage.device.handle({ method: "PUT", url, headers, body, source: "192.0.2.9" }, stage.clock.now());
    await stage.clock.run(75_000);
    const before = stage.device.group("root", child);
    t.equal(before?.comment, "mine");
    await stage.during(watcher.add("web", "10.0.0.2"));
    await stage.during(watcher.remove("web", "10.0.0.1"));
    await stage.clock.run(10_000);
    t.match(await stage.during(stage.targetStatus("east", "fw1")), {
      groups: { web: { inSync: false, message: /pg\.a1\.web\.east\.0.*lacks our mark/ } },
    });
    await stage.clock.run(75_000);
    t.strictSame(stage.device.group("root", child)?.members, before?.members, "neither written nor deleted");
    t.notOk(
      stage.writes().some((call) => call.startsWith("DELETE") && call.includes(child)),
      "nor was it tried",
    );
    await stage.stop();
  },
);

t.test("two clusters feed one group, and a group of one alone; each owns its own children", async (t) => {
  const stage = new Stage();
  const east = await stage.watcher("east", "web", "only-east");
  const west = await stage.watcher("west", "web");
  stage.start();
  await stage.during(east.add("web", "10.0.0.1"));
  await stage.during(east.add("only-east", "2001:db8::1"));
  await stage.during(west.add("web", "10.1.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.1.0.1")));
  t.ok(await stage.until(() => stage.holds("only-east", "2001:db8::1")));
  t.strictSame(stage.device.group("root", "web")?.members, ["pg.a1.web.east.0", "pg.a1.web.west.0"]);
  await stage.stop();
});

t.test("a restart writes nothing over a whole drift period", async (t) => {
  const stage = new Stage(configurationOf({ driftSeconds: 60 }));
  const watcher = await stage.watcher("east", "web", "api");
  await stage.watcher("west");
  stage.start();
  for (const address of ["10.0.0.1", "10.0.0.2", "2001:db8::1"]) {
    await stage.during(watcher.add("web", address));
  }
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2", "2001:db8::1")));
  await stage.clock.run(5000);
  const before = stage.writes().length;
  await stage.restart();
  await stage.clock.run(150_000);
  t.strictSame(stage.writes().slice(before), []);
  const reads = stage.device.log.entries().filter(({ path }) => path === "cmdb/firewall/addrgrp");
  t.ok(reads.length >= 4, "and reads again and again");
  await stage.stop();
});

t.test(
  "while no cluster is verified nothing is removed, and what is missing is not asked for either",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    stage.start();
    await stage.during(watcher.add("web", "10.0.0.1"));
    await stage.during(watcher.add("web", "10.0.0.2"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2")));
    await stage.stop();
    watcher.stop();
    const before = stage.writes().length;
    // The stream is lost with everything in it.
    stage.server.remakeStream("PODGATE_east");
    stage.start();
    await stage.clock.run(60_000);
    t.ok(stage.holds("web", "10.0.0.1", "10.0.0.2"));
    t.strictSame(stage.writes().slice(before), []);
    t.match(await stage.during(stage.clusterStatus("east")), {
      verified: false,
      reason: "nothing heard from its watcher yet",
    });
    const status = await stage.during(stage.targetStatus("east", "fw1"));
    t.match(status?.groups["web"], { inSync: false, reason: "NotVerified" });
    await stage.stop();
  },
);

t.test("a silent cluster keeps its members, and comes back with what it missed", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  watcher.stop();
  await stage.clock.run(20_000);
  t.match(await stage.during(stage.clusterStatus("east")), { verified: false, reason: /silent/ });
  t.ok(stage.holds("web", "10.0.0.1"));
  const next = await stage.watcher("east", "web");
  await stage.during(next.add("web", "10.0.0.1"));
  await stage.during(next.remove("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web")));
  await stage.stop();
});

t.test("another cluster under a known name is refused, also after a restart", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(10_000);
  await stage.stop();
  watcher.stop();
  const replica = (await stage.silentWatcher("east")).knows(watcher);
  await stage.during(replica.start("web"));
  stage.start();
  await stage.clock.run(5000);
  t.match(
    await stage.during(stage.clusterStatus("east")),
    { verified: true },
    "a replica of the same cluster goes on",
  );
  await stage.stop();
  replica.stop();
  const other = await stage.silentWatcher("east", "another-uid");
  await stage.during(other.start("web"));
  stage.start();
  await stage.clock.run(10_000);
  t.match(await stage.during(stage.clusterStatus("east")), {
    verified: false,
    reason: /another cluster \(uid another-uid\)/,
  });
  t.ok(stage.holds("web", "10.0.0.1"));
  await stage.stop();
});

t.test("a refused token stops the device, also over a restart, and it goes on by itself later", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  let token = "wrong-canary";
  stage.token = () => token;
  stage.start();
  await stage.clock.run(60_000);
  const asked = (): number => stage.device.log.entries().length;
  t.equal(asked(), 1, "one request and no more");
  t.match(await stage.during(stage.targetStatus("east", "fw1")), {
    error: /not accepted.*nothing is sent until/,
  });
  await stage.restart();
  token = "simulator-token";
  await stage.clock.run(20_000);
  t.equal(asked(), 1, "the restarted one keeps still as well");
  t.strictSame(await stage.metric("podgate_pusher_device_blocked"), [
    'podgate_pusher_device_blocked{device="fw1.example.com"} 1',
  ]);
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1"), 30_000));
  await stage.clock.run(2000);
  t.equal((await stage.during(stage.targetStatus("east", "fw1")))?.error, undefined);
  t.notMatch(stage.raw.join(""), /wrong-canary|simulator-token/, "no token in any line");
  await stage.stop();
});

t.test("a right token put in the place of a refused one is used within seconds", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  let token = "wrong-canary";
  stage.token = () => token;
  stage.start();
  await stage.clock.run(20_000);
  t.equal(stage.device.log.entries().length, 1, "one request and no more");
  token = "another-wrong-canary";
  await stage.clock.run(20_000);
  t.equal(stage.device.log.entries().length, 2, "another token is worth one request");
  token = "simulator-token";
  await stage.clock.run(60_000);
  t.equal(
    stage.device.log.entries().length,
    2,
    "and the next one waits: wrong ones are counted, whatever they are",
  );
  t.strictSame(stage.device.lockout.state(stage.clock.now()), {});
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1"), 30_000));
  token = "wrong-canary";
  await stage.during(watcher.add("web", "10.0.0.2"));
  await stage.clock.run(20_000);
  token = "simulator-token";
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2")), "within seconds");
  t.notMatch(stage.raw.join(""), /canary|simulator-token/, "no token in any line");
  await stage.stop();
});

t.test("a token that is swapped in its file is used for the next call", async (t) => {
  const users = ["one", "two"].map((name) => ({
    name,
    token: `canary-${name}`,
    profile: { fwgrp: "read-write" as const, sysgrp: "read" as const },
    vdoms: "*" as const,
  }));
  const stage = new Stage(configurationOf(), { users });
  const watcher = await stage.watcher("east", "web");
  let token = "canary-one";
  stage.token = () => token;
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  token = "canary-two";
  await stage.during(watcher.add("web", "10.0.0.2"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2")));
  t.strictSame([...new Set(stage.device.log.entries().map((entry) => entry.token))], ["one", "two"]);
  t.notMatch(stage.raw.join(""), /canary/);
  await stage.stop();
});

t.test("a missing token file is told for its target only, and looked for again", async (t) => {
  const stage = new Stage(configurationOf({ targets: [{ name: "fw1" }, { name: "fw1-dmz", vdom: "dmz" }] }));
  const watcher = await stage.watcher("east", "web");
  let there = false;
  stage.token = ({ name }) => (name === "fw1" || there ? "simulator-token" : undefined);
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")), "the other target of the device goes on");
  await stage.clock.run(3000);
  const status = await stage.during(stage.targetStatus("east", "fw1-dmz"));
  t.match(status?.error, /token file \/run\/token cannot be read \(ENOENT\)/);
  t.equal((await stage.during(stage.targetStatus("east", "fw1")))?.error, undefined);
  there = true;
  t.ok(await stage.until(() => stage.group("web", "dmz").join() === "10.0.0.1"));
  await stage.stop();
});

t.test("a target in mode observe is read and reported, and never written", async (t) => {
  const stage = new Stage(configurationOf({ targets: [{ name: "fw1", mode: "observe" }] }));
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  await stage.clock.run(20_000);
  t.strictSame(stage.writes(), []);
  const line = stage.lines.findLast(({ msg }) => msg.startsWith("would change"));
  t.match(line, { target: "fw1", steps: Number, first: [/create-address pg.a1.10.0.0.1/] });
  const status = await stage.during(stage.targetStatus("east", "fw1"));
  t.match(status, {
    mode: "observe",
    groups: { web: { desired: 1, applied: 0, inSync: false, reason: "Observed" } },
  });
  await stage.stop();
});

t.test("a paused target is not even read", async (t) => {
  const stage = new Stage(configurationOf({ targets: [{ name: "fw1", mode: "paused" }] }));
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  await stage.clock.run(20_000);
  t.strictSame(stage.device.log.entries(), []);
  const status = await stage.during(stage.targetStatus("east", "fw1"));
  t.match(status, { mode: "paused", groups: { web: { inSync: false, reason: "Paused" } } });
  await stage.stop();
});

t.test("two VDOMs of one device share one call at a time; both are served", async (t) => {
  const stage = new Stage(configurationOf({ targets: [{ name: "fw1" }, { name: "fw1-dmz", vdom: "dmz" }] }), {
    latency: { write: 100 },
  });
  const watcher = await stage.watcher("east", "web");
  stage.start();
  for (let n = 1; n <= 5; n += 1) await stage.during(watcher.add("web", `10.0.0.${n}`));
  const five = "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5";
  t.ok(
    await stage.until(() => stage.group("web").join() === five && stage.group("web", "dmz").join() === five),
  );
  const writes = stage.device.log.entries().filter(({ method }) => method !== "GET");
  for (const [at, write] of writes.entries()) {
    const next = writes[at + 1];
    if (next !== undefined) t.ok(next.appliedAt - write.appliedAt >= 100, "one after the other");
  }
  await stage.stop();
});

t.test("a dead device delays no other", async (t) => {
  const stage = new Stage(
    configurationOf({
      targets: [{ name: "fw1" }, { name: "fw2", url: "https://fw2.example.com" }],
    }),
  );
  stage.dead.add("fw2.example.com");
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.until(() => stage.device.group("root", "web") !== undefined);
  await stage.clock.run(40_000);
  for (const address of ["10.0.0.1", "10.0.0.2"]) {
    const from = stage.clock.now();
    await stage.during(watcher.add("web", address));
    t.ok(await stage.until(() => stage.group("web").includes(address), 500));
    t.ok(stage.clock.now() - from < 100, "at once");
  }
  await stage.clock.run(2000);
  t.match(await stage.during(stage.targetStatus("east", "fw2")), { error: /no answer/, lastSuccess: 0 });
  const status = await stage.during(stage.targetStatus("east", "fw1"));
  t.match(status?.groups["web"], { desired: 2, applied: 2, inSync: true });
  stage.dead.clear();
  t.ok(
    await stage.until(
      () =>
        stage.holds("web", "10.0.0.1", "10.0.0.2") &&
        stage.group("web", "root", "fw2.example.com").length === 2,
      60_000,
    ),
  );
  await stage.stop();
});

t.test("one device behind two names is written by the first target only", async (t) => {
  const stage = new Stage(
    configurationOf({ targets: [{ name: "fw1" }, { name: "alias", url: "https://alias.example.com" }] }),
  );
  stage.devices.set("alias.example.com", stage.device);
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(3000);
  t.match(await stage.during(stage.targetStatus("east", "alias")), {
    error: /VDOM root of FGVM-0001, which target fw1 writes already: remove one/,
  });
  t.equal((await stage.during(stage.targetStatus("east", "fw1")))?.error, undefined);
  await stage.stop();
});

t.test("the admin's group keeps the admin's members, also those added later", async (t) => {
  const stage = new Stage();
  const { device } = stage;
  const edit = (method: string, path: string, body: object): void => {
    const headers = { authorization: "Bearer simulator-token" };
    const url = `/api/v2/cmdb/firewall/${path}`;
    device.handle(
      { method, url, headers, body: JSON.stringify(body), source: "192.0.2.9" },
      stage.clock.now(),
    );
  };
  for (const n of [1, 2]) edit("POST", "address", { name: `admin-${n}`, subnet: `192.0.2.${n}/32` });
  edit("POST", "addrgrp", { name: "web", member: [{ name: "admin-1" }] });
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "192.0.2.1")));
  edit("POST", "addrgrp/web/member", { name: "admin-2" });
  await stage.during(watcher.add("web", "10.0.0.2"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2", "192.0.2.1", "192.0.2.2")));
  watcher.groups = [];
  watcher.pods = 2;
  await stage.during(watcher.remove("web", "10.0.0.1", "undefined"));
  await stage.during(watcher.remove("web", "10.0.0.2", "undefined"));
  await stage.during(watcher.say());
  t.ok(await stage.until(() => device.group("root", "pg.a1.web.east.0") === undefined, 30_000));
  t.ok(stage.holds("web", "192.0.2.1", "192.0.2.2"), "the group stays with what is his");
  await stage.stop();
});

t.test("what somebody changed is found by a drift read, told, counted and undone", async (t) => {
  const stage = new Stage(configurationOf({ driftSeconds: 30 }));
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(3000);
  const headers = { authorization: "Bearer simulator-token" };
  const url = "/api/v2/cmdb/firewall/address/pg.a1.10.0.0.1";
  const body = JSON.stringify({ subnet: "10.0.0.0/8" });
  stage.device.handle({ method: "PUT", url, headers, body, source: "192.0.2.9" }, stage.clock.now());
  t.notOk(stage.holds("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1"), 60_000));
  t.match(
    stage.lines.find(({ drift }) => drift !== undefined),
    { level: "warn", target: "fw1", drift: "address-changed", object: "pg.a1.10.0.0.1" },
  );
  t.strictSame(await stage.metric("podgate_pusher_drift_total"), [
    'podgate_pusher_drift_total{target="fw1"} 1',
  ]);
  await stage.stop();
});

const breaks = () => Promise.reject(new TypeError("a fault of our own"));

t.test("a device's loop that fails for good ends the whole pusher, and the process with it", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  const { makeFirewall, ...ports } = stage.ports();
  const broken = (target: TargetConfiguration) => {
    const made = makeFirewall(target);
    return { ...made, firewall: Object.assign(made.firewall, { apply: breaks }) };
  };
  let failure: unknown;
  const pusher = new Pusher(stage.configuration, { ...ports, makeFirewall: broken });
  void pusher.run(new AbortController().signal).catch((error: unknown) => (failure = error));
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => failure !== undefined, 30_000));
  t.match(failure, { message: "a fault of our own" });
});

t.test("another unit after a failover is identified and read anew", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  const { failover } = await import("@podgate/fortios-simulator/console");
  failover(stage.device, "FGVM-SECOND");
  await stage.during(watcher.add("web", "10.0.0.2"));
  t.ok(
    await stage.until(
      () =>
        stage.lines.some(
          ({ msg, serial }) => msg === "the firewall is identified" && serial === "FGVM-SECOND",
        ),
      30_000,
    ),
  );
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2")));
  await stage.stop();
});

t.test(
  "every applied write is one line with what it did, why, how long it took and how old the change was",
  async (t) => {
    const stage = new Stage(configurationOf(), { latency: { write: 80 } });
    const watcher = await stage.watcher("east", "web");
    stage.start();
    await stage.until(() => stage.device.group("root", "web") !== undefined);
    await stage.clock.run(3000);
    const from = stage.lines.length;
    await stage.during(watcher.add("web", "10.0.0.1"));
    await stage.until(() => stage.holds("web", "10.0.0.1"));
    await stage.clock.run(1000);
    const applied = stage.lines.slice(from).filter(({ msg }) => msg === "applied");
    t.equal(applied.length, 2);
    t.match(applied[1], {
      target: "fw1",
      step: "put-child",
      object: "pg.a1.web.east.0",
      cluster: "east",
      group: "web",
      added: 1,
      removed: 0,
      reason: String,
      ms: 80,
      ageMs: 160,
    });
    const exposure = await stage.metric("podgate_exposure_seconds_");
    t.ok(exposure.includes('podgate_exposure_seconds_count{op="add"} 1'));
    t.ok(exposure.includes('podgate_exposure_seconds_sum{op="add"} 0.16'));
    t.ok(exposure.includes('podgate_exposure_seconds_count{op="remove"} 0'), "born at zero");
    await stage.stop();
  },
);

t.test(
  "statuses say how far each group is, are written when they change, and those of old targets go",
  async (t) => {
    const stage = new Stage();
    const bucket = async () =>
      stage.server.connect("test").bucket({ name: "podgate-status", replicas: 1, maxBytes: 0 });
    const watcher = await stage.watcher("east", "web", "shop/bad");
    await stage.during((async () => (await bucket()).put("east.gone", new TextEncoder().encode("{}")))());
    stage.start();
    await stage.during(watcher.add("web", "10.0.0.1"));
    await stage.until(() => stage.holds("web", "10.0.0.1"));
    await stage.clock.run(2500);
    const status = await stage.during(stage.targetStatus("east", "fw1"));
    t.match(status, {
      mode: "enforce",
      groups: { web: { firewallGroup: "web", desired: 1, applied: 1, inSync: true } },
    });
    t.ok((status?.appliedSequence ?? 0) > 0);
    t.ok((status?.lastSuccess ?? 0) > 0);
    t.match(await stage.during(stage.clusterStatus("east")), { verified: true, reads: 1 });
    t.equal(await stage.during((async () => (await bucket()).get("east.gone"))()), undefined);
    const revision = async () => (await (await bucket()).get("east.fw1"))?.revision;
    const before = await stage.during(revision());
    await stage.clock.run(10_000);
    t.equal(await stage.during(revision()), before, "nothing new, nothing written");
    await stage.clock.run(30_000);
    t.not(await stage.during(revision()), before, "renewed now and then");
    await stage.stop();
  },
);

t.test("a stop finishes the call in flight", async (t) => {
  const stage = new Stage(configurationOf(), { latency: { write: 2000 } });
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.clock.run(10_000);
  await stage.during(watcher.add("web", "10.0.0.1"));
  await stage.clock.run(500);
  await stage.stop();
  const last = stage.lines.findLast(({ msg }) => msg === "applied");
  t.ok(last, "its outcome was taken in");
  t.equal(stage.writes().length, stage.lines.filter(({ msg }) => msg === "applied").length);
});

t.test("a stream that is configured otherwise is told field by field, and the pusher goes on", async (t) => {
  const stage = new Stage();
  const { streamWire } = await import("@podgate/shared/bus/stream-wire");
  const { streamFor } = await import("@podgate/shared/bus/topology");
  stage.server.create({ ...streamWire(streamFor("east")), max_msgs_per_subject: 5 });
  const watcher = await stage.watcher("east", "web");
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  const lines = stage.lines.filter(({ level, name }) => level === "error" && name === "PODGATE_east");
  t.equal(lines.length, 1);
  t.match(lines[0]?.["difference"], /max_msgs_per_subject/);
  await stage.stop();
});

t.test("loops that come around are not stuck", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  const pusher = new Pusher(stage.configuration, stage.ports());
  const stop = new AbortController();
  const running = pusher.run(stop.signal);
  await stage.clock.run(120_000);
  t.equal(pusher.stuck(), undefined);
  stop.abort();
  await stage.during(running);
  await stage.clock.run(60_000);
  t.match(pusher.stuck(), /stands still/);
});
