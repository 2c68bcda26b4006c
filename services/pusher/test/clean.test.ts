import { DEFAULT_TOKEN } from "@podgate/fortios-simulator/state";
import t from "tap";
import { cleanCommand, type CleanOptions } from "../src/commands/clean.ts";
import { configurationOf, Stage } from "./stage.ts";

const TWO = { targets: [{ name: "fw1" }, { name: "dmz", vdom: "dmz" }] };

function clean(stage: Stage, more: Partial<CleanOptions> = {}, configuration = stage.configuration) {
  const options = { target: "fw1", approve: undefined, who: "test", waitMs: 30_000, ...more };
  return stage.during(cleanCommand(configuration, stage.ports(), options));
}

/** What an administrator does by himself. */
function edit(stage: Stage, method: string, path: string, body: object = {}) {
  const headers = { authorization: `Bearer ${DEFAULT_TOKEN}` };
  const url = `/api/v2/cmdb/firewall/${path}`;
  const request = { method, url, headers, body: JSON.stringify(body), source: "192.0.2.9" };
  return stage.device.handle(request, stage.clock.now());
}

/** Two targets of one device that hold web (with a member of the administrator's) and batch. */
async function filled() {
  const stage = new Stage(configurationOf(TWO));
  edit(stage, "POST", "address", { name: "admin-1", subnet: "192.0.2.1/32" });
  edit(stage, "POST", "addrgrp", { name: "web", member: [{ name: "admin-1" }] });
  const east = await stage.watcher("east", "web", "batch");
  await stage.watcher("west");
  stage.start();
  await stage.during(east.add("web", "10.0.0.1"));
  await stage.during(east.add("web", "2001:db8::1"));
  await stage.during(east.add("batch", "10.0.0.2"));
  await stage.until(() => stage.holds("batch", "10.0.0.2") && stage.group("web", "dmz").length === 2);
  await stage.clock.run(5000);
  return { stage, east };
}

const hashIn = (text: string): string => /--approve ([0-9a-f]{12})/.exec(text)?.[1] ?? "";
const found = (stage: Stage, table: string, vdom = "root"): string[] => {
  const answer = edit(stage, "GET", `${table}?vdom=${vdom}`);
  const text = answer.kind === "reply" ? answer.body : "{}";
  return (JSON.parse(text) as { results: { name: string }[] }).results.map(({ name }) => name);
};
const ours = (stage: Stage, vdom?: string): string[] =>
  ["address", "addrgrp", "address6", "addrgrp6"]
    .flatMap((table) => found(stage, table, vdom))
    .filter((name) => name.startsWith("pg.a1.") || name === "batch");

t.test(
  "everything of ours leaves one target by hash, nothing else, and the other targets keep theirs",
  async (t) => {
    const { stage } = await filled();
    await stage.stop();
    const { text, code } = await clean(stage);
    t.equal(code, 0);
    t.match(text, /take our groups out of .*web/);
    t.match(text, /delete the groups pg\.a1\.batch\.east\.0, pg\.a1\.web\.east\.0/);
    t.match(text, /delete the addresses .*pg\.a1\.10\.0\.0\.1/);
    t.match(text, /delete the groups for policies that we made .*batch/);
    await t.rejects(clean(stage, { approve: "0123456789ab" }), { message: /another set/ });
    t.ok(ours(stage).length > 0, "to look changes nothing");
    const done = await clean(stage, { approve: hashIn(text) });
    t.equal(done.code, 0, done.text);
    t.match(done.text, /target fw1: read at \d{4}-.*nothing that carries our mark is left/);
    t.strictSame(ours(stage), []);
    t.ok(stage.holds("web", "192.0.2.1"), "the administrator's group and member");
    t.ok(ours(stage, "dmz").length > 0);
    t.match((await clean(stage)).text, /nothing carries our mark/);
  },
);

t.test("a target that a pusher writes is not cleaned; paused it is, and stays so", async (t) => {
  const { stage } = await filled();
  const { text } = await clean(stage);
  await t.rejects(clean(stage, { approve: hashIn(text) }), { message: /set its mode to paused first/ });
  const targets = [
    { name: "fw1", mode: "paused" },
    { name: "dmz", vdom: "dmz" },
  ];
  const paused = configurationOf({ targets });
  await t.rejects(
    clean(stage, { approve: hashIn(text) }, paused),
    { message: /set its mode to paused first/ },
    "the pusher that runs does not know of it yet",
  );
  await stage.stop();
  const next = new Stage(paused);
  for (const [host, device] of stage.devices) next.devices.set(host, device);
  const east = await next.watcher("east", "web", "batch");
  await next.watcher("west");
  next.start();
  await next.during(east.add("web", "10.0.0.1"));
  await next.until(() => next.group("web", "dmz").join() === "10.0.0.1", 60_000);
  await next.clock.run(5000);
  const done = await clean(next, { approve: hashIn(text) });
  t.equal(done.code, 0, done.text);
  t.strictSame(ours(next), []);
  await next.during(east.add("web", "10.0.0.9"));
  t.ok(
    await next.until(() => next.group("web", "dmz").includes("10.0.0.9"), 30_000),
    "the device was given back",
  );
  t.strictSame(ours(next), []);
  await next.stop();
});

t.test("a group that a policy uses stays, emptied, and who uses it is said", async (t) => {
  const { stage } = await filled();
  await stage.stop();
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
  t.match(edit(stage, "POST", "policy", policy), { status: 200 });
  const { text } = await clean(stage);
  const done = await clean(stage, { approve: hashIn(text) });
  t.equal(done.code, 1);
  t.match(done.text, /1 objects are left\n.*pg\.a1\.batch\.east\.0.*in use/);
  t.strictSame(ours(stage), ["pg.a1.batch.east.0"]);
  t.strictSame(stage.group("pg.a1.batch.east.0"), []);
});

t.test("a target that is not configured, or refuses the token, is told in a sentence", async (t) => {
  const stage = new Stage();
  await stage.silentWatcher("east");
  await t.rejects(clean(stage, { target: "fw2" }), { message: /no target "fw2".*fw1/ });
  stage.token = () => "wrong";
  await t.rejects(clean(stage), { message: /cannot be read/ });
  await t.rejects(clean(stage), { message: /the token was refused.*nothing is sent until/ });
  t.equal(stage.device.log.entries().length, 1);
});
