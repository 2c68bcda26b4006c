import t from "tap";
import { NAMES } from "../desired/configured.ts";
import { Scene } from "./scene.ts";

const A = "10.0.0.1";

/** The group was deleted in Kubernetes, and the pusher died when its child had left the parent. */
function halfGone(): Scene {
  const scene = Scene.running([A]);
  scene.hear(scene.a, ...scene.a.undefine("web"), scene.a.state());
  while (scene.later()?.step.kind !== "detach-child");
  return scene.restart();
}

t.test("a parent of ours that a pusher emptied before it died is deleted by its successor", (t) => {
  const scene = halfGone();
  scene.verify(scene.a).verify(scene.b).read();
  t.same(scene.settle().toSorted(), ["delete-child", "delete-parent"]);
  t.equal(scene.device.groups.size, 0);
  t.end();
});

t.test("but not before every cluster is verified: another may define it", (t) => {
  const scene = halfGone();
  scene.verify(scene.a).read();
  t.same(scene.settle(), ["delete-child"]);
  scene.b.define("web");
  scene.verify(scene.b);
  t.notMatch(scene.settle(), ["delete-parent"]);
  t.end();
});

t.test("what was in use only because of the other goes as soon as they are apart again", (t) => {
  const scene = Scene.running([A]);
  scene.hear(scene.a, ...scene.a.undefine("web"), scene.a.state());
  while (scene.later()?.step.kind !== "detach-child");
  // The device has come back with an older configuration.
  const { members } = scene.device.group(4, "web");
  members.push(NAMES.child({ group: "web", cluster: "a", n: 0 }));
  scene.device.refuse = ({ kind }) =>
    kind === "delete-parent" && members.length > 0
      ? { result: "refused", reason: "in-use", message: "it holds a group", blame: [] }
      : undefined;
  t.same(scene.settle().toSorted().slice(0, 2), ["delete-child", "delete-parent"], "both are refused");
  scene.read();
  scene.settle();
  t.equal(scene.device.groups.size, 0, "without waiting for anything");
  t.end();
});

t.test("a deletion that is forbidden is tried again after a minute, one of what is in use after ten", (t) => {
  for (const [reason, minutes] of [
    ["forbidden", 1],
    ["in-use", 10],
  ] as const) {
    const scene = Scene.running([A]);
    scene.hear(scene.a, ...scene.a.undefine("web"), scene.a.state());
    const refused = new Set(["delete-parent", "delete-child", "delete-address"]);
    scene.device.refuse = ({ kind }) =>
      refused.has(kind) ? { result: "refused", reason, message: "no", blame: [] } : undefined;
    scene.settle();
    scene.device.refuse = () => undefined;
    scene.now += minutes * 60_000 - 1000;
    scene.hear(scene.a, scene.a.state()).hear(scene.b, scene.b.state());
    t.notOk(scene.settle().includes("delete-child"));
    scene.now += 1000;
    t.match(scene.settle(), ["delete-child", "delete-parent"]);
    t.equal(scene.device.groups.size, 0);
  }
  t.end();
});
