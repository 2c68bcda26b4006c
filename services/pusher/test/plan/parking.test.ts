import t from "tap";
import type { Outcome, Step } from "../../src/firewall/firewall.ts";
import { Parking } from "../../src/plan/parking.ts";
import { NO_LIMITS } from "./model-device.ts";
import { many, Scene } from "./scene.ts";

const [A, B, C] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"] as const;
const refused = (
  message: string,
  blame: string[] = [],
  reason: "invalid" | "full" | "other" = "invalid",
): Outcome => ({
  result: "refused",
  reason,
  message,
  blame,
});

t.test(
  "what is refused is tried again after a minute, then after twice as long, at most after an hour",
  (t) => {
    const parking = new Parking();
    const waits: number[] = [];
    let now = 0;
    for (let n = 0; n < 8; n += 1) {
      parking.park("x", "no", now);
      waits.push((parking.wakeAt(now) - now) / 1000);
      t.equal(parking.reason("x", parking.wakeAt(now) - 1), "no");
      now = parking.wakeAt(now);
      t.equal(parking.reason("x", now), undefined);
    }
    t.same(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
    parking.release("x");
    parking.park("x", "no", now);
    t.equal(parking.wakeAt(now) - now, 60_000, "success forgets");
    t.end();
  },
);

t.test("an address that is refused is parked alone and reported; then it is tried again", (t) => {
  const scene = Scene.running([A]);
  scene.device.refuse = (step) =>
    step.kind === "create-address" && step.address === B ? refused("invalid address") : undefined;
  scene.hear(scene.a, scene.a.add("web", B), scene.a.add("web", C));
  scene.settle();
  t.same(scene.device.resolve("web"), [A, C]);
  t.match(scene.report("a", "web"), {
    inSync: false,
    reason: "Refused",
    refused: [{ address: B, reason: "invalid address" }],
    desired: 3,
    applied: 2,
  });
  t.equal(scene.plan.wakeAt(0), 60_000);
  scene.device.refuse = () => undefined;
  scene.now = 60_000;
  scene.settle();
  t.same(scene.device.resolve("web"), [A, B, C]);
  t.match(scene.report("a", "web"), { inSync: true });
  t.end();
});

t.test("members that a write is refused for are parked; the others go in, by name or by address", (t) => {
  for (const blame of [B, `pg.t.${B}`]) {
    const scene = Scene.running([A]);
    scene.device.refuse = (step) =>
      step.kind === "put-child" && step.members.includes(B) ? refused("bad member", [blame]) : undefined;
    scene.hear(scene.a, scene.a.add("web", B), scene.a.add("web", C));
    scene.settle();
    t.same(scene.device.resolve("web"), [A, C], blame);
  }
  t.end();
});

t.test("a write that is refused for no member's sake is tried with removals only", (t) => {
  const scene = Scene.running([A, B]);
  scene.device.refuse = (step) =>
    step.kind === "put-child" && step.added.length > 0 ? refused("no", ["pg.t.web.a.0"], "other") : undefined;
  scene.hear(scene.a, scene.a.add("web", C), scene.a.remove("web", A));
  scene.settle();
  t.same(scene.device.resolve("web"), [B]);
  t.match(scene.report("a", "web"), { reason: "Refused", refused: [{ address: C, reason: "no" }] });
  scene.device.refuse = () => undefined;
  scene.now = 60_000;
  scene.settle();
  t.same(scene.device.resolve("web"), [B, C]);
  t.end();
});

t.test("a group that can't be written at all does not stop the others", (t) => {
  const scene = Scene.running([A]);
  scene.device.refuse = (step) =>
    "child" in step && step.child === "pg.t.web.a.0" ? refused("no", [], "other") : undefined;
  scene.hear(scene.a, scene.a.remove("web", A), scene.a.add("db", B));
  const kinds = scene.settle();
  t.equal(kinds.filter((kind) => kind === "put-child").length, 1, "and is not asked again and again");
  t.same(scene.device.resolve("db"), [B]);
  t.end();
});

t.test("a child that can't be written is not replaced by another", (t) => {
  const scene = Scene.running([A, B]);
  scene.device.refuse = (step) =>
    "child" in step && step.child === "pg.t.web.a.0" ? refused("no", [], "other") : undefined;
  scene.hear(scene.a, scene.a.remove("web", A));
  scene.settle();
  scene.hear(scene.a, scene.a.add("web", C));
  t.same(scene.settle(), ["create-address"]);
  t.match(scene.report("a", "web"), { reason: "Refused", message: "no" });
  t.end();
});

t.test("a full table stops creations of its family, not removals, and what is unused makes room", (t) => {
  const scene = Scene.running([A, B, "2001:db8::1"]);
  scene.device.limits = { ...NO_LIMITS, 4: { addresses: 4, groups: 0, membersPerGroup: 0 } };
  scene.device.addresses.set("office", { content: "192.0.2.0/24", marked: false });
  scene.read();
  scene.hear(
    scene.a,
    ...many(3, 500).map((address) => scene.a.add("web", address)),
    scene.a.add("web", "2001:db8::2"),
  );
  scene.settle();
  t.equal(scene.device.resolve("web", 6).length, 2);
  t.equal(scene.device.resolve("web", 4).length, 3);
  t.match(scene.report("a", "web"), { reason: "Refused", message: /2 addresses wait: the table is full/ });
  scene.hear(scene.a, scene.a.remove("web", A));
  scene.settle();
  t.notOk(scene.device.resolve("web").includes(A));
  t.notOk(scene.device.addresses.has(`pg.t.${A}`), "its object was collected");
  t.equal(scene.device.resolve("web", 4).length, 3, "and another took its place");
  t.end();
});

t.test(
  "a table that Podgate alone has filled is not asked again: what waits is held, and goes when there is room",
  (t) => {
    const scene = Scene.running([A, B]);
    scene.device.limits = { ...NO_LIMITS, 4: { addresses: 3, groups: 0, membersPerGroup: 0 } };
    scene.read();
    scene.hear(scene.a, ...many(3, 500).map((address) => scene.a.add("web", address)));
    t.same(scene.settle(), ["create-address", "put-child"]);
    t.match(scene.report("a", "web"), {
      reason: "Held",
      message: /2 addresses wait: the device takes 3 IPv4 address objects, and Podgate alone has 3/,
    });
    t.match(scene.plan.counts(scene.now).held, { limits: 2 });
    scene.hear(scene.a, scene.a.remove("web", A));
    scene.settle();
    t.equal(scene.device.resolve("web", 4).length, 3);
    t.match(scene.plan.counts(scene.now).held, { limits: 1 });
    t.end();
  },
);

t.test("an object that the device lost is made again", (t) => {
  const scene = Scene.running([A, B]);
  scene.hear(scene.a, scene.a.remove("web", B));
  scene.settle();
  scene.device.addresses.delete(`pg.t.${B}`);
  scene.hear(scene.a, scene.a.add("web", B));
  t.same(scene.settle(), ["put-child", "create-address", "put-child"]);
  t.same(scene.device.resolve("web"), [A, B]);
  t.end();
});

t.test("a write that misses members again and again, whatever is read, is given up for a while", (t) => {
  const scene = Scene.running([A]);
  let asked = 0;
  scene.device.refuse = ({ kind }) => {
    if (kind !== "put-child") return undefined;
    asked += 1;
    return { result: "retry", reason: "missing-reference", message: "entry not found", reread: true };
  };
  scene.hear(scene.a, scene.a.add("web", B));
  scene.settle();
  t.equal(asked, 3);
  t.match(scene.report("a", "web"), {
    reason: "Refused",
    refused: [{ address: B, reason: "entry not found" }],
  });
  t.end();
});

t.test("a collision is never touched and never used, and is reported", (t) => {
  const scene = new Scene();
  scene.device.addresses.set(`pg.t.${A}`, { content: "192.0.2.1", marked: false });
  scene.device.admin(4, "pg.t.db.a.0");
  scene.a.define("web", "db");
  scene.a.add("web", A);
  scene.a.add("web", B);
  scene.a.add("db", C);
  scene.verify(scene.a).read();
  scene.settle();
  t.same(scene.device.resolve("web"), [B]);
  t.match(scene.report("a", "web"), {
    refused: [{ address: A, reason: /somebody else's \(192\.0\.2\.1\)/ }],
  });
  t.match(scene.report("a", "db"), { reason: "Refused", message: /pg\.t\.db\.a\.0 is somebody else's/ });
  t.same(scene.device.group(4, "pg.t.db.a.0").members, []);
  t.equal(scene.plan.counts(0).collisions, 2);
  t.end();
});

t.test("a borrowed object is used, but never collected", (t) => {
  const scene = new Scene();
  scene.device.addresses.set(`pg.t.${A}`, { content: A, marked: false });
  scene.a.define("web");
  scene.a.add("web", A);
  scene.verify(scene.a).read();
  t.same(scene.settle(), ["create-child", "create-parent"]);
  scene.device.limits = { ...NO_LIMITS, 4: { addresses: 1, groups: 0, membersPerGroup: 0 } };
  scene.read();
  scene.hear(scene.a, scene.a.remove("web", A));
  t.same(scene.settle(), ["put-child"]);
  t.end();
});

t.test("a step that is not answered is offered again", (t) => {
  const scene = Scene.running([A]);
  scene.hear(scene.a, scene.a.remove("web", A));
  const lost: Outcome = { result: "retry", reason: "timeout", message: "no answer", reread: false };
  scene.device.refuse = () => lost;
  const first: Step | undefined = scene.step()?.step;
  scene.device.refuse = () => undefined;
  t.same(scene.step()?.step, first);
  t.same(scene.device.resolve("web"), []);
  t.end();
});
