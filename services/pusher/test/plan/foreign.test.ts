import t from "tap";
import { groupKey } from "../../src/firewall/firewall.ts";
import { NAMES } from "../desired/configured.ts";
import { many, remove, Scene } from "./scene.ts";

const A = "10.0.0.1";
const CHILD = NAMES.child({ group: "web", cluster: "a", n: 0 });

t.test("an administrator's group that our child leaves stays, though nobody is in it", (t) => {
  const scene = new Scene();
  scene.device.admin(4, "web");
  scene.a.define("web");
  scene.a.add("web", A);
  scene.verify(scene.a).verify(scene.b).read();
  scene.settle();
  t.same(scene.device.resolve("web"), [A]);
  scene.hear(scene.a, ...scene.a.undefine("web"), scene.a.state());
  const kinds = scene.settle();
  t.ok(kinds.includes("delete-child"), "our own group goes");
  t.notOk(kinds.includes("delete-parent"));
  t.ok(scene.device.groups.has(groupKey(4, "web")));
  t.end();
});

t.test(
  "a group of a child's name without our mark is neither written nor read as ours; another is made",
  (t) => {
    const scene = new Scene();
    scene.device.admin(4, CHILD, "somebody-elses");
    scene.a.define("web");
    scene.a.add("web", A);
    scene.verify(scene.a).verify(scene.b).read();
    scene.settle();
    const touched = scene.device.log.filter((step) => "child" in step && step.child === CHILD);
    t.same(
      touched.map(({ kind }) => kind),
      [],
    );
    t.same(scene.device.group(4, CHILD).members, ["somebody-elses"]);
    t.match(JSON.stringify(scene.report("a", "web")), /lacks our mark/);
    t.end();
  },
);

t.test("an address object of our name without our mark is no member, whatever it holds", (t) => {
  const scene = new Scene();
  scene.device.addresses.set(NAMES.address(A), { content: "192.0.2.0/24", marked: false });
  scene.a.define("web");
  scene.a.add("web", A);
  scene.a.add("web", "10.0.0.2");
  scene.verify(scene.a).verify(scene.b).read();
  scene.settle();
  t.same(scene.device.resolve("web"), ["10.0.0.2"]);
  t.match(JSON.stringify(scene.report("a", "web")), /somebody else's/);
  t.end();
});

t.test("an approval that has expired is no word any more: exactly what it let go is held again", (t) => {
  const all = many(20);
  const scene = Scene.running(all);
  scene.now += 700_000;
  scene.verify(scene.a).verify(scene.b);
  remove(scene, all.slice(0, 8), "unselected");
  scene.settle();
  const { items, hash } = scene.plan.heldSet();
  t.equal(items.length, 8);
  t.equal(scene.plan.approve(items, hash), 8);
  t.equal(scene.plan.heldSet().items.length, 0);
  t.equal(scene.plan.revoke("another approval"), 0);
  t.equal(scene.plan.revoke(hash), 8);
  t.equal(scene.plan.heldSet().hash, hash);
  scene.settle();
  t.equal(scene.device.resolve("web").length, 20);
  t.end();
});
