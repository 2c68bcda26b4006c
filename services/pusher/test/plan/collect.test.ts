import t from "tap";
import { NO_LIMITS } from "./model-device.ts";
import { many, remove, Scene } from "./scene.ts";

const limits = (addresses: number) => ({ ...NO_LIMITS, 4: { addresses, groups: 0, membersPerGroup: 0 } });

/** web = the first of these addresses; the others were members once. */
function used(total: number, kept: number): Scene {
  const scene = Scene.running(many(total));
  scene.hear(
    scene.a,
    ...many(total)
      .slice(kept)
      .map((address) => scene.a.remove("web", address)),
  );
  scene.step();
  return scene;
}

t.test("unused address objects stay while there are few of them", (t) => {
  t.same(used(1000, 0).settle(), []);
  t.end();
});

t.test("beyond 1,000 unused ones the surplus is collected, never one that is used", (t) => {
  const scene = used(1010, 5);
  const kinds = scene.settle();
  t.same(kinds, Array(5).fill("delete-address"));
  t.equal(scene.device.resolve("web").length, 5);
  t.end();
});

t.test("a table that is more than 70 % full is emptied of unused ones until it is not", (t) => {
  const scene = used(10, 2);
  scene.device.limits = limits(10);
  scene.read();
  t.same(scene.settle(), Array(3).fill("delete-address"));
  t.end();
});

t.test("an object that a group holds is not collected, though its cluster wants it no more", (t) => {
  const scene = used(20, 20);
  scene.now += 700_000;
  scene.verify(scene.a).verify(scene.b);
  remove(scene, many(8), "unselected");
  scene.device.limits = limits(20);
  scene.read();
  t.same(scene.settle(), []);
  t.equal(scene.plan.heldSet().items.length, 8, "they wait for a person's word");
  t.end();
});

t.test("an object that somebody else uses stays, with a warning, and is not tried again at once", (t) => {
  const scene = used(10, 2);
  const theirs = `pg.t.${many(10)[9] ?? ""}`;
  scene.device.admin(4, "theirs", theirs);
  scene.device.limits = limits(4);
  scene.read();
  const kinds = scene.settle();
  t.equal(kinds.length, 8, "each of them once");
  t.ok(scene.device.addresses.has(theirs));
  t.match(scene.plan.warnings(0), [`somebody else's objects use ${theirs}`]);
  t.end();
});

t.test("an object that a group waits for is not collected", (t) => {
  const scene = used(10, 2);
  const [again = ""] = many(10).slice(9);
  scene.device.limits = limits(4);
  scene.device.refuse = (step) =>
    step.kind === "put-child" && step.added.length > 0
      ? { result: "refused", reason: "other", message: "not now", blame: [] }
      : undefined;
  scene.hear(scene.a, scene.a.add("web", again));
  scene.read();
  scene.settle();
  t.ok(scene.device.addresses.has(`pg.t.${again}`));
  t.equal(scene.device.addresses.size, 3, "all others are");
  t.end();
});

t.test("an address that comes back while its object is being collected gets a new one", (t) => {
  const scene = used(10, 2);
  scene.device.limits = limits(10);
  scene.read();
  const step = scene.plan.next(0);
  if (step?.kind !== "delete-address") throw new Error("nothing is collected");
  const outcome = scene.device.apply(step);
  scene.hear(scene.a, scene.a.add("web", step.address));
  scene.plan.next(0);
  scene.plan.took(step, outcome, 0);
  t.same(scene.settle().slice(0, 2), ["create-address", "put-child"], "no write asks for what is gone");
  t.ok(scene.device.resolve("web").includes(step.address));
  t.end();
});
