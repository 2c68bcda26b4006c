import t from "tap";
import { DEFAULT_TOKEN } from "@podgate/fortios-simulator/state";
import type { Waiting } from "../src/commands/approve.ts";
import { planCommand } from "../src/commands/plan.ts";
import { addresses, approve, heldHash, running, SHORT_WINDOW, WAIT, WINDOW_MS } from "./guarded-stage.ts";
import { Stage } from "./stage.ts";

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
    const line = stage.lines.find(({ msg }) => msg === "held until it is approved");
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

t.test("plan shows what is held under the hash that approve takes, and exactly that goes", async (t) => {
  const [stage, watcher] = await running(20);
  const gone = addresses(8);
  for (const address of gone) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  const { text, json } = await stage.during(
    planCommand(stage.configuration, stage.ports(), { ...WAIT, exitCode: true }),
  );
  t.match(
    text,
    /held by mass-removal: 10\.0\.0\.2, .* of web \(cluster east\): 8 of 20 members .*more than 5 and 20 %/,
  );
  const hash = await heldHash(stage);
  t.match(text, `podgate-pusher approve ${hash.slice(0, 12)}`);
  t.match(json, { targets: [{ steps: [], heldHash: hash }] });
  const answer = await approve(stage, hash.slice(0, 12));
  t.match(answer.text, /approved by alice: .*fw1[^]*8 of web \(cluster east\), unselected/);
  t.ok(await stage.until(() => stage.group("web").length === 12, 2000), "within 2 s");
  t.strictSame(stage.group("web"), addresses(12, 9).toSorted());
  t.match(
    stage.lines.find(({ msg }) => msg.startsWith("approved")),
    { target: "fw1", by: "alice", count: 8, approval: hash.slice(0, 12) },
  );
  await stage.clock.run(5000);
  t.match((await approve(stage)).text, "nothing waits for an approval");
  t.ok(stage.lines.some(({ msg }) => msg === "an approval is done"));
  const status = await stage.during(stage.targetStatus("east", "fw1"));
  t.match(status?.groups["web"], { inSync: true, applied: 12 });
  await stage.stop();
});

t.test("what plan shows is never shown under the hash of another set", async (t) => {
  const [stage, watcher] = await running(20);
  const gone = addresses(9);
  for (const address of gone.slice(1)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  const recorded = await heldHash(stage);
  await stage.stop();
  await stage.during(watcher.remove("web", addresses(1)[0] ?? "", "unselected"));
  const { text, json } = await stage.during(
    planCommand(stage.configuration, stage.ports(), { ...WAIT, exitCode: true }),
  );
  t.match(text, "9 of 20 members");
  t.notMatch(text, recorded.slice(0, 12));
  t.match(
    text,
    "another set than this is on record: the pusher tells within seconds; podgate-pusher approve lists",
  );
  t.match(json, { targets: [{ onRecord: "another set" }] });
});

t.test("a held address goes when its pod is seen to end, and the rest waits on", async (t) => {
  const [stage, watcher] = await running(20);
  const [first = "", ...others] = addresses(8);
  for (const address of addresses(8)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  t.equal(stage.group("web").length, 20);
  await stage.during(watcher.remove("web", first, "ended"));
  t.ok(await stage.until(() => !stage.group("web").includes(first), 1000), "at once");
  await stage.clock.run(5000);
  t.equal(stage.group("web").length, 19);
  t.ok(others.every((address) => stage.group("web").includes(address)));
  const [waiting] = (await approve(stage)).json as Waiting[];
  t.strictSame(waiting?.items?.map(({ address }) => address).toSorted(), others.toSorted());
  await stage.stop();
});

t.test(
  "additions and removals that were seen go on while others are held, also in the same call",
  async (t) => {
    const [stage, watcher] = await running(20);
    for (const address of addresses(8)) await stage.during(watcher.remove("web", address, "unselected"));
    await stage.clock.run(5000);
    const writes = stage.writes().length;
    const [ended = ""] = addresses(1, 15);
    await stage.during(watcher.remove("web", ended, "ended"));
    t.ok(await stage.until(() => !stage.group("web").includes(ended), 1000));
    await stage.during(watcher.add("web", ended));
    t.ok(await stage.until(() => stage.group("web").includes(ended), 1000));
    t.equal(stage.writes().length - writes, 2);
    t.equal(stage.group("web").length, 20);
    await stage.stop();
  },
);

t.test(
  "a hash that names nothing, or something else than what is held now, is refused with what to do",
  async (t) => {
    const [stage, watcher] = await running(20);
    const [first = "", ...others] = addresses(8);
    for (const address of [first, ...others])
      await stage.during(watcher.remove("web", address, "unselected"));
    await stage.clock.run(5000);
    const hash = await heldHash(stage);
    await t.rejects(approve(stage, "0123456789ab"), {
      message: /nothing waits under this hash.*podgate-pusher plan/,
    });
    await t.rejects(approve(stage, hash.slice(0, 4)), { message: /nothing waits under this hash/ });
    await stage.during(watcher.remove("web", addresses(1, 15)[0] ?? "", "unselected"));
    await stage.clock.run(5000);
    await t.rejects(approve(stage, hash), { message: /nothing waits under this hash/ }, "it has grown");
    await stage.during(watcher.add("web", first));
    await stage.clock.run(5000);
    await approve(stage, await heldHash(stage));
    t.ok(await stage.until(() => stage.group("web").length === 12));
    t.ok(stage.group("web").includes(first), "it had joined again");
    await stage.stop();
  },
);

t.test("what joins the held set after it was approved waits for its own approval", async (t) => {
  const [stage, watcher] = await running(20);
  for (const address of addresses(8)) await stage.during(watcher.remove("web", address, "unselected"));
  await stage.clock.run(5000);
  const hash = await heldHash(stage);
  for (const address of addresses(7, 9)) await stage.during(watcher.remove("web", address, "unselected"));
  // Before the pusher has told of them.
  await approve(stage, hash);
  await stage.clock.run(10_000);
  t.strictSame(stage.group("web"), addresses(12, 9).toSorted());
  t.match((await approve(stage)).json, [{ groups: [{ count: 7, cause: "unselected" }] }]);
  await stage.stop();
});

t.test("an uninstalled chart deletes many small definitions: all of it is held", async (t) => {
  const stage = new Stage(SHORT_WINDOW);
  const groups = ["a", "b", "c", "d"];
  const watcher = await stage.watcher("east", ...groups, "other");
  await stage.watcher("west");
  stage.start();
  for (const [at, group] of groups.entries())
    for (const address of addresses(3, 10 * at)) await stage.during(watcher.add(group, address));
  for (const address of addresses(20, 100)) await stage.during(watcher.add("other", address));
  await stage.until(() => stage.group("other").length === 20 && stage.group("d").length === 3, 60_000);
  await stage.clock.run(WINDOW_MS * 1.1);
  for (const [at, group] of groups.entries())
    for (const address of addresses(3, 10 * at))
      await stage.during(watcher.remove(group, address, "undefined"));
  watcher.groups = ["other"];
  await stage.during(watcher.say());
  await stage.clock.run(10_000);
  for (const group of groups) t.equal(stage.group(group).length, 3, group);
  t.match((await approve(stage)).text, /12 of 32 members of cluster east on this target/);
  await approve(stage, await heldHash(stage));
  t.ok(
    await stage.until(() => groups.every((group) => stage.device.group("root", group) === undefined)),
    "the groups go with their members",
  );
  await stage.stop();
});

t.test("a group of three that is deleted goes at once, and so does one that is scaled to zero", async (t) => {
  const [stage, watcher] = await running(30);
  for (const address of addresses(30)) await stage.during(watcher.remove("web", address, "ended"));
  t.ok(await stage.until(() => stage.group("web").length === 0));
  for (const address of addresses(3)) await stage.during(watcher.add("web", address));
  t.ok(await stage.until(() => stage.group("web").length === 3));
  for (const address of addresses(3)) await stage.during(watcher.remove("web", address, "undefined"));
  watcher.groups = [];
  await stage.during(watcher.say());
  t.ok(await stage.until(() => stage.device.group("root", "web") === undefined));
  const child = "pg.a1.web.east.0";
  t.ok(await stage.until(() => stage.device.group("root", child) === undefined), "nothing of it is held");
  await stage.stop();
});

t.test("a group that carries another installation's mark gets nothing of ours, and is named", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  await stage.watcher("west");
  const headers = { authorization: `Bearer ${DEFAULT_TOKEN}` };
  const body = JSON.stringify({ name: "web", comment: "podgate b2", member: [{ name: "all" }] });
  const url = "/api/v2/cmdb/firewall/addrgrp?vdom=root";
  stage.device.handle({ method: "POST", url, headers, body, source: "192.0.2.9" }, stage.clock.now());
  stage.start();
  await stage.during(watcher.add("web", "10.0.0.1"));
  await stage.clock.run(10_000);
  t.strictSame(stage.device.group("root", "web")?.members, ["all"]);
  const status = await stage.during(stage.targetStatus("east", "fw1"));
  t.match(status?.groups["web"], { reason: "Held", message: /web: it is of the Podgate installation b2/ });
  t.match(await stage.metric('podgate_pusher_held{target="fw1",guard="manager"}'), [/ 1$/]);
  await stage.stop();
});

t.test(
  "a cluster that really lists fewer pods is approved once; then its list is the normal one",
  async (t) => {
    const [stage, watcher] = await running(20);
    watcher.pods = 40;
    for (const address of addresses(8)) await stage.during(watcher.remove("web", address, "vanished"));
    await stage.during(watcher.say());
    await stage.clock.run(5000);
    t.equal(stage.group("web").length, 20);
    t.match((await approve(stage)).json, [{ groups: [{ count: 8, guard: "short-list" }] }]);
    await approve(stage, await heldHash(stage));
    t.ok(await stage.until(() => stage.group("web").length === 12, 2000));
    await stage.clock.run(5000);
    const [next = ""] = addresses(1, 10);
    await stage.during(watcher.remove("web", next, "vanished"));
    t.ok(await stage.until(() => stage.group("web").length === 11), "what vanishes later goes at once");
    await stage.restart();
    await stage.clock.run(10_000);
    t.equal(stage.group("web").length, 11);
    t.match((await approve(stage)).text, "nothing waits");
    await stage.stop();
  },
);
