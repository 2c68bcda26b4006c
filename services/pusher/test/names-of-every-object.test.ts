import t from "tap";
import { explainCommand } from "../src/commands/explain.ts";
import { forgetClusterCommand } from "../src/commands/forget-cluster.ts";
import { planCommand } from "../src/commands/plan.ts";
import { configurationOf, Stage } from "./stage.ts";

/** Legal names, and every object seems to have an entry of each. */
const GROUPS = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf"];
const NAME = "constructor";
const WAIT = { waitMs: 60_000 };

const configuration = () =>
  configurationOf({
    clusters: [{ name: NAME }, { name: "west" }],
    targets: [{ name: NAME }],
    routes: [{ targets: [NAME], clusters: [NAME, "west"], groups: ["*"] }],
  });

t.test(
  "groups, a cluster and a target that are named like members of every object are like others",
  async (t) => {
    const stage = new Stage(configuration());
    const watcher = await stage.watcher(NAME, ...GROUPS);
    const west = await stage.watcher("west", ...GROUPS);
    stage.start();
    t.teardown(() => stage.stop());
    for (const [n, group] of GROUPS.entries()) {
      await stage.during(watcher.add(group, `10.0.0.${n + 1}`));
      await stage.during(west.add(group, `10.1.0.${n + 1}`));
    }
    for (const [n, group] of GROUPS.entries())
      t.ok(await stage.until(() => stage.holds(group, `10.0.0.${n + 1}`, `10.1.0.${n + 1}`)), group);
    await stage.clock.run(5000);
    const status = await stage.targetStatus(NAME, NAME);
    t.strictSame(Object.keys(status?.groups ?? {}).toSorted(), GROUPS.toSorted());
    t.ok(
      Object.values(status?.groups ?? {}).every(
        ({ desired, applied, inSync }) => desired === 1 && applied === 1 && inSync,
      ),
    );
    t.match(await stage.clusterStatus(NAME), { verified: true, unrouted: {} });

    await stage.during(watcher.remove("toString", "10.0.0.2"));
    t.ok(
      await stage.until(() => stage.holds("toString", "10.1.0.2")),
      "what leaves one cluster's group leaves it alone",
    );
    const told = await stage.during(
      explainCommand(stage.configuration, stage.ports(), { ...WAIT, address: "10.0.0.1" }),
    );
    t.match(told.text, /group constructor \(constructor of cluster constructor\): member/);
    const plan = await stage.during(
      planCommand(stage.configuration, stage.ports(), { ...WAIT, exitCode: true }),
    );
    t.equal(plan.code, 0, plan.text);

    const writes = stage.writes().length;
    await stage.restart();
    await stage.clock.run(20_000);
    t.strictSame(stage.writes().slice(writes), [], "a restart writes nothing");
    watcher.stop();
    await stage.clock.run(15_000);
    t.ok(stage.holds(NAME, "10.0.0.1", "10.1.0.1"), "silence is not absence");
    const forget = (approve: string | undefined) =>
      stage.during(
        forgetClusterCommand(stage.configuration, stage.ports(), {
          ...WAIT,
          cluster: NAME,
          approve,
          who: "test",
        }),
      );
    const { text } = await forget(undefined);
    const done = await forget(/--approve ([0-9a-f]{12})/.exec(text)?.[1]);
    t.equal(done.code, 0, done.text);
    for (const [n, group] of GROUPS.entries()) t.ok(stage.holds(group, `10.1.0.${n + 1}`), group);
  },
);
