import t from "tap";
import { silentLogger } from "@podgate/shared/runtime/logger";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import { ModelDevice } from "../plan/model-device.ts";
import { ClusterStandIn } from "../desired/cluster-stand-in.ts";
import { configured, NAMES } from "../desired/configured.ts";
import { Desired } from "../../src/desired/desired.ts";
import type { FoldInput } from "../../src/desired/fold.ts";
import type { Actual, Firewall, Identity, Limits, Outcome, Step } from "../../src/firewall/firewall.ts";
import { TargetPlan } from "../../src/plan/target-plan.ts";
import { unobserved } from "../../src/reconcile/observe.ts";
import { TargetWork } from "../../src/reconcile/target-work.ts";

const ROUTES = [{ targets: ["fw"], clusters: ["a"], groups: ["*"] }];
const TIMES = { driftMs: 300_000, lateMs: 30_000 };
const LOST: Outcome = { result: "retry", reason: "timeout", message: "no answer", reread: true };
const NEVER = new AbortController().signal;

/** A device whose answers can be lost, and a pair of units that can change over in the middle of a call. */
class Pair implements Firewall {
  readonly device = new ModelDevice();
  serial = "FGT1";
  reads = 0;
  asked: string[] = [];
  during: "read" | "limits" | undefined;
  answers: Outcome[] = [];
  onFailover: () => void = () => undefined;
  meanwhile: () => void = () => undefined;

  async identity(): Promise<Identity> {
    this.asked.push(this.serial);
    return { serial: this.serial, version: "7.4.5", vdom: "root", needsPlaceholder: false, warnings: [] };
  }

  async tidy(): Promise<Outcome> {
    return { result: "done", changed: false };
  }

  async limits(): Promise<Limits> {
    this.#changeOver("limits");
    return this.device.limits;
  }

  async read(parents: readonly string[]): Promise<Actual> {
    this.reads += 1;
    this.meanwhile();
    this.#changeOver("read");
    return this.device.read(parents);
  }

  async apply(step: Step): Promise<Outcome> {
    return this.answers.shift() ?? this.device.apply(step);
  }

  #changeOver(during: "read" | "limits"): void {
    if (this.during !== during) return;
    this.during = undefined;
    this.serial = "FGT2";
    this.onFailover();
  }
}

function scene(times = TIMES) {
  const clock = new VirtualClock();
  const pair = new Pair();
  const cluster = new ClusterStandIn("a");
  const fold = cluster.fold({});
  const desired = new Desired(configured(ROUTES), NAMES, new Map([["a", fold]]));
  const plan = new TargetPlan({
    target: "fw",
    names: NAMES,
    removals: "sync",
    repair: true,
    policyOf: desired.target("fw").policyOf,
  });
  const work = new TargetWork(
    { target: { name: "fw", mode: "enforce", url: "https://fw.example.com", vdom: "root" }, ...times },
    plan,
    {
      firewall: pair,
      ready: () => undefined,
      hasNewToken: () => false,
      clock,
      random: () => 0.5,
      logger: silentLogger,
      observe: unobserved,
      desired: () => desired.target("fw"),
      claim: () => () => undefined,
      remember: () => undefined,
      memory: { load: async () => undefined, save: async () => true },
      approvals: () => [],
    },
  );
  pair.onFailover = () => work.failedOver();
  const hear = (...inputs: readonly FoldInput[]): void => {
    for (const input of inputs) work.changed(desired.changed("a", fold.take(input, clock.monotonic())));
    work.flush(clock.monotonic());
  };
  return { clock, pair, work, cluster, hear };
}

for (const during of ["read", "limits"] as const) {
  t.test(
    `a unit that takes over in the middle of ${during} is identified and read from the start`,
    async (t) => {
      const { clock, pair, work } = scene();
      pair.during = during;
      t.match(await work.read(NEVER), { result: "failed", reason: "busy" }, "half of each is no whole");
      t.notOk(work.wasRead);
      t.ok(work.readDue(clock.monotonic()));
      t.match(await work.read(NEVER), { result: "done" });
      t.strictSame(pair.asked, ["FGT1", "FGT2"]);
      t.notOk(work.readDue(clock.monotonic()));
    },
  );
}

t.test("a group that is defined while the firewall is read is looked for at once", async (t) => {
  const { clock, pair, work, cluster, hear } = scene();
  pair.meanwhile = () => hear(...cluster.define("web").session(), cluster.state());
  await work.read(NEVER);
  t.ok(work.readDue(clock.monotonic()), "it was not asked for");
  pair.meanwhile = () => undefined;
  await work.read(NEVER);
  t.notOk(work.readDue(clock.monotonic()));
});

t.test(
  "after a write without an answer it is read at once, and once more when it can't be done late",
  async (t) => {
    const { clock, pair, work } = scene();
    await work.read(NEVER);
    pair.answers.push(LOST);
    const step: Step = { kind: "create-address", name: "pg.t.10.0.0.1", address: "10.0.0.1", reason: "test" };
    await work.apply(step, NEVER);
    t.ok(work.readDue(clock.monotonic()));
    await work.read(NEVER);
    t.notOk(work.readDue(clock.monotonic() + TIMES.lateMs - 1));
    t.ok(work.readDue(clock.monotonic() + TIMES.lateMs));
    await clock.run(TIMES.lateMs);
    await work.read(NEVER);
    t.notOk(
      work.readDue(clock.monotonic() + TIMES.lateMs * 2),
      "then it is left alone until drift is looked for",
    );
    t.equal(pair.reads, 3);
  },
);

t.test("late writes are no reason to look for drift less often", async (t) => {
  const { clock, work } = scene({ driftMs: 2000, lateMs: 30_000 });
  work.tookOver(false);
  await work.read(NEVER);
  for (let n = 0; n < 10; n += 1) {
    t.ok(work.readDue(clock.monotonic() + 2000 * 1.2), `after ${clock.monotonic()} ms`);
    await clock.run(2000 * 1.2);
    await work.read(NEVER);
  }
});
