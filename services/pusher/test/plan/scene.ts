import type { RemoveCause } from "@podgate/shared/contract/event";
import type { FoldInput, FoldOptions, ClusterFold } from "../../src/desired/fold.ts";
import { Desired } from "../../src/desired/desired.ts";
import type { Identity, Outcome, Step } from "../../src/firewall/firewall.ts";
import type { Applied, Drift } from "../../src/plan/plan.ts";
import { TargetPlan, type TargetPlanOptions } from "../../src/plan/target-plan.ts";
import type { Configuration } from "../../src/configuration.ts";
import { ClusterStandIn } from "../desired/cluster-stand-in.ts";
import { configured, NAMES, type Route } from "../desired/configured.ts";
import { ModelDevice } from "./model-device.ts";

const IDENTITY: Identity = {
  serial: "FGT1",
  version: "7.4.5",
  vdom: "root",
  needsPlaceholder: false,
  warnings: [],
};
export const EVERYTHING: readonly Route[] = [{ targets: ["fw"], clusters: ["a", "b"], groups: ["*"] }];

/** Removals of one edit wait for each other no longer than this after the last of them. */
const GATHER_MS = 250;

export interface SceneOptions {
  readonly routes?: readonly Route[];
  readonly clusters?: Readonly<Record<string, Partial<Configuration["clusters"][number]>>>;
  readonly plan?: Partial<TargetPlanOptions>;
}

/** Clusters a and b, what the pusher makes of them, and one device: everything but the loop and the wire. */
export class Scene {
  readonly a = new ClusterStandIn("a");
  readonly b = new ClusterStandIn("b");
  readonly device = new ModelDevice();
  now = 0;
  folds!: Map<string, ClusterFold>;
  desired!: Desired;
  plan!: TargetPlan;
  readonly #options: SceneOptions;

  constructor(options: SceneOptions = {}) {
    this.#options = options;
    this.restart();
  }

  /** The pusher starts anew; the device and the clusters are as they were. Nobody is verified yet. */
  restart(fold: Partial<FoldOptions> = {}): this {
    this.folds = new Map([this.a, this.b].map((cluster) => [cluster.name, cluster.fold(fold)]));
    this.desired = new Desired(
      configured(this.#options.routes ?? EVERYTHING, this.#options.clusters),
      NAMES,
      this.folds,
    );
    this.plan = new TargetPlan({
      target: "fw",
      names: NAMES,
      removals: "sync",
      repair: true,
      policyOf: this.desired.target("fw").policyOf,
      ...this.#options.plan,
    });
    return this;
  }

  /** Reads the device, as at the start and for drift. */
  read(): readonly Drift[] {
    this.plan.device({ identity: IDENTITY, limits: this.device.limits });
    this.plan.desire(this.desired.target("fw"), "all");
    const drift = this.plan.read(this.device.read(this.plan.parents()), this.now);
    const keys = this.desired.remember(this.plan.origins());
    this.plan.desire(this.desired.target("fw"), keys);
    return drift;
  }

  /** A new session of the cluster's stream, and a state that verifies it. */
  verify(cluster: ClusterStandIn): this {
    return this.hear(cluster, ...cluster.session(), cluster.state());
  }

  hear(cluster: ClusterStandIn, ...inputs: readonly FoldInput[]): this {
    const fold = this.folds.get(cluster.name);
    if (fold === undefined) throw new Error(`no fold of ${cluster.name}`);
    for (const input of inputs) {
      const keys = this.desired.changed(cluster.name, fold.take(input, this.now));
      this.plan.desire(this.desired.target("fw"), keys);
    }
    return this;
  }

  /** Does the next step; `inspect` looks at the device after it. */
  step(): { step: Step; outcome: Outcome; applied: readonly Applied[] } | undefined {
    const step = this.plan.next(this.now);
    if (step === undefined) return undefined;
    const outcome = this.device.apply(step);
    const applied = this.plan.took(step, outcome, this.now);
    if (outcome.result === "retry" && outcome.reread) this.read();
    return { step, outcome, applied };
  }

  /** The next step; when there is none, after what an edit takes away was waited for. */
  later(): ReturnType<Scene["step"]> {
    const done = this.step();
    const wake = this.plan.wakeAt(this.now);
    if (done !== undefined || wake > this.now + GATHER_MS) return done;
    this.now = wake;
    return this.step();
  }

  /** Until nothing is left to do. Returns the kinds of the steps. */
  settle(inspect: (step: Step) => void = () => undefined): string[] {
    const kinds: string[] = [];
    for (let done = this.later(); done !== undefined; done = this.later()) {
      kinds.push(done.step.kind);
      inspect(done.step);
      if (kinds.length > 100_000) throw new Error(`no end: ${kinds.slice(-5).join(", ")}`);
    }
    return kinds;
  }

  report(cluster: string, group: string) {
    return this.plan.report(this.now).find((each) => each.cluster === cluster && each.group === group);
  }

  /** Everything in place: web of a = these addresses. */
  static running(addresses: readonly string[], options: SceneOptions = {}): Scene {
    const scene = new Scene(options);
    scene.a.define("web");
    for (const address of addresses) scene.a.add("web", address);
    scene.verify(scene.a).verify(scene.b).read();
    scene.settle();
    scene.device.log.length = 0;
    return scene;
  }
}

/** What goes unseen within this long is summed up, by the default limits. */
export const WINDOW_MS = 600_000;

/** web of cluster a with so many members that were there before the window began. */
export function longRunning(count: number, options: SceneOptions = {}): Scene {
  const scene = Scene.running(many(count), options);
  scene.now += WINDOW_MS * 1.1;
  return scene.hear(scene.a, scene.a.state()).hear(scene.b, scene.b.state());
}

/** They leave web of cluster a. */
export const remove = (scene: Scene, addresses: readonly string[], cause: RemoveCause): Scene =>
  scene.hear(scene.a, ...addresses.map((address) => scene.a.remove("web", address, cause)));

export const many = (count: number, from = 0): string[] =>
  [...Array(count).keys()].map(
    (n) =>
      `10.${Math.trunc((n + from) / 62_500)}.${Math.trunc((n + from) / 250) % 250}.${((n + from) % 250) + 1}`,
  );
