import t from "tap";
import { Metrics } from "../../src/runtime/metrics.ts";

async function lines(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.render();
  return text.split("\n").filter((line) => line.startsWith(name));
}

t.test("every series of known labels exists at zero before anything happened", async (t) => {
  const metrics = new Metrics("watcher", "1.2.3");
  metrics.counter({ name: "adds_total", help: "adds" });
  metrics.counter({
    name: "errors_total",
    help: "errors",
    labels: { resource: ["pods", "nodes"], kind: ["gone", "other"] },
  });
  metrics.gauge({ name: "phase", help: "phase", labels: { phase: ["synced"] } });
  metrics.histogram({
    name: "exposure_seconds",
    help: "exposure",
    buckets: [0.1, 1],
    labels: { op: ["add"] },
  });
  t.same(await lines(metrics, "podgate_adds_total"), ["podgate_adds_total 0"]);
  t.same(
    (await lines(metrics, "podgate_errors_total")).toSorted(),
    ["nodes", "pods"]
      .flatMap((resource) =>
        ["gone", "other"].map((kind) => `podgate_errors_total{resource="${resource}",kind="${kind}"} 0`),
      )
      .toSorted(),
  );
  t.same(await lines(metrics, "podgate_phase"), ['podgate_phase{phase="synced"} 0']);
  t.same(await lines(metrics, "podgate_exposure_seconds_"), [
    'podgate_exposure_seconds_bucket{le="0.1",op="add"} 0',
    'podgate_exposure_seconds_bucket{le="1",op="add"} 0',
    'podgate_exposure_seconds_bucket{le="+Inf",op="add"} 0',
    'podgate_exposure_seconds_sum{op="add"} 0',
    'podgate_exposure_seconds_count{op="add"} 0',
  ]);
});

t.test("a label whose values come at run time begins without series", async (t) => {
  const metrics = new Metrics("pusher", "1.2.3");
  const writes = metrics.counter({ name: "writes_total", help: "writes", labels: { target: [] } });
  t.same(await lines(metrics, "podgate_writes_total"), []);
  writes({ target: "fw1" }, 3);
  t.same(await lines(metrics, "podgate_writes_total"), ['podgate_writes_total{target="fw1"} 3']);
});

t.test("values are counted, set and observed", async (t) => {
  const metrics = new Metrics("pusher", "1.2.3");
  const count = metrics.counter({ name: "a_total", help: "a" });
  const set = metrics.gauge({ name: "b", help: "b" });
  const observe = metrics.histogram({ name: "c_seconds", help: "c", buckets: [1] });
  count();
  count({}, 2);
  set(7);
  set(-1);
  observe(0.5);
  observe(2);
  const text = await metrics.render();
  t.match(text, "\npodgate_a_total 3\n");
  t.match(text, "\npodgate_b -1\n");
  t.match(text, '\npodgate_c_seconds_bucket{le="1"} 1\n');
  t.match(text, "\npodgate_c_seconds_sum 2.5\n");
});

t.test("service and version stand in the build info, beside the metrics of Node", async (t) => {
  const metrics = new Metrics("watcher", "1.2.3");
  t.same(await lines(metrics, "podgate_build_info"), [
    'podgate_build_info{service="watcher",version="1.2.3"} 1',
  ]);
  t.equal((await lines(metrics, "process_resident_memory_bytes ")).length, 1);
});

t.test("two registries in one process do not mix", async (t) => {
  const [a, b] = [new Metrics("watcher", "1"), new Metrics("pusher", "1")];
  a.counter({ name: "x_total", help: "x" })();
  b.counter({ name: "x_total", help: "x" });
  t.same(await lines(a, "podgate_x_total"), ["podgate_x_total 1"]);
  t.same(await lines(b, "podgate_x_total"), ["podgate_x_total 0"]);
});

t.test("a metric describes itself with type and labels", async (t) => {
  const metrics = new Metrics("watcher", "1");
  metrics.counter({ name: "x_total", help: "what x is", labels: { kind: ["a"], target: [] } });
  t.same(metrics.describe().at(-1), {
    name: "podgate_x_total",
    help: "what x is",
    type: "counter",
    labels: { kind: ["a"], target: [] },
  });
});

t.test("renewed, it has forgotten every series of before, and keeps those of the process", async (t) => {
  const metrics = new Metrics("watcher", "1.2.3");
  const make = (target: string) =>
    metrics.gauge({ name: "members", help: "m", labels: { target: [target] } })(7, { target });
  make("fw1");
  metrics.renew();
  make("fw2");
  const rows = (await metrics.render()).split("\n");
  t.ok(rows.includes('podgate_members{target="fw2"} 7'));
  t.notOk(rows.some((line) => line.includes("fw1")));
  t.ok(rows.some((line) => line.startsWith("podgate_build_info{") && line.includes('version="1.2.3"')));
  t.ok(rows.some((line) => line.startsWith("process_cpu_seconds_total")));
  t.strictSame(
    metrics.describe().map(({ name }) => name),
    ["podgate_build_info", "podgate_members"],
  );
});
