import t from "tap";
import { Scene } from "./scene.ts";

const inPhase = (scene: Scene, phase: string): Promise<boolean> =>
  scene.clock.run(60_000, () => scene.fold.states.at(-1)?.phase === phase);

t.test("in maintenance no change is published, and resume publishes what came of them", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  scene.cluster.join("web", "10.0.0.2");
  const watcher = scene.watcher("a");
  await scene.settled();
  const asked = scene.clock.monotonic();
  scene.lease.ask("maintenance");
  t.ok(await inPhase(scene, "maintenance"));
  t.ok(scene.clock.monotonic() - asked < 1000, "at once");
  const before = scene.fold.events.length;
  scene.cluster.join("web", "10.0.0.3");
  scene.cluster.leave("web", "10.0.0.1");
  scene.cluster.define(["web"]);
  await scene.clock.run(60_000);
  t.equal(scene.fold.events.length, before);
  t.equal(scene.fold.states.at(-1)?.phase, "maintenance");
  scene.lease.ask("synced");
  t.ok(await scene.settled(5000));
  t.strictSame(scene.fold.keys(), ["web 10.0.0.2", "web 10.0.0.3"]);
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test("draining removes every member with its cause and defines no group, and nothing joins", async (t) => {
  const scene = await Scene.make();
  for (let n = 1; n <= 500; n += 1) scene.cluster.join("web", `10.0.${n >> 8}.${n & 255}`);
  const watcher = scene.watcher("a");
  await scene.settled();
  scene.lease.ask("draining");
  t.ok(await scene.clock.run(10_000, () => scene.fold.members.size === 0));
  const removes = scene.fold.events.filter(({ op }) => op === "remove");
  t.equal(removes.length, 500);
  t.ok(removes.every(({ cause }) => cause === "drained"));
  const first = scene.fold.states.find(({ phase }) => phase === "draining");
  t.ok((first?.members ?? 0) > 0, "the state is said before the last member left");
  scene.cluster.join("web", "10.9.9.9");
  await scene.clock.run(10_000);
  t.match(scene.fold.states.at(-1), { phase: "draining", members: 0, groups: [] });
  await scene.end(watcher);
  t.strictSame(scene.fold.faults, []);
});

t.test("a cluster that cannot be listed is drained all the same", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  const watcher = scene.watcher("a");
  await scene.settled();
  scene.cluster.blind(true);
  scene.lease.ask("draining");
  t.ok(await scene.clock.run(10_000, () => scene.fold.members.size === 0));
  t.ok(await inPhase(scene, "draining"));
  await scene.end(watcher);
});

t.test("draining outlives a restart and a takeover, and ends with resume only", async (t) => {
  const scene = await Scene.make();
  scene.cluster.join("web", "10.0.0.1");
  const a = scene.watcher("a");
  await scene.settled();
  scene.lease.ask("draining");
  t.ok(await inPhase(scene, "draining"));
  await scene.end(a);
  const b = scene.watcher("b");
  await scene.clock.run(60_000);
  t.equal(scene.fold.states.at(-1)?.phase, "draining");
  t.strictSame(scene.fold.keys(), []);
  const adds = scene.fold.events.filter(({ op }) => op === "add").length;
  t.equal(adds, 1, "nothing joined again");
  t.ok(b.lines.some((line) => line.includes("podgate-watcher resume")));
  scene.lease.ask("synced");
  t.ok(await scene.settled(5000));
  t.strictSame(scene.fold.keys(), ["web 10.0.0.1"]);
  await scene.end(b);
  t.strictSame(scene.fold.faults, []);
});
