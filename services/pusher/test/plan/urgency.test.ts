import t from "tap";
import type { Step } from "../../src/firewall/firewall.ts";
import { many, Scene } from "./scene.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

/** db and web of cluster a, with these members; everything in place. */
function twoGroups(web: readonly string[], db: readonly string[]): Scene {
  const scene = new Scene();
  scene.a.define("db", "web");
  for (const address of web) scene.a.add("web", address);
  for (const address of db) scene.a.add("db", address);
  scene.verify(scene.a).read();
  scene.settle();
  scene.device.log.length = 0;
  return scene;
}

const written = (step: Step | undefined): string =>
  step?.kind === "put-child"
    ? `${step.child} +${step.added.join(",")} -${step.removed.join(",")}`
    : (step?.kind ?? "nothing");

t.test("a removal goes before creations, with the additions whose objects exist", (t) => {
  const scene = twoGroups([A, B], []);
  scene.hear(scene.a, scene.a.remove("web", B));
  scene.settle();
  scene.hear(
    scene.a,
    ...many(50, 1000).map((address) => scene.a.add("db", address)),
    scene.a.add("web", "10.9.9.9"),
    scene.a.add("web", B),
    scene.a.remove("web", A),
  );
  t.equal(written(scene.plan.next(0)), `pg.t.web.a.0 +${B} -${A}`);
  t.end();
});

t.test("removals that come while addresses are created do not wait for them", (t) => {
  const scene = twoGroups([A], []);
  scene.hear(scene.a, ...many(500, 1000).map((address) => scene.a.add("db", address)));
  for (let n = 0; n < 10; n += 1) scene.step();
  scene.hear(scene.a, scene.a.remove("web", A));
  t.equal(written(scene.step()?.step), `pg.t.web.a.0 + -${A}`);
  t.end();
});

t.test("a group that has news during its own call lets the next group go first", (t) => {
  const [C, D] = ["10.0.0.3", "10.0.0.4"];
  const scene = twoGroups([A, B], [C, D]);
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.remove("db", C));
  const step = scene.plan.next(scene.now);
  if (step === undefined) throw new Error("nothing to do");
  const isWeb = written(step).includes(".web.");
  scene.hear(scene.a, isWeb ? scene.a.remove("web", B) : scene.a.remove("db", D));
  scene.plan.took(step, scene.device.apply(step), scene.now);
  t.equal(written(scene.plan.next(scene.now)), isWeb ? `pg.t.db.a.0 + -${C}` : `pg.t.web.a.0 + -${A}`);
  t.end();
});

t.test("during long creations what is ready goes out each second, not sooner", (t) => {
  const scene = twoGroups([], []);
  scene.hear(scene.a, ...many(100, 1000).map((address) => scene.a.add("web", address)));
  const puts: { at: number; added: number }[] = [];
  for (let done = scene.step(); done !== undefined; done = scene.step()) {
    if (done.step.kind === "put-child") puts.push({ at: scene.now, added: done.step.added.length });
    scene.now += 100;
  }
  // The first object is there at 0 and begins to wait; each write takes 100 ms itself.
  const gaps = puts.slice(1).map(({ at }, n) => at - (puts[n]?.at ?? 0));
  t.ok(puts.length >= 9, `${puts.length} writes`);
  t.ok(
    gaps.slice(0, -1).every((gap) => gap >= 1000 && gap <= 1200),
    gaps.join(", "),
  );
  t.equal(
    puts.reduce((sum, { added }) => sum + added, 0),
    100,
  );
  t.end();
});

t.test("it says when waiting additions are due", (t) => {
  const scene = twoGroups([], []);
  scene.now = 5000;
  scene.hear(scene.a, ...many(3, 1000).map((address) => scene.a.add("web", address)));
  t.equal(scene.plan.wakeAt(scene.now), Number.POSITIVE_INFINITY);
  scene.step();
  t.equal(scene.plan.next(scene.now)?.kind, "create-address");
  t.equal(scene.plan.wakeAt(scene.now), 6000);
  t.equal(scene.plan.next(6000)?.kind, "put-child");
  t.end();
});

t.test("groups take turns: a small one does not wait for a large one", (t) => {
  const scene = new Scene();
  scene.a.define("db", "web");
  for (const address of many(500, 1000)) scene.a.add("db", address);
  scene.a.add("web", A);
  scene.verify(scene.a).read();
  let steps = 0;
  while (scene.device.groups.get("4:web") === undefined) {
    scene.step();
    steps += 1;
    if (steps > 20) break;
  }
  t.same(scene.device.resolve("web"), [A]);
  t.ok(steps <= 8, `there after ${steps} calls`);
  t.end();
});

t.test("removals of several groups take turns, too", (t) => {
  const scene = twoGroups([A, B], [A, B]);
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.remove("db", A));
  const first = scene.step()?.step;
  scene.hear(scene.a, scene.a.remove("db", B), scene.a.remove("web", B));
  const second = scene.step()?.step;
  t.not(first?.kind === "put-child" && first.child, second?.kind === "put-child" && second.child);
  t.end();
});

t.test("an address that moves leaves its old group before it joins the new one", (t) => {
  for (const [from, to] of [
    ["web", "db"],
    ["db", "web"],
  ] as const) {
    const scene = twoGroups([A], [A]);
    scene.hear(scene.a, scene.a.remove(to, A));
    scene.settle();
    scene.hear(scene.a, scene.a.add(to, A), scene.a.remove(from, A, "relabeled"));
    scene.settle(() => {
      const isIn = [from, to].filter((group) => scene.device.resolve(group).includes(A));
      t.not(isIn.length, 2, `in ${isIn.join(" and ")} at once`);
    });
    t.same(scene.device.resolve(to), [A]);
    t.same(scene.device.resolve(from), []);
  }
  t.end();
});

t.test("two addresses that change places take three calls, and are never in both", (t) => {
  const scene = twoGroups([A], [B]);
  scene.hear(
    scene.a,
    scene.a.remove("web", A),
    scene.a.remove("db", B),
    scene.a.add("web", B),
    scene.a.add("db", A),
  );
  const kinds = scene.settle(() => {
    const both = scene.device
      .resolve("web")
      .filter((address) => scene.device.resolve("db").includes(address));
    t.same(both, []);
  });
  t.same(kinds, ["put-child", "put-child", "put-child"]);
  t.same([scene.device.resolve("web"), scene.device.resolve("db")], [[B], [A]]);
  t.end();
});

t.test("an address does not wait for a group that can't be written", (t) => {
  const scene = twoGroups([A], []);
  scene.device.refuse = (step) =>
    step.kind === "put-child" && step.child === "pg.t.web.a.0"
      ? { result: "refused", reason: "forbidden", message: "no permission", blame: [] }
      : undefined;
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.add("db", A));
  scene.settle();
  t.same(scene.device.resolve("db"), [A]);
  t.match(scene.report("a", "web"), { reason: "Refused", message: "no permission" });
  t.end();
});

t.test("an address object with another content is mended before anything is made", (t) => {
  const scene = twoGroups([A], []);
  const object = scene.device.addresses.get(`pg.t.${A}`);
  if (object !== undefined) object.content = "10.0.0.0/8";
  scene.hear(scene.a, scene.a.add("db", B));
  t.match(scene.read(), [{ kind: "address-changed", object: `pg.t.${A}`, message: /10\.0\.0\.0\/8/ }]);
  t.same(scene.settle(), ["repair-address", "create-address", "put-child"]);
  t.same(scene.device.resolve("web"), [A]);
  t.end();
});

t.test("no work is done twice: one change among 50,000 members looks at one group", (t) => {
  const scene = new Scene();
  const groups = ["g0", "g1", "g2", "g3", "g4"];
  scene.a.define(...groups);
  groups.forEach((group, at) => {
    for (const address of many(10_000, at * 10_000)) scene.a.add(group, address);
  });
  scene.verify(scene.a).read();
  scene.settle();
  let looked = 0;
  const real = scene.desired.target("fw");
  const sources = real.sources.map(
    (source) =>
      new Proxy(source, {
        get: (target, property) => {
          if (property === "members") looked += 1;
          const value: unknown = Reflect.get(target, property, target);
          return value;
        },
      }),
  );
  scene.plan.desire({ ...real, sources }, "all");
  scene.plan.next(0);
  t.ok(looked > 50_000, "everything is looked at once");
  scene.folds.get("a")?.take(scene.a.remove("g3", many(1, 30_000)[0] ?? ""), 0);
  looked = 0;
  scene.plan.desire({ ...real, sources }, new Set(["a g3"]));
  t.match(scene.plan.next(0), { kind: "put-child", removed: many(1, 30_000) });
  t.ok(looked < 11_000, `${looked} looks`);
  looked = 0;
  scene.plan.next(0);
  scene.plan.next(1);
  t.equal(looked, 0, "asking again costs nothing");
  t.end();
});
