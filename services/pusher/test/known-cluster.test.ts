import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import t from "tap";
import { adoptClusterCommand } from "../src/commands/adopt-cluster.ts";
import { NEW, OLD, rebuild } from "./rebuilt-cluster.ts";
import { devices, link } from "./replica.ts";
import { configurationOf, Stage, type Replica } from "./stage.ts";

t.setTimeout(120_000);

const STORE = `KV_${PUSHER_BUCKET}`;

/** Two firewalls, and one pusher that knows cluster east as it was. */
async function rebuilt() {
  const stage = new Stage(configurationOf({ targets: devices(2) }));
  const { next, started: first } = await rebuild(stage, () => stage.replica(link(1)));
  return { stage, next, first };
}

/** Both firewalls hold these addresses in web. */
const hold = (stage: Stage, addresses: readonly string[]): boolean =>
  ["fw1.example.com", "fw2.example.com"].every(
    (host) => stage.group("web", "root", host).join() === [...addresses].toSorted().join(),
  );

const storeOf = (stage: Stage) =>
  stage.server.connect("test").bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });

/** Does the pusher believe what cluster east says? */
async function believes(replica: Replica): Promise<boolean> {
  const text = await replica.metrics.render();
  return /^podgate_pusher_cluster_verified\{.*cluster="east".*\} 1$/m.test(text);
}

async function adopt(stage: Stage): Promise<void> {
  const { configuration } = stage;
  const options = { cluster: "east", who: "alice", waitMs: 20_000 };
  const run = (approve?: string) =>
    stage.during(adoptClusterCommand(configuration, stage.ports(), { ...options, approve }));
  const { text } = await run();
  await run(/--approve ([0-9a-f]{12})/.exec(text)?.[1]);
}

t.test(
  "a pusher that was started when the bus had lost what was known believes whom the other one knows",
  async (t) => {
    const { stage, first } = await rebuilt();
    stage.server.remakeStream(STORE);
    const second = stage.replica(link(2));
    for (let passed = 0; passed < 60_000; passed += 500) {
      await stage.clock.run(500);
      if (!hold(stage, OLD) || (await believes(second)) || (await believes(first))) break;
    }
    t.ok(hold(stage, OLD), "nothing is changed on behalf of the rebuilt one");
    t.strictSame([await believes(first), await believes(second)], [false, false]);
    await adopt(stage);
    t.ok(await stage.until(() => hold(stage, NEW), 10_000));
    t.strictSame([await believes(first), await believes(second)], [true, true]);
    for (const replica of [first, second]) await replica.stop();
  },
);

t.test(
  "a pusher that was away while another one learned of the cluster learns it from the bus",
  async (t) => {
    const { stage, next, first } = await rebuilt();
    // Nobody else knows who was before.
    first.cut();
    stage.server.remakeStream(STORE);
    const second = stage.replica(link(2));
    t.ok(await stage.until(() => hold(stage, NEW), 60_000), "the first that is heard is taken");
    first.mend();
    await stage.during(next.add("web", "10.7.7.8"));
    await stage.clock.run(30_000);
    t.ok(hold(stage, [...NEW, "10.7.7.8"]));
    t.strictSame([await believes(first), await believes(second)], [true, true]);
    for (const replica of [first, second]) await replica.stop();
  },
);

t.test("a pusher that never heard of an adoption learns of it by what stands on the bus", async (t) => {
  const { stage, first } = await rebuilt();
  const bucket = await storeOf(stage);
  const adopted = { v: 1, uid: "uid-of-the-new", adoptions: 1, from: "uid-of-east", listed: { pods: 3 } };
  await bucket.put("cluster.east", new TextEncoder().encode(JSON.stringify(adopted)));
  t.ok(await stage.until(() => hold(stage, NEW), 10_000), "as adopted: no guard asks for another approval");
  t.equal(await believes(first), true);
  await first.stop();
});

t.test(
  "what is on record without an adoption is weighed as always: a guard holds what vanished",
  async (t) => {
    const { stage, first } = await rebuilt();
    const bucket = await storeOf(stage);
    const other = { v: 1, uid: "uid-of-the-new", listed: { pods: 20 } };
    await bucket.put("cluster.east", new TextEncoder().encode(JSON.stringify(other)));
    t.ok(await stage.until(() => hold(stage, [...OLD, "10.7.7.7"]), 10_000));
    await stage.clock.run(20_000);
    t.ok(hold(stage, [...OLD, "10.7.7.7"]), "its list is short");
    t.equal(await believes(first), true);
    await first.stop();
  },
);

t.test("a uid in the configuration counts before what is on record, and is put there", async (t) => {
  const { stage, first } = await rebuilt();
  await first.stop();
  const clusters = [{ name: "east", uid: "uid-of-the-new" }, { name: "west" }];
  stage.configuration = configurationOf({ targets: devices(2), clusters });
  const second = stage.replica(link(2));
  await stage.clock.run(20_000);
  t.equal(await believes(second), true);
  await second.stop();
  stage.configuration = configurationOf({ targets: devices(2) });
  const third = stage.replica(link(3));
  await stage.clock.run(20_000);
  t.equal(await believes(third), true);
  await third.stop();
});

t.test("an older copy of what was known does not undo an adoption", async (t) => {
  const { stage, first } = await rebuilt();
  const bucket = await storeOf(stage);
  const before = await bucket.get("cluster.east");
  await adopt(stage);
  t.ok(await stage.until(() => hold(stage, NEW), 10_000));
  await bucket.put("cluster.east", before?.value ?? new Uint8Array());
  await bucket.delete("adopt.east");
  const second = stage.replica(link(2));
  await stage.clock.run(30_000);
  t.strictSame([await believes(first), await believes(second)], [true, true]);
  t.ok(hold(stage, NEW));
  for (const replica of [first, second]) await replica.stop();
});

t.test("two pushers that start on an empty bus know the same cluster", async (t) => {
  const stage = new Stage(configurationOf({ targets: devices(2) }));
  const watcher = await stage.watcher("east", "web");
  await stage.watcher("west");
  await stage.during(watcher.add("web", "10.0.0.1"));
  const both = [stage.replica(link(1)), stage.replica(link(2))];
  t.ok(await stage.until(() => hold(stage, ["10.0.0.1"]), 20_000));
  t.equal((await stage.clusterStatus("east"))?.uid, "uid-of-east");
  for (const replica of both) await replica.stop();
});
