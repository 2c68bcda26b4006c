import t from "tap";
import { configurationSchema } from "../../src/configuration.ts";
import type { Route } from "../desired/configured.ts";
import { many, Scene } from "./scene.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
/** Group block is one that policies deny; all others are as ever. */
const ROUTES: readonly Route[] = [
  { targets: ["fw"], clusters: ["a", "b"], groups: ["block"], polarity: "deny" },
  { targets: ["fw"], clusters: ["a", "b"], groups: ["*"] },
];

function running(block: readonly string[], web: readonly string[]): Scene {
  const scene = new Scene({ routes: ROUTES });
  scene.a.define("block", "web");
  for (const address of block) scene.a.add("block", address);
  for (const address of web) scene.a.add("web", address);
  scene.verify(scene.a).verify(scene.b).read();
  scene.settle();
  scene.device.log.length = 0;
  return scene;
}

t.test("what joins a deny group goes before removals of others, and waits for nothing", (t) => {
  const scene = running([], [A, B]);
  scene.hear(
    scene.a,
    scene.a.remove("web", A),
    ...many(2, 500).map((address) => scene.a.add("block", address)),
    scene.a.add("block", B),
  );
  t.same(
    [...Array(6)]
      .map(() => scene.step()?.step)
      .map((step) => (step && "child" in step ? step.child : step?.kind)),
    [
      "pg.t.block.a.0",
      "create-address",
      "pg.t.block.a.0",
      "create-address",
      "pg.t.block.a.0",
      "pg.t.web.a.0",
    ],
  );
  t.end();
});

t.test("an address that moves to a deny group is blocked before it leaves the other", (t) => {
  const scene = running([], [A]);
  scene.hear(scene.a, scene.a.remove("web", A, "relabeled"), scene.a.add("block", A));
  scene.step();
  t.same(scene.device.resolve("block"), [A]);
  scene.settle();
  t.same(scene.device.resolve("web"), []);
  t.end();
});

t.test("one removal from a deny group is held where it was not seen; one that was seen goes", (t) => {
  const scene = running([A, B, "10.0.0.3", "10.0.0.4"], []);
  scene.hear(
    scene.a,
    scene.a.remove("block", A, "unselected"),
    scene.a.remove("block", B, "vanished"),
    scene.a.remove("block", "10.0.0.3", "ended"),
    scene.a.remove("block", "10.0.0.4", "relabeled"),
    scene.a.state(),
  );
  scene.settle();
  t.same(scene.device.resolve("block"), [A, B]);
  t.match(scene.plan.heldSet().items, [
    { address: A, guard: "deny", reason: /opens the firewall/ },
    { address: B, guard: "deny" },
  ]);
  t.end();
});

t.test("a deny group that was deleted while nobody looked keeps its members until a person decides", (t) => {
  const scene = running([A, B], []);
  for (const address of [A, B]) scene.a.lose("block", address);
  scene.a.groups.delete("block");
  scene.restart().verify(scene.a).verify(scene.b).read();
  scene.settle();
  t.same(scene.device.resolve("block"), [A, B]);
  const { items, hash } = scene.plan.heldSet();
  t.match(items, [
    { address: A, guard: "deny", reason: /undefined/ },
    { address: B, guard: "deny" },
  ]);
  scene.plan.approve(items, hash);
  t.same(scene.settle(), ["detach-child", "delete-child", "delete-parent"]);
  t.end();
});

t.test("a deny group whose cluster may be given up for silence is refused", (t) => {
  const parsed = configurationSchema.safeParse({
    install: "t",
    nats: { servers: ["nats://127.0.0.1:4222"] },
    clusters: [{ name: "a" }],
    targets: [{ name: "fw", url: "https://fw.test", tokenFile: "/token" }],
    routes: [
      {
        targets: ["fw"],
        clusters: ["a"],
        groups: ["*"],
        polarity: "deny",
        whenSilent: { removeAfterSeconds: 600 },
      },
    ],
  });
  t.match(parsed.error?.issues, [{ path: ["routes", 0, "whenSilent"], message: /use keep/ }]);
  t.end();
});
