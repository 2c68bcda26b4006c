import t from "tap";
import { many, Scene } from "./scene.ts";
import { NO_LIMITS } from "./model-device.ts";

const LIMIT = 600;

function limited(addresses: readonly string[], membersPerGroup = LIMIT): Scene {
  const scene = new Scene();
  scene.device.limits = { ...NO_LIMITS, 4: { addresses: 0, groups: 0, membersPerGroup } };
  scene.a.define("web");
  for (const address of addresses) scene.a.add("web", address);
  scene.verify(scene.a).read();
  scene.settle();
  scene.device.log.length = 0;
  return scene;
}

const sizes = (scene: Scene): number[] =>
  [...scene.device.groups.values()]
    .filter(({ origin }) => origin !== undefined)
    .map(({ members }) => members.length);

t.test("2,000 members on a device that takes 600 per group: four children, nothing cut", (t) => {
  const scene = limited(many(2000));
  t.equal(scene.device.resolve("web").length, 2000);
  t.same(sizes(scene), [600, 600, 600, 200]);
  t.match(scene.report("a", "web"), { inSync: true, desired: 2000, applied: 2000 });
  t.end();
});

t.test("an address stays in its shard; new ones go to the first with room", (t) => {
  const scene = limited(many(10), 4);
  const second = [...scene.device.group(4, "pg.t.web.a.1").members];
  scene.hear(scene.a, scene.a.remove("web", many(1)[0] ?? ""));
  t.same(scene.settle(), ["put-child"], "one call for one removal");
  t.same(sizes(scene), [3, 4, 2]);
  scene.restart().read();
  scene.verify(scene.a);
  scene.hear(scene.a, scene.a.add("web", "10.9.9.9"));
  scene.settle();
  t.same(sizes(scene), [4, 4, 2]);
  t.same(scene.device.group(4, "pg.t.web.a.1").members, second);
  t.end();
});

t.test("no write ever asks for more members than the device takes", (t) => {
  const scene = limited(many(8), 4);
  scene.hear(
    scene.a,
    scene.a.remove("web", many(8)[1] ?? ""),
    ...many(5, 100).map((each) => scene.a.add("web", each)),
  );
  scene.settle();
  const asked = scene.device.log.flatMap((step) => ("members" in step ? [step.members.length] : []));
  t.ok(
    asked.every((count) => count <= 4),
    asked.join(", "),
  );
  t.equal(scene.device.resolve("web").length, 12);
  t.end();
});

t.test("a shard that somebody deleted is made again, those behind it are found", (t) => {
  const scene = limited(many(10), 4);
  scene.device.group(4, "web").members.splice(1, 1);
  scene.device.groups.delete("4:pg.t.web.a.1");
  t.match(scene.read(), [
    { kind: "child-missing", object: "pg.t.web.a.1" },
    { kind: "detached", object: "web" },
  ]);
  scene.settle();
  t.equal(scene.device.resolve("web").length, 10);
  t.equal(scene.plan.counts(0).orphans, 0);
  t.end();
});

t.test("an address that two shards hold is taken out of one", (t) => {
  const scene = limited(many(6), 4);
  scene.device.group(4, "pg.t.web.a.1").members.push(scene.device.group(4, "pg.t.web.a.0").members[0] ?? "");
  scene.read();
  scene.settle();
  t.same(sizes(scene), [4, 2]);
  t.end();
});

t.test("a group near its limit is named in a warning", (t) => {
  t.match(limited(many(5), 6).plan.warnings(0), [/web of cluster a has 5 IPv4 members; beyond 6/]);
  t.same(limited(many(4), 6).plan.warnings(0), []);
  t.end();
});

t.test("a table near its end is named in a warning", (t) => {
  const scene = limited(many(9));
  scene.device.limits = { ...NO_LIMITS, 4: { addresses: 10, groups: 1, membersPerGroup: 0 } };
  scene.read();
  t.match(scene.plan.warnings(0), [
    /9 of the device's 10 IPv4 address objects/,
    /1 of the device's 1 IPv4 address groups/,
  ]);
  t.end();
});
