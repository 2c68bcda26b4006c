import t from "tap";
import { many, Scene } from "./scene.ts";
import type { Route } from "../desired/configured.ts";

const DENY: readonly Route[] = [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"], polarity: "deny" }];
const SIX = "2001:db8::1";
const OLD = [...many(8), SIX];

/** Group web was deleted, a person let its members go, its children are out of their parents and still there. */
function detached(routes?: readonly Route[]): Scene {
  const scene = Scene.running(OLD, routes === undefined ? {} : { routes });
  scene.now += 660_000;
  scene.hear(scene.a, scene.a.state()).hear(scene.b, scene.b.state());
  scene.hear(scene.a, ...scene.a.undefine("web"), scene.a.state());
  scene.settle();
  scene.plan.approve(scene.plan.heldSet().items, "yes");
  for (let families = 2; families > 0; families -= 1) scene.step();
  scene.device.log.length = 0;
  return scene;
}

/** Defined again, with these members. Returns every address that policies saw on the way. */
function redefined(scene: Scene, members: readonly string[]): Set<string> {
  scene.a.define("web");
  scene.hear(scene.a, ...members.map((address) => scene.a.add("web", address)), scene.a.state());
  const seen = new Set<string>();
  scene.settle(() => {
    for (const family of [4, 6] as const)
      for (const address of scene.device.resolve("web", family)) seen.add(address);
  });
  return seen;
}

t.test("the stand: two children that no group holds", (t) => {
  const scene = detached();
  t.same([...scene.device.resolve("web", 4), ...scene.device.resolve("web", 6)], []);
  t.same(
    [4, 6].map((family) => scene.device.group(family as 4 | 6, "pg.t.web.a.0").members.length),
    [8, 1],
  );
  t.end();
});

const COMING: readonly [whom: string, members: readonly string[]][] = [
  ["others", ["10.9.0.1", "2001:db8::9"]],
  ["an IPv4 one", ["10.9.0.1"]],
  ["one of the old", OLD.slice(0, 1)],
  ["none", []],
];
for (const [what, routes] of [
  ["an allowed", undefined],
  ["a denied", DENY],
] as const) {
  for (const [whom, members] of COMING)
    t.test(`${what} group that comes back with ${whom}: nobody who was let go is in it for a moment`, (t) => {
      const scene = detached(routes);
      t.same([...redefined(scene, members)].toSorted(), [...members].toSorted());
      t.same(scene.plan.heldSet().items, [], "of a child that no group holds nobody is a member");
      t.end();
    });
  for (const [whom, members] of COMING)
    t.test(`${what} group that comes back with ${whom}, to another pusher: just so`, (t) => {
      const scene = detached(routes).restart();
      scene.verify(scene.a).verify(scene.b).read();
      t.same([...redefined(scene, members)].toSorted(), [...members].toSorted());
      t.same(scene.plan.heldSet().items, []);
      t.end();
    });
}

t.test("while the child can't be put right, an allowed group is without it, a denied one is not", (t) => {
  for (const [routes, expected] of [
    [undefined, []],
    [DENY, OLD],
  ] as const) {
    const scene = detached(routes);
    scene.device.refuse = (step) =>
      step.kind === "put-child"
        ? { result: "refused", reason: "invalid", message: "no", blame: [] }
        : undefined;
    t.same([...redefined(scene, [])].toSorted(), [...expected].toSorted());
  }
  t.end();
});
