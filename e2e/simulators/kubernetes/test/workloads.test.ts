import t from "tap";
import { ApiServer } from "../src/api-server.ts";
import { AddressPool } from "../src/addresses.ts";
import { Cluster } from "../src/cluster.ts";
import { PodItem } from "../src/pod-item.ts";
import type { Pod } from "../src/pod.ts";
import { Workloads, type WorkloadOptions } from "../src/workloads.ts";

/** Time that a test moves: timers run in their order. */
class ManualClock {
  at = 1_800_000_000_000;
  readonly #timers = new Set<{ readonly due: number; readonly run: () => void }>();
  now = (): number => this.at;
  timer = (ms: number, run: () => void): (() => void) => {
    const entry = { due: this.at + ms, run };
    this.#timers.add(entry);
    return () => this.#timers.delete(entry);
  };
  pass(ms: number): void {
    const end = this.at + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).toSorted((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.at = next.due;
      next.run();
    }
    this.at = end;
  }
}

function scene(options: WorkloadOptions = {}) {
  const clock = new ManualClock();
  const api = new ApiServer();
  const cluster = new Cluster(api, clock);
  const workloads = new Workloads(cluster, clock, () => ["node-1", "node-2"], options);
  const started = clock.at;
  const steps: { type: string; pod: Pod; at: number }[] = [];
  api.store.subscribe(({ type, item, at }) => {
    if (item instanceof PodItem) steps.push({ type, pod: item.pod, at: at - started });
  });
  return { clock, cluster, workloads, steps };
}

t.test(
  "a pod comes to life in the steps of a real one: its address with Running, never before",
  async (t) => {
    const { clock, cluster, workloads, steps } = scene();
    workloads.scale("default", "web", { app: "web" }, 1);
    clock.pass(5000);
    t.strictSame(
      steps.map(({ type, pod, at }) => [
        at,
        type,
        pod.phase,
        pod.container,
        pod.nodeName,
        pod.addresses.length,
      ]),
      [
        [0, "ADDED", "Pending", "none", "", 0],
        [0, "MODIFIED", "Pending", "none", "node-1", 0],
        [0, "MODIFIED", "Pending", "waiting", "node-1", 0],
        [450, "MODIFIED", "Pending", "waiting", "node-1", 0],
        [450, "MODIFIED", "Running", "running", "node-1", 1],
        [465, "MODIFIED", "Running", "ready", "node-1", 1],
      ],
    );
    t.match(cluster.pods()[0]?.name, /^web-[a-z0-9]{5}-[a-z0-9]{5}$/);
  },
);

t.test(
  "a graceful end: ready until it has stopped, the deletion time is rewritten to an earlier one",
  async (t) => {
    const { clock, cluster, workloads, steps } = scene();
    workloads.scale("default", "web", { app: "web" }, 1);
    clock.pass(1000);
    steps.length = 0;
    workloads.scale("default", "web", { app: "web" }, 0);
    clock.pass(10_000);
    t.strictSame(
      steps.map(({ type, pod, at }) => [at, type, pod.phase, pod.container, pod.deletion?.graceSeconds]),
      [
        [1000, "MODIFIED", "Running", "ready", 30],
        [1000, "MODIFIED", "Running", "ready", 30],
        [2000, "MODIFIED", "Succeeded", "terminated", 30],
        [2900, "MODIFIED", "Succeeded", "terminated", 0],
        [2900, "DELETED", "Succeeded", "terminated", 0],
      ],
    );
    const times = steps.map(({ pod }) => pod.deletion?.at ?? 0);
    t.ok((times.at(-1) ?? 0) < (times[0] ?? 0));
    t.equal(steps.at(-1)?.pod.addresses.length, 1, "the last object still carries its address");
    t.strictSame(cluster.pods(), []);
  },
);

t.test("a container that does not stop is killed when its grace is over", async (t) => {
  const { clock, workloads, steps } = scene({ pace: { stop: 60_000, graceSeconds: 2 } });
  workloads.scale("default", "web", {}, 1);
  clock.pass(1000);
  workloads.scale("default", "web", {}, 0);
  clock.pass(10_000);
  const ended = steps.find(({ pod }) => pod.container === "terminated");
  t.match(ended, { at: 3000, pod: { phase: "Failed", exitCode: 137 } });
});

t.test("a pod deleted before it ran is simply gone", async (t) => {
  const { clock, cluster, workloads } = scene();
  workloads.scale("default", "web", {}, 3);
  workloads.scale("default", "web", {}, 1);
  t.equal(cluster.pods().length, 1);
  clock.pass(5000);
  t.equal(cluster.pods().filter(({ phase }) => phase === "Running").length, 1);
});

t.test("addresses are given out again, once their pod is gone", async (t) => {
  const { clock, cluster, workloads } = scene({ addresses: new AddressPool("10.1.0.254", 3, true) });
  const addresses = (): string[] => cluster.pods().flatMap((pod) => pod.addresses);
  workloads.scale("default", "web", {}, 3);
  clock.pass(1000);
  t.strictSame(addresses().toSorted(), [
    "10.1.0.254",
    "10.1.0.255",
    "10.1.1.0",
    "fd00::1",
    "fd00::2",
    "fd00::3",
  ]);
  workloads.scale("default", "web", {}, 2);
  clock.pass(5000);
  t.equal(addresses().length, 4);
  workloads.scale("default", "web", {}, 3);
  clock.pass(1000);
  t.equal(new Set(addresses()).size, 6);
});

t.test("a restart brings as many new pods", async (t) => {
  const { clock, cluster, workloads } = scene();
  workloads.scale("default", "web", { app: "web" }, 4);
  clock.pass(1000);
  const before = new Set(cluster.pods().map(({ name }) => name));
  workloads.restart("default", "web");
  clock.pass(5000);
  const after = cluster.pods();
  t.equal(after.length, 4);
  t.notOk(after.some(({ name }) => before.has(name)));
});
