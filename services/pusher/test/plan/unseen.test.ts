import fc from "fast-check";
import t from "tap";
import type { RemoveCause } from "@podgate/shared/contract/event";
import { longRunning, many, remove, Scene, WINDOW_MS } from "./scene.ts";

/** The stream is put back from a copy that does not tell of these, and of those joining. */
function lose(
  scene: Scene,
  addresses: readonly string[],
  joining: readonly string[] = [],
  group = "web",
): void {
  for (const address of addresses) scene.a.lose(group, address);
  for (const address of joining) scene.a.add(group, address);
  scene.verify(scene.a);
}

const web = (scene: Scene): number => scene.device.resolve("web").length;

t.test("what an edit takes and what nothing tells of are one sum, whichever comes first", (t) => {
  const orders: readonly [string, (scene: Scene) => void][] = [
    [
      "an edit, then a loss",
      (scene) => (remove(scene, many(4), "relabeled"), scene.settle(), lose(scene, many(4, 4))),
    ],
    [
      "a loss, then an edit",
      (scene) => (lose(scene, many(4, 4)), scene.settle(), remove(scene, many(4), "relabeled")),
    ],
    [
      "a selector after a loss",
      (scene) => (lose(scene, many(4, 4)), scene.settle(), remove(scene, many(4), "unselected")),
    ],
    ["two losses", (scene) => (lose(scene, many(4, 4)), scene.settle(), lose(scene, many(4)))],
  ];
  for (const [what, act] of orders) {
    const scene = longRunning(20);
    act(scene);
    scene.settle();
    t.equal(web(scene), 16, what);
    t.match(
      scene.plan.heldSet().items,
      Array.from({ length: 4 }, () => ({ guard: "mass-removal" })),
      what,
    );
  }
  t.end();
});

t.test("both at once are held together, and go when they are approved", (t) => {
  const scene = longRunning(20);
  scene.hear(scene.a, { kind: "interrupted", reason: "gone" });
  remove(scene, many(4), "relabeled");
  lose(scene, many(4, 4));
  scene.settle();
  t.equal(web(scene), 20);
  const { items, hash } = scene.plan.heldSet();
  t.equal(items.length, 8);
  t.match(items[0]?.reason, /8 of 20 members of web.*\(relabeled, vanished\)/);
  scene.plan.approve(items, hash);
  scene.settle();
  t.equal(web(scene), 12);
  remove(scene, many(2, 8), "relabeled");
  scene.settle();
  t.equal(web(scene), 10, "what was approved counts no more");
  t.end();
});

t.test("pods that were replaced while nobody looked leave an edit all it may take", (t) => {
  const scene = longRunning(20);
  lose(scene, many(15), many(15, 100));
  scene.settle();
  t.equal(web(scene), 20);
  remove(scene, many(5, 100), "relabeled");
  scene.settle();
  t.equal(web(scene), 15);
  t.same(scene.plan.heldSet().items, []);
  t.end();
});

t.test("of pods that were replaced but for a few, only so many are weighed and held", (t) => {
  const scene = longRunning(20);
  remove(scene, many(4), "relabeled");
  scene.settle();
  lose(scene, many(10, 4), many(7, 100));
  scene.settle();
  t.equal(scene.plan.heldSet().items.length, 3);
  t.equal(web(scene), 16, "seven came, seven went");
  t.end();
});

t.test("what was seen to end counts neither for an edit nor for a loss", (t) => {
  const scene = longRunning(20);
  remove(scene, many(10), "ended");
  scene.settle();
  lose(scene, many(2, 10));
  remove(scene, many(3, 12), "relabeled");
  scene.settle();
  t.equal(web(scene), 5);
  t.same(scene.plan.heldSet().items, []);
  t.end();
});

t.test("many small groups that each lose one unseen are one mass removal of their cluster", (t) => {
  const groups = many(8).map((_, n) => `g${n}`);
  const scene = new Scene();
  scene.a.define(...groups);
  for (const [at, group] of groups.entries())
    for (const address of many(3, at * 10)) scene.a.add(group, address);
  scene.verify(scene.a).verify(scene.b).read();
  scene.settle();
  scene.now += WINDOW_MS * 1.1;
  for (const [at, group] of groups.entries()) for (const one of many(1, at * 10)) scene.a.lose(group, one);
  scene.verify(scene.a);
  scene.settle();
  for (const group of groups) t.equal(scene.device.resolve(group).length, 3);
  t.match(scene.plan.heldSet().items[0]?.reason, /8 of 24 members of cluster a/);
  t.end();
});

t.test("a pusher that restarts knows what nothing told of when it went", (t) => {
  const scene = longRunning(20);
  lose(scene, many(4));
  scene.settle();
  const kept = { held: [], approved: [], whole: [], heldForMs: 0, spent: scene.plan.spent(scene.now) };
  scene.restart();
  scene.plan.restore(kept, scene.now);
  scene.verify(scene.a).read();
  remove(scene, many(4, 4), "relabeled");
  scene.settle();
  t.equal(web(scene), 16);
  t.end();
});

t.test("no order of edits and losses takes more than the limit unseen within a window", (t) => {
  const cause = fc.constantFrom<RemoveCause>("relabeled", "unselected", "undefined");
  const burst = { from: fc.nat(29), count: fc.integer({ min: 1, max: 6 }) };
  const act = fc.oneof(
    fc.record({ kind: fc.constant("edit" as const), ...burst, cause }),
    fc.record({ kind: fc.constant("loss" as const), ...burst }),
    fc.record({ kind: fc.constantFrom("step" as const, "steps" as const) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 20 }), (acts) => {
      const scene = longRunning(30);
      for (const each of acts) {
        const addresses = "count" in each ? many(each.count, each.from) : [];
        if (each.kind === "edit") remove(scene, addresses, each.cause);
        else if (each.kind === "loss") lose(scene, addresses);
        else if (each.kind === "step") scene.step();
        else scene.settle();
        if (web(scene) < 24) throw new Error(`${30 - web(scene)} of 30 are gone`);
      }
      scene.settle();
      if (web(scene) < 24) throw new Error(`${30 - web(scene)} of 30 are gone`);
    }),
    { numRuns: 300 },
  );
  t.end();
});
