import fc from "fast-check";
import t from "tap";
import type { RemoveCause } from "@podgate/shared/contract/event";
import type { Applied } from "../../src/plan/plan.ts";
import { longRunning, many, remove, Scene, WINDOW_MS } from "./scene.ts";

/** Of so many members, so many go for this reason; so many are left then. */
const CASES: readonly [what: string, members: number, gone: number, cause: RemoveCause, left: number][] = [
  ["a scale to zero", 100, 100, "ended", 0],
  ["pods that changed their addresses", 20, 20, "changed", 0],
  ["addresses that others have now", 20, 20, "reused", 0],
  ["a cluster that is drained", 20, 20, "drained", 0],
  ["a few relabeled pods", 20, 5, "relabeled", 15],
  ["all pods of a small group relabeled", 3, 3, "relabeled", 0],
  ["pods relabeled with --all", 20, 20, "relabeled", 20],
  ["a fifth of a large group unselected", 100, 20, "unselected", 80],
  ["more than a fifth of it unselected", 100, 21, "unselected", 100],
  ["a broken selector on a group of three", 3, 3, "unselected", 3],
  ["a broken selector on a group of one", 1, 1, "unselected", 1],
  ["a selector that leaves one of three", 3, 2, "unselected", 1],
  ["a deleted definition of a small group", 5, 5, "undefined", 0],
  ["a deleted definition of a large one", 6, 6, "undefined", 6],
];
for (const [what, members, gone, cause, left] of CASES) {
  t.test(`${what}: ${gone} of ${members} (${cause}), ${left} stay`, (t) => {
    const scene = longRunning(members);
    remove(scene, many(gone), cause);
    scene.settle();
    t.equal(scene.device.resolve("web").length, left);
    t.equal(scene.plan.heldSet().items.length, left === members ? gone : 0);
    t.end();
  });
}

t.test("what goes one by one is summed up within the window, and forgotten after it", (t) => {
  const scene = longRunning(20);
  for (const address of many(8)) {
    remove(scene, [address], "relabeled");
    scene.settle();
    scene.now += 30_000;
    scene.hear(scene.a, scene.a.state());
  }
  t.equal(scene.device.resolve("web").length, 15, "five went, the others are held");
  scene.now += WINDOW_MS * 1.1;
  scene.hear(scene.a, scene.a.state());
  remove(scene, many(1, 10), "relabeled");
  scene.settle();
  t.equal(scene.device.resolve("web").length, 14, "a new window; what is held stays held");
  t.equal(scene.plan.heldSet().items.length, 3);
  t.end();
});

t.test("an edit that takes all and brings more is held, however large the group is then", (t) => {
  const scene = longRunning(10);
  scene.hear(scene.a, ...many(100, 1000).map((address) => scene.a.add("web", address)));
  remove(scene, many(10), "unselected");
  scene.settle();
  t.equal(scene.device.resolve("web").length, 110);
  t.equal(scene.plan.heldSet().items.length, 10);
  t.end();
});

const six = (from: number, count: number): string[] =>
  many(count, from).map((_, n) => `2001:db8::${from + n + 1}`);

t.test("a pod with two addresses counts once", (t) => {
  const scene = longRunning(0);
  scene.hear(scene.a, ...[...many(20), ...six(0, 20)].map((address) => scene.a.add("web", address)));
  scene.settle();
  scene.now += WINDOW_MS * 1.1;
  scene.hear(scene.a, scene.a.state());
  remove(scene, [...many(5), ...six(0, 5)], "relabeled");
  scene.settle();
  t.equal(scene.device.resolve("web", 4).length, 15);
  t.equal(scene.device.resolve("web", 6).length, 15);
  remove(scene, [...many(1, 5), ...six(5, 1)], "relabeled");
  scene.settle();
  t.equal(scene.device.resolve("web", 6).length, 15);
  t.match(scene.plan.heldSet().items, [{ reason: /6 of 20 members/ }, { reason: /6 of 20 members/ }]);
  t.end();
});

t.test("shares of a group that is younger than the window are taken of what it was some seconds ago", (t) => {
  const scene = Scene.running(many(100));
  scene.now += 11_000;
  scene.hear(scene.a, scene.a.state());
  remove(scene, many(20), "relabeled");
  scene.settle();
  t.equal(scene.device.resolve("web").length, 80);
  remove(scene, many(1, 50), "relabeled");
  scene.settle();
  t.equal(scene.device.resolve("web").length, 80);
  t.end();
});

t.test("the removals of one edit wait for each other, a quarter of a second and a second at most", (t) => {
  const scene = longRunning(20);
  remove(scene, many(2), "unselected");
  t.equal(scene.plan.next(scene.now), undefined);
  t.match(scene.report("a", "web"), { reason: "Pending", message: /2 to leave/ });
  t.equal(scene.plan.wakeAt(scene.now), scene.now + 250);
  const begun = scene.now;
  for (let n = 0; scene.now < begun + 700; n += 1) {
    scene.now += 200;
    remove(scene, many(1, 2 + n), "unselected");
    t.equal(scene.plan.next(scene.now), undefined);
  }
  t.equal(scene.plan.wakeAt(scene.now), begun + 1000);
  scene.now = begun + 1000;
  t.equal(scene.plan.next(scene.now), undefined);
  t.match(scene.report("a", "web"), { reason: "Held", message: /^6 addresses stay: 6 of 20 members/ });
  t.end();
});

t.test("many small groups of a cluster that lose members at once are one mass removal", (t) => {
  const scene = new Scene();
  const groups = ["g1", "g2", "g3", "g4"];
  scene.a.define(...groups);
  for (const [at, group] of groups.entries())
    for (const address of many(3, at * 10)) scene.a.add(group, address);
  scene.verify(scene.a).verify(scene.b).read();
  scene.settle();
  scene.now += WINDOW_MS * 1.1;
  scene.hear(scene.a, scene.a.state());
  for (const [at, group] of groups.entries()) {
    const [address = ""] = many(1, at * 10);
    scene.hear(scene.a, scene.a.remove(group, address, "relabeled"));
    t.same(scene.settle(), ["put-child"]);
  }
  t.equal(scene.plan.heldSet().items.length, 0, "four of twelve");
  for (const [at, group] of groups.entries())
    scene.hear(
      scene.a,
      ...many(1, at * 10 + 1).map((address) => scene.a.remove(group, address, "relabeled")),
    );
  t.equal(scene.plan.next(scene.now), undefined);
  t.match(scene.plan.heldSet().items, [{ reason: /8 of 12 members of cluster a/ }, {}, {}, {}]);
  t.end();
});

t.test("a held removal does not keep the address from another group", (t) => {
  const scene = longRunning(3);
  scene.a.define("db");
  scene.hear(scene.a, scene.a.state());
  remove(scene, many(3), "unselected");
  scene.hear(scene.a, ...many(1).map((address) => scene.a.add("db", address)));
  scene.step();
  t.same(scene.device.resolve("db"), [], "while it is not decided, it waits");
  scene.settle();
  t.same(scene.device.resolve("db"), many(1), "then it is in both until somebody decides");
  t.equal(scene.device.resolve("web").length, 3);
  t.end();
});

t.test("a route that is gone is held with all its members; when it is approved, the group goes", (t) => {
  const scene = longRunning(4);
  const routes = [{ targets: ["fw2"], clusters: ["a", "b"], groups: ["*"] }];
  const away = new Scene({ routes });
  Object.assign(away, { a: scene.a, b: scene.b, device: scene.device });
  away.restart().verify(away.a).verify(away.b).read();
  t.same(away.settle(), []);
  t.match(away.plan.plan(away.now).held, [{ guard: "orphan" }, { guard: "last-member", reason: /unrouted/ }]);
  const [first = ""] = many(1);
  away.hear(away.a, away.a.remove("web", first, "ended"));
  t.same(away.settle(), ["put-child"], "what was seen to end leaves it all the same");
  t.equal(away.device.resolve("web").length, 3);
  away.plan.approve(away.plan.heldSet().items, "yes");
  t.same(away.settle(), ["detach-child", "delete-child", "delete-parent"]);
  t.end();
});

t.test("an address that somebody put into a child goes, however many they are", (t) => {
  const scene = longRunning(2);
  scene.a.define("db");
  for (const address of many(20, 100)) scene.hear(scene.a, scene.a.add("db", address));
  scene.hear(scene.a, scene.a.state());
  scene.settle();
  const child = scene.device.group(4, "pg.t.web.a.0");
  for (const address of many(20, 100)) child.members.push(`pg.t.${address}`);
  scene.read();
  scene.settle();
  t.same(scene.device.resolve("web"), many(2));
  t.same(scene.plan.heldSet().items, []);
  t.end();
});

t.test(
  "a cluster that was not heard for as long as its route allows loses its members, and gets them back",
  (t) => {
    const scene = longRunning(30, {
      routes: [{ targets: ["fw"], clusters: ["a"], groups: ["*"], whenSilent: { removeAfterSeconds: 60 } }],
    });
    scene.folds.get("a")?.tick(scene.now);
    scene.hear(scene.a, { kind: "interrupted", reason: "gone" });
    scene.settle();
    const wake = scene.plan.wakeAt(scene.now);
    t.equal(wake, scene.now + 60_000);
    scene.now = wake - 1;
    t.equal(scene.plan.next(scene.now), undefined);
    scene.now = wake;
    t.match(scene.step()?.applied[0], { op: "remove", cause: "silent" });
    t.same(scene.device.resolve("web"), []);
    t.match(scene.report("a", "web"), { reason: "NotVerified", message: /whenSilent/ });
    scene.verify(scene.a);
    scene.settle();
    t.equal(scene.device.resolve("web").length, 30);
    t.end();
  },
);

const cause = fc.constantFrom<RemoveCause>("ended", "relabeled", "unselected", "undefined", "vanished");
const burst = { from: fc.nat(29), count: fc.integer({ min: 1, max: 8 }) };
const act = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("remove" as const), ...burst, cause }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("add" as const), ...burst }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(100, 300, 60_000, 400_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("step" as const, "steps" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("state" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** A pusher that ended and comes back with what it had kept. */
function restart(scene: Scene): void {
  const kept = {
    held: scene.plan.heldSet().items,
    approved: scene.plan.approved(),
    whole: [],
    heldForMs: 0,
    spent: scene.plan.spent(scene.now),
  };
  scene.restart();
  scene.plan.restore(kept, scene.now);
  scene.verify(scene.a).read();
}

/** Does what an act says. @param tell hears of what went on the device, one step after the other */
function perform(scene: Scene, each: Act, tell: (applied: readonly Applied[]) => void): void {
  const step = (): boolean => {
    const done = scene.step();
    tell(done?.applied ?? []);
    return done !== undefined;
  };
  const addresses = "count" in each ? many(each.count, each.from) : [];
  if (each.kind === "remove") remove(scene, addresses, each.cause);
  else if (each.kind === "add") scene.hear(scene.a, ...addresses.map((one) => scene.a.add("web", one)));
  else if (each.kind === "wait") {
    scene.now += each.ms;
    scene.hear(scene.a, scene.a.state());
  } else if (each.kind === "state") scene.hear(scene.a, scene.a.state());
  else if (each.kind === "restart") restart(scene);
  else if (each.kind === "step") step();
  else while (step());
}

const WEIGHED: ReadonlySet<string | undefined> = new Set(["relabeled", "unselected", "undefined"]);

t.test(
  "no sequence of removals takes more than a fifth of a group unseen within a window, without approval, over restarts",
  (t) => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const scene = longRunning(20);
        let gone: number[] = [];
        for (const each of acts) {
          perform(scene, each, (applied) => {
            for (const { op, cause: why } of applied)
              if (op === "remove" && WEIGHED.has(why)) gone.push(scene.now);
            gone = gone.filter((at) => at > scene.now - WINDOW_MS);
            if (gone.length > Math.max(5, 0.2 * 38)) throw new Error(`${gone.length} went unseen`);
          });
        }
      }),
      { numRuns: 300 },
    );
    t.end();
  },
);

t.test("small edits with restarts in between take no more than one edit may", (t) => {
  const edit = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    cause: fc.constantFrom<RemoveCause>("relabeled", "unselected", "undefined"),
    restarts: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 2, maxLength: 5 }), (edits) => {
      const scene = longRunning(20);
      let from = 0;
      for (const { count, cause: why, restarts } of edits) {
        remove(scene, many(count, from), why);
        from += count;
        scene.settle();
        if (restarts) restart(scene);
        scene.now += 2000;
      }
      const gone = 20 - scene.device.resolve("web").length;
      if (gone > 5) throw new Error(`${gone} are gone`);
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test("what was seen to end goes whatever is held", (t) => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const scene = longRunning(20);
      for (const each of acts) {
        perform(scene, each, () => undefined);
        if (each.kind !== "steps" || scene.folds.get("a")?.verified !== true) continue;
        const { removals } = scene.folds.get("a")?.groups.get("web") ?? {};
        const late = scene.device.resolve("web").filter((one) => removals?.get(one)?.cause === "ended");
        if (late.length > 0) throw new Error(`${late.join()} stays`);
      }
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test("after an approval exactly what was held goes", (t) => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const scene = longRunning(20);
      for (const each of acts) perform(scene, each, () => undefined);
      scene.hear(scene.a, scene.a.state());
      scene.settle();
      const { items, hash } = scene.plan.heldSet();
      const before = scene.device.resolve("web");
      scene.plan.approve(items, hash);
      scene.settle();
      const held = new Set(items.map(({ address }) => address));
      const wanted = before.filter((one) => !held.has(one)).join();
      const has = scene.device.resolve("web").join();
      if (has !== wanted) throw new Error(`${has} and not ${wanted}`);
    }),
    { numRuns: 300 },
  );
  t.end();
});
