import { parseState } from "@podgate/shared/contract/state";
import { stateSubject, streamOf } from "@podgate/shared/contract/subjects";
import t from "tap";
import { Stage } from "./stage.ts";

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `10.0.0.${at + 1}`);

/** Cluster east with 30 addresses in web on a firewall; west has one there. */
async function running() {
  const stage = new Stage();
  const east = await stage.watcher("east", "web");
  const west = await stage.watcher("west", "web");
  stage.start();
  for (const address of many(30)) await stage.during(east.add("web", address));
  await stage.during(west.add("web", "10.1.0.1"));
  t.ok(await stage.until(() => stage.group("web").length === 31, 60_000));
  return { stage, east };
}

t.test("a cluster that is drained leaves every group at once, whatever the guards allow", async (t) => {
  const { stage, east } = await running();
  east.phase = "draining";
  east.groups = [];
  await stage.during(east.say());
  for (const address of many(30)) await stage.during(east.remove("web", address, "drained"));
  t.ok(await stage.until(() => stage.holds("web", "10.1.0.1"), 10_000));
  const gone = (): boolean =>
    stage.writes().some((write) => write.startsWith("DELETE") && write.endsWith(".east.0"));
  t.ok(await stage.until(gone, 10_000), "its group of ours goes, too");
  await stage.stop();
});

t.test("the status calls a drained cluster applied only when the firewall holds nothing of it", async (t) => {
  const { stage, east } = await running();
  stage.dead.add("fw1.example.com");
  east.phase = "draining";
  east.groups = [];
  for (const address of many(30)) await stage.during(east.remove("web", address, "drained"));
  await stage.during(east.say());
  await stage.clock.run(10_000);
  const before = await stage.during(stage.targetStatus("east", "fw1"));
  stage.dead.clear();
  t.ok(await stage.until(() => stage.holds("web", "10.1.0.1"), 120_000));
  await stage.clock.run(5000);
  const after = await stage.during(stage.targetStatus("east", "fw1"));
  t.ok((after?.appliedSequence ?? 0) > (before?.appliedSequence ?? 0));
  await stage.stop();
});

t.test(
  "also of a cluster without a member the status tells up to where it is applied: its watcher's claim",
  async (t) => {
    const stage = new Stage();
    await stage.watcher("east", "web");
    stage.start();
    await stage.clock.run(10_000);
    const said = await stage.during(
      stage.server.connect().lastMessage(streamOf("east"), stateSubject("east")),
    );
    const { epoch } = parseState(stateSubject("east"), said?.data ?? new Uint8Array());
    const status = await stage.during(stage.targetStatus("east", "fw1"));
    t.equal(status?.appliedSequence, epoch.sequence);
    await stage.stop();
  },
);

t.test(
  "a cluster in maintenance changes nothing, also when its watcher is another one after it",
  async (t) => {
    const { stage, east } = await running();
    east.phase = "maintenance";
    await stage.during(east.say());
    const before = stage.writes().length;
    await stage.clock.run(60_000);
    t.equal(stage.writes().length, before);
    t.match((await stage.clusterStatus("east"))?.reason, /maintenance/);
    east.phase = "synced";
    await stage.during(east.say());
    t.ok(
      await stage.until(() =>
        stage.lines.some(({ msg, cluster }) => msg === "the cluster is verified" && cluster === "east"),
      ),
    );
    await stage.clock.run(10_000);
    t.equal(stage.writes().length, before, "nor does coming back");
    await stage.stop();
  },
);
