import t from "tap";
import { REMOVE_CAUSES } from "@podgate/shared/contract/event";
import { Scene } from "./scene.ts";

const [A, B, C] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"] as const;
const CHILD = "pg.t.web.a.0";

t.test("nothing is planned before the device was read", (t) => {
  const scene = new Scene();
  scene.a.define("web");
  scene.a.add("web", A);
  scene.verify(scene.a);
  t.equal(scene.plan.next(0), undefined);
  t.match(scene.report("a", "web"), { inSync: false, reason: "NotRead", desired: 1, applied: 0 });
  t.end();
});

t.test("a new group: addresses, then the child with its members, then its parent", (t) => {
  const scene = new Scene();
  scene.a.define("web");
  scene.a.add("web", A);
  scene.a.add("web", B);
  scene.verify(scene.a).read();
  t.same(scene.settle(), ["create-address", "create-address", "create-child", "create-parent"]);
  t.same(scene.device.resolve("web"), [A, B]);
  t.match(scene.report("a", "web"), { inSync: true, desired: 2, applied: 2, firewallGroup: "web" });
  t.end();
});

t.test("a group that is defined exists before its first member", (t) => {
  const scene = new Scene();
  scene.a.define("web");
  scene.verify(scene.a).read();
  t.same(scene.settle(), ["create-child", "create-parent"]);
  t.same(scene.device.resolve("web"), []);
  t.match(scene.device.groups.get("4:web")?.members, [CHILD]);
  t.notOk(scene.device.groups.has("6:web"), "no IPv6 group before there is an IPv6 member");
  t.end();
});

t.test("an address that is known costs one call, a new one two, a removal one", (t) => {
  const scene = Scene.running([A]);
  scene.hear(scene.a, scene.a.add("web", B));
  t.same(scene.settle(), ["create-address", "put-child"]);
  scene.hear(scene.a, scene.a.remove("web", B));
  t.same(scene.settle(), ["put-child"]);
  t.same(scene.device.resolve("web"), [A]);
  scene.hear(scene.a, scene.a.add("web", B));
  t.same(scene.settle(), ["put-child"], "its object was kept");
  t.same(scene.device.resolve("web"), [A, B]);
  t.end();
});

t.test("dual-stack members go to a group of each family under one name", (t) => {
  const scene = Scene.running([A, "2001:db8::1"]);
  t.same(scene.device.resolve("web", 4), [A]);
  t.same(scene.device.resolve("web", 6), ["2001:db8::1"]);
  t.match(scene.report("a", "web"), { inSync: true, desired: 2, applied: 2 });
  t.end();
});

t.test("two clusters unite in a group, each with a child of its own", (t) => {
  const scene = Scene.running([A]);
  scene.b.define("web");
  scene.b.add("web", B);
  scene.verify(scene.b);
  scene.settle();
  t.same(scene.device.resolve("web"), [A, B]);
  t.same(scene.device.group(4, "web").members.toSorted(), [CHILD, "pg.t.web.b.0"]);
  t.end();
});

t.test("one address in two clusters is one object, and a warning", (t) => {
  const scene = Scene.running([A]);
  scene.b.define("web");
  scene.b.add("web", A);
  scene.verify(scene.b);
  t.same(scene.settle(), ["create-child", "attach-child"]);
  t.match(scene.plan.warnings(0), [/clusters a and b both use 10\.0\.0\.1/]);
  scene.hear(scene.b, scene.b.remove("web", A));
  scene.settle();
  t.same(scene.device.resolve("web"), [A], "cluster a has it still");
  t.end();
});

t.test("an admin's group keeps his members, and gets the child", (t) => {
  const scene = new Scene();
  scene.device.admin(4, "web", "office");
  scene.a.define("web");
  scene.a.add("web", A);
  scene.verify(scene.a).read();
  t.same(scene.settle(), ["create-address", "create-child", "attach-child"]);
  t.same(scene.device.group(4, "web").members, ["office", CHILD]);
  t.end();
});

t.test("a second plan after the first is empty, and so is one after a restart", (t) => {
  const scene = Scene.running([A, B, "2001:db8::1"]);
  scene.read();
  t.same(scene.plan.plan(0).steps, []);
  scene.restart().read();
  t.equal(scene.plan.next(0), undefined, "before the cluster is verified");
  scene.verify(scene.a);
  t.equal(scene.plan.next(0), undefined, "and after");
  t.match(scene.report("a", "web"), { inSync: true });
  t.end();
});

t.test(
  "after a restart nothing is removed until the cluster is verified, and then what is not in it",
  (t) => {
    const scene = Scene.running([A, B]);
    scene.a.lose("web", A);
    scene.restart().read();
    scene.hear(scene.a, ...scene.a.session());
    t.equal(scene.plan.next(0), undefined);
    scene.hear(scene.a, scene.a.add("web", C));
    scene.settle();
    t.same(scene.device.resolve("web"), [A, B, C], "additions go on");
    t.match(scene.report("a", "web"), { inSync: false, reason: "NotVerified" });
    scene.hear(scene.a, scene.a.state());
    scene.settle();
    t.same(scene.device.resolve("web"), [B, C]);
    t.end();
  },
);

t.test("after a restart with a short list, what is only absent stays and says what would release it", (t) => {
  const scene = Scene.running([A, B]);
  scene.a.lose("web", A);
  scene.restart({ listed: { pods: 5000 } }).read();
  scene.verify(scene.a);
  t.equal(scene.plan.next(0), undefined);
  t.match(scene.plan.plan(0).held, [
    { what: A, reason: /lists 100 pods, before 5000/, release: /list recovers/ },
  ]);
  t.match(scene.report("a", "web"), { inSync: false, reason: "Held", held: [{ what: A }] });
  scene.a.listed = { pods: 4900 };
  scene.hear(scene.a, scene.a.state());
  scene.settle();
  t.same(scene.device.resolve("web"), [B]);
  t.end();
});

t.test("an address that vanished from a short list stays, others go on", (t) => {
  const scene = Scene.running([A, B]);
  scene.a.listed = { pods: 0 };
  scene.hear(
    scene.a,
    scene.a.remove("web", A, "vanished"),
    scene.a.state(),
    scene.a.remove("web", B, "reused"),
  );
  scene.settle();
  t.same(scene.device.resolve("web"), [A]);
  t.match(scene.plan.plan(0).held, [{ cluster: "a", group: "web", what: A, reason: /lists no pods/ }]);
  scene.a.listed = { pods: 99 };
  scene.hear(scene.a, scene.a.state());
  scene.settle();
  t.same(scene.device.resolve("web"), []);
  t.end();
});

t.test("an unverified cluster keeps its members, but a removal on record goes on", (t) => {
  const scene = Scene.running([A, B]);
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.state("syncing"), scene.a.remove("web", B));
  t.same(scene.settle(), ["put-child"]);
  t.same(scene.device.resolve("web"), [B]);
  t.end();
});

t.test("each removal is told with its cause and the time the watcher saw it, each addition likewise", (t) => {
  for (const cause of REMOVE_CAUSES.filter((each) => each !== "vanished")) {
    const scene = Scene.running([A, B]);
    scene.hear(scene.a, scene.a.remove("web", A, cause));
    const observedAt = scene.a.wall;
    t.match(scene.later()?.applied, [
      { op: "remove", cluster: "a", group: "web", address: A, observedAt, cause },
    ]);
    scene.hear(scene.a, scene.a.add("web", A));
    t.match(scene.step()?.applied, [{ op: "add", address: A, observedAt: scene.a.wall }]);
  }
  t.end();
});

t.test("members of a child count from the moment a parent holds it", (t) => {
  const scene = new Scene();
  scene.a.define("web");
  scene.a.add("web", A);
  scene.verify(scene.a).read();
  scene.step();
  t.same(scene.step()?.applied, [], "the child is made");
  t.match(scene.step()?.applied, [{ op: "add", address: A }], "the parent holds it");
  t.end();
});

t.test("a group deleted in Kubernetes: its child goes, and a parent of ours that is empty", (t) => {
  const scene = Scene.running([A]);
  scene.hear(scene.a, ...scene.a.undefine("web"));
  scene.settle();
  t.ok(scene.device.groups.has(`4:${CHILD}`), "not before a state says so");
  scene.hear(scene.a, scene.a.state());
  t.same(scene.settle(), ["detach-child", "delete-child", "delete-parent"]);
  t.equal(scene.device.groups.size, 0);
  t.end();
});

t.test("a group deleted in Kubernetes: the admin's parent stays, with his members", (t) => {
  const scene = new Scene();
  scene.device.admin(4, "web", "office");
  scene.a.define("web");
  scene.a.add("web", A);
  scene.verify(scene.a).read();
  scene.settle();
  scene.a.undefine("web");
  scene.restart().read();
  t.equal(scene.plan.next(0), undefined, "its cluster is not verified");
  scene.verify(scene.a);
  t.same(scene.settle(), ["detach-child", "delete-child"], "also when the pusher was away");
  t.same(scene.device.group(4, "web").members, ["office"]);
  t.end();
});

t.test("detaching a deleted group tells its members as removed", (t) => {
  const scene = Scene.running([A]);
  scene.a.undefine("web");
  scene.restart().read();
  scene.verify(scene.a);
  t.match(scene.later(), {
    step: { kind: "detach-child" },
    applied: [{ op: "remove", address: A, cause: "undefined" }],
  });
  t.end();
});

t.test("a child that is taken out because its group went does not come back while that is unsure", (t) => {
  const scene = Scene.running([A]);
  scene.a.undefine("web");
  scene.restart().read();
  scene.verify(scene.a);
  scene.later();
  scene.restart().read();
  t.equal(scene.plan.next(0), undefined);
  scene.verify(scene.a);
  t.same(scene.settle(), ["delete-child"]);
  t.end();
});

t.test("a group that is deleted while its child is being made leaves nothing behind", (t) => {
  const scene = new Scene();
  scene.a.define("web");
  scene.a.add("web", A);
  scene.verify(scene.a).verify(scene.b).read();
  while (scene.plan.next(0)?.kind !== "create-child") scene.step();
  const step = scene.plan.next(0);
  if (step === undefined) throw new Error("nothing to do");
  scene.hear(scene.a, ...scene.a.undefine("web"), scene.a.state());
  scene.plan.took(step, scene.device.apply(step), 0);
  t.equal(scene.plan.report(0).length, 0);
  t.equal(scene.plan.leaving("a"), 1, "it is not said to be empty");
  scene.settle();
  t.equal(scene.device.groups.size, 0);
  t.end();
});

t.test("a deleted group that somebody else's group holds is taken out there, too", (t) => {
  const scene = Scene.running([A]);
  scene.device.admin(4, "theirs", CHILD);
  scene.read();
  t.match(scene.plan.plan(0).held, [{ what: CHILD, reason: /member of theirs too/ }]);
  scene.a.undefine("web");
  scene.verify(scene.a);
  scene.settle();
  t.same(scene.device.group(4, "theirs").members, []);
  t.end();
});

t.test("a deleted group that can't be deleted is emptied", (t) => {
  const scene = Scene.running([A]);
  scene.device.refuse = ({ kind }) =>
    kind === "delete-child"
      ? { result: "refused", reason: "in-use", message: "used by a policy", blame: [] }
      : undefined;
  scene.a.undefine("web");
  scene.verify(scene.a);
  scene.settle();
  t.same(scene.device.group(4, CHILD).members, []);
  t.match(scene.plan.warnings(0), [/somebody else's objects use pg\.t\.web\.a\.0/]);
  t.end();
});

t.test("a route that is gone empties nothing: its child is reported, with what would release it", (t) => {
  const scene = Scene.running([A]);
  const elsewhere = new Scene({ routes: [{ targets: ["fw"], clusters: ["b"], groups: ["*"] }] });
  for (const [key, group] of scene.device.groups) elsewhere.device.groups.set(key, group);
  for (const [name, object] of scene.device.addresses) elsewhere.device.addresses.set(name, object);
  elsewhere.a.define("web");
  elsewhere.verify(elsewhere.a).verify(elsewhere.b).read();
  t.same(elsewhere.settle(), []);
  t.equal(elsewhere.plan.counts(0).orphans, 1);
  t.match(elsewhere.plan.plan(0).held, [
    { cluster: "a", group: "web", what: CHILD, release: /restore the route/ },
  ]);
  t.end();
});

t.test("a renamed route attaches the child to the new name and leaves the old one to be approved", (t) => {
  const scene = Scene.running([A]);
  const renamed = new Scene({
    routes: [{ targets: ["fw"], clusters: ["a"], groups: ["*"], name: "k8s-{group}" }],
  });
  for (const [key, group] of scene.device.groups) renamed.device.groups.set(key, group);
  for (const [name, object] of scene.device.addresses) renamed.device.addresses.set(name, object);
  renamed.a.define("web");
  renamed.a.add("web", A);
  renamed.verify(renamed.a).read();
  const done = renamed.step();
  t.equal(done?.step.kind, "create-parent");
  t.same(done?.applied, [], "policies saw its members before");
  t.same(renamed.settle(), []);
  t.same(renamed.device.resolve("k8s-web"), [A]);
  t.same(renamed.device.resolve("web"), [A]);
  t.match(renamed.plan.plan(0).held, [{ what: CHILD, reason: /member of web too/ }]);
  t.end();
});

t.test("a cluster that is not configured keeps its child, reported", (t) => {
  const scene = new Scene();
  scene.device.groups.set("4:pg.t.web.z.0", {
    name: "pg.t.web.z.0",
    family: 4,
    marked: true,
    origin: { cluster: "z", group: "web" },
    members: [],
  });
  scene.verify(scene.a).read();
  t.same(scene.settle(), []);
  t.match(scene.plan.plan(0).held, [{ what: "pg.t.web.z.0", reason: /cluster z is not configured/ }]);
  t.end();
});

t.test("addOnly never removes a member or a group, and says so", (t) => {
  const scene = Scene.running([A, B], { plan: { removals: "addOnly" } });
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.add("web", C));
  scene.settle();
  t.same(scene.device.resolve("web"), [A, B, C]);
  t.match(scene.plan.plan(0).held, [{ what: A, reason: /only adds/ }]);
  scene.a.undefine("web");
  scene.verify(scene.a);
  t.same(scene.settle(), []);
  t.same(scene.device.resolve("web"), [A, B, C]);
  t.end();
});

t.test("an address that its cluster may not use is refused, and leaves when it is there", (t) => {
  const scene = Scene.running([A, "192.0.2.7"]);
  const strict = new Scene({ clusters: { a: { cidrs: ["10.0.0.0/8"] } } });
  for (const [key, group] of scene.device.groups) strict.device.groups.set(key, group);
  for (const [name, object] of scene.device.addresses) strict.device.addresses.set(name, object);
  strict.a.define("web");
  strict.a.add("web", A);
  strict.a.add("web", "192.0.2.7");
  strict.verify(strict.a).read();
  t.match(strict.step(), { applied: [{ op: "remove", address: "192.0.2.7", cause: "unrouted" }] });
  t.match(strict.report("a", "web"), {
    reason: "Refused",
    refused: [{ address: "192.0.2.7", reason: /outside the ranges/ }],
    desired: 1,
    applied: 1,
  });
  t.end();
});

t.test("the dry run lists every step, changes nothing, and its hash names it", (t) => {
  const scene = Scene.running([A]);
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.add("web", B), scene.a.add("web", C));
  const { steps, hash, truncated } = scene.plan.plan(0);
  t.same(
    steps.map(({ kind }) => kind),
    ["put-child", "create-address", "create-address", "put-child"],
  );
  t.notOk(truncated);
  t.equal(scene.plan.plan(0).hash, hash);
  t.same(
    scene.settle(),
    steps.map(({ kind }) => kind),
    "and that is what is done",
  );
  t.not(scene.plan.plan(0).hash, hash);
  t.end();
});
