import t from "tap";
import type { Route } from "../desired/configured.ts";
import { Scene } from "./scene.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const DENY: readonly Route[] = [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"], polarity: "deny" }];
const ALLOW: readonly Route[] = [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"] }];

/** The pod of A ended, and the pusher that heard of it was stopped before it could say so to the firewall. */
function stopped(routes: readonly Route[]): Scene {
  const scene = Scene.running([A, B], { routes });
  scene.hear(scene.a, scene.a.remove("web", A, "ended"));
  return scene;
}

/** It reads the stream anew, and the watcher has not confirmed it yet. */
function reread(scene: Scene): readonly string[] {
  scene.hear(scene.a, { kind: "interrupted", reason: "gone" }, ...scene.a.session());
  scene.settle();
  return scene.device.resolve("web");
}

for (const [what, routes] of [
  ["an allowed", ALLOW],
  ["a denied", DENY],
] as const) {
  t.test(`the end of the pod that had an address before takes it out of ${what} group no more`, (t) => {
    const scene = stopped(routes);
    scene.a.add("web", A);
    t.same(reread(scene), [A, B]);
    scene.hear(scene.a, scene.a.state());
    scene.settle();
    t.same(scene.device.resolve("web"), [A, B]);
    t.end();
  });

  t.test(`an end that the stream still tells of takes the address out of ${what} group at once`, (t) => {
    t.same(reread(stopped(routes)), [B]);
    t.end();
  });

  t.test(`an end that the stream tells of no more takes it out of ${what} group when it is verified`, (t) => {
    const scene = stopped(routes);
    scene.a.lose("web", A);
    t.same(reread(scene), [A, B]);
    t.same(reread(scene), [A, B], "however often it is read");
    scene.hear(scene.a, scene.a.state());
    scene.settle();
    t.same(scene.device.resolve("web"), [B]);
    t.end();
  });
}

t.test("an edit that took out the pod that has the address now is held, whoever had it before", (t) => {
  const scene = stopped(DENY);
  scene.a.add("web", A);
  scene.a.remove("web", A, "unselected");
  t.same(reread(scene), [A, B]);
  scene.hear(scene.a, scene.a.state());
  scene.settle();
  t.same(scene.device.resolve("web"), [A, B]);
  t.match(scene.plan.heldSet().items, [{ address: A, guard: "deny" }]);
  t.end();
});
