import t from "tap";
import { Scene } from "./scene.ts";

const [A, B, C] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"] as const;
const CHILD = "pg.t.web.a.0";

t.test("a read that finds what was applied tells nothing", (t) => {
  const scene = Scene.running([A, B]);
  t.same(scene.read(), []);
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.add("web", C));
  scene.settle();
  t.same(scene.read(), []);
  t.end();
});

t.test("what others changed is named, and undone", (t) => {
  const scene = Scene.running([A, B, C]);
  scene.device.addresses.set("office", { content: "192.0.2.0/24", marked: false });
  const { members } = scene.device.group(4, CHILD);
  members.splice(0, 1, "office");
  scene.device.groups.delete("4:web");
  const drift = scene.read();
  t.match(drift, [
    { kind: "stranger", object: CHILD, message: /office was put into it/ },
    { kind: "member-missing", object: CHILD, message: `taken out: ${A}` },
    { kind: "parent-missing", object: "web" },
  ]);
  t.equal(scene.settle()[0], "put-child");
  t.same(scene.device.resolve("web"), [A, B, C]);
  t.end();
});

t.test("an address of ours that somebody puts into a child is told and goes", (t) => {
  const scene = Scene.running([A, B]);
  scene.hear(scene.a, scene.a.remove("web", B));
  scene.settle();
  scene.device.group(4, CHILD).members.push(`pg.t.${B}`);
  t.match(scene.read(), [{ kind: "member-added", message: `put in: ${B}` }]);
  t.same(scene.settle(), ["put-child"]);
  t.same(scene.device.resolve("web"), [A]);
  t.end();
});

t.test("a child that somebody takes out of its parent goes in again", (t) => {
  const scene = Scene.running([A]);
  scene.device.group(4, "web").members.length = 0;
  t.match(scene.read(), [{ kind: "detached", object: "web", message: /pg\.t\.web\.a\.0 was taken out/ }]);
  t.match(scene.report("a", "web"), { inSync: false, applied: 0 });
  t.same(scene.settle(), ["attach-child"]);
  t.end();
});

t.test("without repair, strangers and changed contents are only reported", (t) => {
  const scene = Scene.running([A, B], { plan: { repair: false } });
  scene.device.addresses.set("office", { content: "192.0.2.0/24", marked: false });
  scene.device.group(4, CHILD).members.push("office");
  const object = scene.device.addresses.get(`pg.t.${A}`);
  if (object !== undefined) object.content = "10.0.0.0/8";
  t.equal(scene.read().length, 2);
  t.same(scene.settle(), []);
  t.match(scene.report("a", "web"), {
    inSync: false,
    reason: "Held",
    message: /somebody changed 1 address objects/,
  });
  scene.hear(scene.a, scene.a.add("web", C));
  scene.settle();
  t.match(scene.device.resolve("web"), ["10.0.0.0/8", B, C]);
  t.end();
});

t.test("the difference that an unanswered write of ours left is no drift", (t) => {
  const scene = Scene.running([A, B]);
  scene.hear(scene.a, scene.a.remove("web", A));
  const step = scene.plan.next(0);
  if (step === undefined) throw new Error("nothing to do");
  scene.device.apply(step);
  scene.plan.took(step, { result: "retry", reason: "unclear", message: "reply lost", reread: true }, 0);
  t.same(scene.read(), []);
  t.same(scene.settle(), [], "it had been done");
  t.end();
});

/** What the device took until nothing was left to do: what happened, and whether it tells how long news took. */
function applied(scene: Scene): string[] {
  const found: string[] = [];
  for (let done = scene.step(); done !== undefined; done = scene.step())
    for (const { op, address, observedAt } of done.applied)
      found.push(`${op} ${address} ${observedAt === undefined ? "repair" : "news"}`);
  return found;
}

t.test("what repairs drift does not tell how long news took", (t) => {
  const scene = Scene.running([A, B]);
  scene.device.group(4, "web").members.length = 0;
  scene.read();
  scene.read();
  t.same(applied(scene), [`add ${A} repair`, `add ${B} repair`], "a child that was taken out of its parent");
  scene.device.group(4, CHILD).members.splice(0, 1);
  scene.read();
  t.same(applied(scene), [`add ${A} repair`], "a member that was taken out");
  scene.device.groups.delete("4:web");
  scene.device.groups.delete(`4:${CHILD}`);
  scene.read();
  t.same(applied(scene), [`add ${A} repair`, `add ${B} repair`], "groups that were deleted");
  scene.hear(scene.a, scene.a.remove("web", B));
  t.same(applied(scene), [`remove ${B} news`]);
  scene.device.group(4, CHILD).members.push(`pg.t.${B}`);
  scene.read();
  t.same(applied(scene), [`remove ${B} repair`], "a member that was put in");
  t.end();
});

t.test("what a watcher saw after drift tells how long it took, as ever", (t) => {
  const scene = Scene.running([A, B]);
  scene.device.group(4, CHILD).members.splice(0, 1);
  scene.read();
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.add("web", A), scene.a.add("web", C));
  t.same(applied(scene).toSorted(), [`add ${A} news`, `add ${C} news`]);
  scene.read();
  scene.hear(scene.a, scene.a.remove("web", A));
  scene.hear(scene.a, scene.a.add("web", B));
  t.same(applied(scene), [`remove ${A} news`]);
  t.end();
});
