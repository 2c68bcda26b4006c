import t from "tap";
import type { z } from "zod";
import type { Step } from "../../src/firewall/firewall.ts";
import { createLogger } from "@podgate/shared/runtime/logger";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import {
  approvalKey,
  approvalSchema,
  keptHeldKey,
  keptHeldSchema,
  pack,
  type Approval,
} from "../../src/reconcile/kept-held.ts";
import { keptSpentKey, keptSpentOf, keptSpentSchema, spentOf } from "../../src/reconcile/kept-spent.ts";
import { TargetGuard } from "../../src/reconcile/target-guard.ts";
import { many, Scene } from "../plan/scene.ts";

const NEVER = new AbortController().signal;
const DAY_MS = 86_400_000;

/** The pusher's memory: what a put holds, a get gives. */
class Store {
  readonly entries = new Map<string, string>();

  load = async <T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const text = this.entries.get(key);
    return text === undefined ? undefined : schema.parse(JSON.parse(text));
  };

  save = async (key: string, value: object): Promise<boolean> => {
    this.entries.set(key, JSON.stringify(value));
    return true;
  };

  approvals(): Approval[] {
    return [...this.entries]
      .filter(([key]) => key.startsWith("approval."))
      .map(([, text]) => approvalSchema.parse(JSON.parse(text)))
      .filter(({ closed }) => closed === undefined);
  }
}

async function held(count: number, size = count) {
  const clock = new VirtualClock();
  const store = new Store();
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger({ service: "podgate-pusher", version: "test", level: "debug", write });
  const scene = Scene.running(many(size));
  const open = (): TargetGuard =>
    new TargetGuard("fw", scene.plan, { clock, logger, memory: store, approvals: () => store.approvals() });
  const guard = open();
  await guard.recall(NEVER);
  scene.hear(scene.a, ...many(count).map((address) => scene.a.remove("web", address, "unselected")));
  scene.settle();
  await clock.run(2000);
  await guard.keep();
  return { clock, store, lines, scene, guard, open };
}

async function kept(store: Store) {
  const found = await store.load(keptHeldKey("fw"), keptHeldSchema);
  if (found === undefined) throw new Error("nothing is kept");
  return found;
}

async function approve(store: Store, scene: Scene, at: number): Promise<string> {
  const { items, hash } = scene.plan.heldSet();
  await store.save(approvalKey("fw", hash), { v: 1, target: "fw", hash, by: "alice", at, ...pack(items) });
  return hash;
}

t.test(
  "an approval that is not used up within a day expires, and what is left of it is held again",
  async (t) => {
    const { clock, store, lines, scene, guard } = await held(20);
    const hash = await approve(store, scene, clock.now());
    // The device refuses what is approved.
    scene.device.refuse = () => ({ result: "refused", reason: "forbidden", message: "no", blame: [] });
    guard.take();
    t.equal(scene.plan.heldSet().hash, "");
    await clock.run(2000);
    await guard.keep();
    t.match((await kept(store)).groups, [{ count: 20, approval: hash }]);
    await clock.run(DAY_MS + 1000);
    await guard.keep();
    t.equal(scene.plan.heldSet().hash, hash);
    t.equal((await kept(store)).hash, hash);
    t.match(await store.load(approvalKey("fw", hash), approvalSchema), {
      by: "alice",
      closed: { how: "expired" },
    });
    t.match(lines.at(-1), { msg: "an approval is expired", revoked: 20 });
  },
);

t.test("an approval is kept with who gave it when it is done; what it let go is not", async (t) => {
  const { clock, store, scene, guard } = await held(20);
  const hash = await approve(store, scene, clock.now());
  guard.take();
  scene.settle();
  await clock.run(2000);
  await guard.keep();
  t.same(scene.device.resolve("web"), []);
  const approval = await store.load(approvalKey("fw", hash), approvalSchema);
  t.match(approval, { by: "alice", groups: [{ count: 20 }], closed: { how: "done" } });
  t.equal(approval?.addresses, undefined);
  t.match(await kept(store), { hash: "", groups: [] });
});

t.test("the same set can be held and approved again", async (t) => {
  const { clock, store, scene, guard } = await held(20);
  const hash = await approve(store, scene, clock.now());
  guard.take();
  scene.settle();
  await clock.run(2000);
  await guard.keep();
  scene.hear(scene.a, ...many(20).map((address) => scene.a.add("web", address)));
  scene.settle();
  scene.hear(scene.a, ...many(20).map((address) => scene.a.remove("web", address, "unselected")));
  scene.settle();
  t.equal(scene.device.resolve("web").length, 20);
  await clock.run(2000);
  t.equal(await approve(store, scene, clock.now()), hash);
  guard.take();
  scene.settle();
  t.same(scene.device.resolve("web"), []);
});

t.test("what came to be held since a set was approved stays: an approval is of what was shown", async (t) => {
  const { clock, store, scene, guard } = await held(20, 40);
  await approve(store, scene, clock.now());
  scene.hear(
    scene.a,
    ...many(40)
      .slice(20)
      .map((address) => scene.a.remove("web", address, "unselected")),
  );
  scene.settle();
  await clock.run(2000);
  scene.settle();
  t.equal(scene.plan.heldSet().items.length, 40);
  guard.take();
  scene.settle();
  t.same(scene.device.resolve("web"), many(40).slice(20));
});

t.test("an old approval that was never used lets nothing go", async (t) => {
  const { clock, store, scene, guard } = await held(20);
  await clock.run(DAY_MS * 2);
  await approve(store, scene, clock.now() - DAY_MS - 1);
  guard.take();
  scene.settle();
  t.equal(scene.device.resolve("web").length, 20);
});

t.test("nothing is written while nothing changes, and at most once a second", async (t) => {
  const { clock, store, scene, guard } = await held(20);
  const before = store.entries.get(keptHeldKey("fw"));
  store.entries.delete(keptHeldKey("fw"));
  await clock.run(20_000);
  await guard.keep();
  t.equal(store.entries.size, 0);
  scene.hear(scene.a, scene.a.add("web", many(1)[0] ?? ""));
  scene.settle();
  await guard.keep();
  const first = store.entries.get(keptHeldKey("fw"));
  t.not(first, before);
  scene.hear(scene.a, scene.a.add("web", many(1, 1)[0] ?? ""));
  scene.settle();
  await guard.keep();
  t.equal(store.entries.get(keptHeldKey("fw")), first);
  await clock.run(1000);
  await guard.keep();
  t.match(await kept(store), { groups: [{ count: 18 }] });
});

t.test(
  "what is held is on record again when the pusher's memory was lost: else nobody could approve it",
  async (t) => {
    const { clock, store, guard } = await held(20);
    const before = await kept(store);
    store.entries.clear();
    await clock.run(30_000);
    await guard.keep();
    t.same(await kept(store), before);
  },
);

t.test(
  "more than an entry takes: after a restart all that leaves the group unseen is held, whatever it is",
  async (t) => {
    const { store, scene, open } = await held(20, 40);
    const { groups, addresses: _, ...rest } = await kept(store);
    await store.save(keptHeldKey("fw"), { ...rest, groups });
    scene.restart().verify(scene.a);
    await open().recall(NEVER);
    scene.read();
    scene.hear(
      scene.a,
      scene.a.remove("web", many(1, 30)[0] ?? "", "relabeled"),
      scene.a.remove("web", many(1, 31)[0] ?? "", "ended"),
    );
    scene.settle();
    t.equal(scene.device.resolve("web").length, 39);
    t.equal(scene.plan.heldSet().items.length, 21);
  },
);

/** The next step, when what an edit takes away was waited for. */
function due(scene: Scene): Step {
  scene.plan.next(scene.now);
  scene.now = Math.min(scene.plan.wakeAt(scene.now), scene.now + 1000);
  const step = scene.plan.next(scene.now);
  if (step === undefined) throw new Error("nothing to do");
  return step;
}

t.test(
  "what the guards let go is on record before it is sent, and corrected when it was not done",
  async (t) => {
    const { clock, store, scene, guard, open } = await held(0, 40);
    const removals = () =>
      scene.hear(scene.a, ...many(3).map((one) => scene.a.remove("web", one, "unselected")));
    removals();
    const step = due(scene);
    await clock.run(scene.now);
    t.ok(await guard.spend(step));
    const counted = () => {
      const text = store.entries.get(keptSpentKey("fw"));
      const { windows } = keptSpentSchema.parse(JSON.parse(text ?? ""));
      return windows.map(({ group = "*", parts }) => [group, parts.reduce((sum, part) => sum + part[2], 0)]);
    };
    t.same(counted(), [
      ["web", 3],
      ["*", 3],
    ]);
    await guard.keep();
    t.same(
      counted(),
      [
        ["web", 3],
        ["*", 3],
      ],
      "also while it is under way",
    );
    scene.plan.took(step, { result: "retry", reason: "busy", message: "no", reread: false }, scene.now);
    guard.settled();
    await guard.keep();
    t.same(counted(), []);
    t.ok(await guard.spend(step));
    scene.plan.took(step, scene.device.apply(step), scene.now);
    guard.settled();
    scene.restart().verify(scene.a);
    const next = open();
    await next.recall(NEVER);
    scene.read();
    scene.hear(scene.a, ...many(6, 10).map((one) => scene.a.remove("web", one, "unselected")));
    scene.settle();
    t.equal(scene.device.resolve("web").length, 37, "six more would be nine of forty");
  },
);

t.test("a removal whose answer was lost counts when the device is found to have done it", async (t) => {
  const { scene } = await held(0, 20);
  for (const from of [0, 4]) {
    scene.hear(scene.a, ...many(4, from).map((one) => scene.a.remove("web", one, "unselected")));
    scene.plan.next(scene.now);
    scene.now += 1000;
    const step = scene.plan.next(scene.now);
    if (step === undefined) break;
    scene.device.apply(step);
    scene.plan.took(
      step,
      { result: "retry", reason: "timeout", message: "no answer", reread: true },
      scene.now,
    );
    scene.read();
  }
  scene.settle();
  t.equal(scene.device.resolve("web").length, 16);
});

t.test("a removal whose answer was lost with the device counts once", async (t) => {
  const { store, scene, guard, open } = await held(0, 40);
  scene.hear(scene.a, ...many(4).map((one) => scene.a.remove("web", one, "unselected")));
  const step = due(scene);
  t.ok(await guard.spend(step));
  scene.device.apply(step);
  scene.plan.took(
    step,
    { result: "retry", reason: "timeout", message: "no answer", reread: true },
    scene.now,
  );
  guard.settled();
  await guard.keep();
  const again = open();
  await again.recall(NEVER);
  scene.read();
  const spent = scene.plan.spent(scene.now).filter(({ group }) => group === "web");
  t.match(spent, [{ parts: [{ counted: 4 }] }]);
  t.ok(store.entries.has(keptSpentKey("fw")));
});

t.test("what can't be put on record is not sent", async (t) => {
  const { store, scene, guard } = await held(0, 40);
  store.save = async () => false;
  scene.hear(scene.a, scene.a.remove("web", many(1)[0] ?? "", "unselected"));
  t.notOk(await guard.spend(due(scene)));
  scene.hear(
    scene.a,
    scene.a.add("web", many(1)[0] ?? ""),
    scene.a.remove("web", many(1, 9)[0] ?? "", "ended"),
  );
  const seen = scene.plan.next(scene.now);
  t.ok(seen !== undefined && (await guard.spend(seen)), "what was seen to end needs no record");
});

t.test("windows of thousands of groups fit into an entry", (t) => {
  const parts = Array.from({ length: 60 }, (_, n) => ({ ageMs: (60 - n) * 10_000, delta: -2, counted: 1 }));
  const group = (n: number) => ({
    cluster: "a-cluster",
    group: `a-namespace/group-${n}`,
    family: 4 as const,
    parts,
  });
  const entry = keptSpentOf(
    Array.from({ length: 5000 }, (_, n) => group(n)),
    1_800_000_000_000,
  );
  t.ok(JSON.stringify(entry).length < 1_000_000);
  t.match(spentOf(entry, 1_800_000_005_000)[0], { parts: [{ ageMs: 15_000, delta: -120, counted: 60 }] });
  t.end();
});

const item = (address: string) => ({
  cluster: "a",
  group: "web",
  address,
  cause: "unselected" as const,
  guard: "mass-removal" as const,
  reason: "why",
});

t.test("100,000 addresses that follow each other, or that are scattered, fit into an entry", (t) => {
  t.ok(pack(many(100_000).map(item)).addresses);
  const scattered = [...Array(100_000).keys()].map((n) => {
    const x = Math.imul(n + 1, 2_654_435_761) >>> 0;
    return `10.${(x >>> 8) & 255}.${(x >>> 16) & 255}.${(x >>> 24) & 255}`;
  });
  t.ok(pack(scattered.map(item)).addresses);
  t.end();
});
