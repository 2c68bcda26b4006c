import t, { type Test } from "tap";
import { startSimulator, type Simulator } from "../src/simulator.ts";
import { Client } from "./client.ts";

async function scene(t: Test) {
  const simulator: Simulator = await startSimulator();
  t.teardown(() => simulator.close());
  const client = new Client({ url: simulator.url, token: simulator.token });
  const from = { resourceVersion: String(simulator.api.store.version) };
  return { ...simulator, simulator, client, from };
}

t.test("an event reaches an open watch as it happens", async (t) => {
  const { client, from, cluster } = await scene(t);
  const watch = await client.watch("/api/v1/pods", from);
  const { version } = cluster.createPod({ namespace: "default", name: "a" });
  const event = await watch.next();
  watch.close();
  t.match(event, { type: "ADDED", object: { metadata: { name: "a", resourceVersion: String(version) } } });
});

t.test("cut watches lose their connection; the next one resumes", async (t) => {
  const { client, from, cluster, api } = await scene(t);
  const watch = await client.watch("/api/v1/pods", from);
  api.cutWatches();
  await t.rejects(watch.next());
  cluster.createPod({ namespace: "default", name: "a" });
  const next = await client.watch("/api/v1/pods", from);
  t.equal((await next.next())?.object.metadata.name, "a");
  next.close();
});

t.test("a silenced watch says nothing more, its end included, while others go on", async (t) => {
  const { client, from, cluster, api } = await scene(t);
  const dead = await client.watch("/api/v1/pods", { ...from, timeoutSeconds: "1" });
  api.silenceWatches("pods");
  const live = await client.watch("/api/v1/pods", { ...from, timeoutSeconds: "1" });
  cluster.createPod({ namespace: "default", name: "a" });
  t.equal((await live.rest()).length, 1, "the live one was told, and was ended by the server");
  // The live one ended a second ago at the latest: by now the dead one would have been told, too.
  const outcome = dead.next().then(
    () => "told",
    () => "closed by us",
  );
  dead.close();
  t.equal(await outcome, "closed by us");
});

t.test("an expired watch gets an ERROR event with 410 and ends", async (t) => {
  const { client, from, api } = await scene(t);
  const watch = await client.watch("/api/v1/pods", from);
  api.expireWatches();
  t.match(await watch.rest(), [{ type: "ERROR", object: { code: 410 } }]);
});

t.test("after a restart older versions are gone", async (t) => {
  const { client, from, cluster, api } = await scene(t);
  const watch = await client.watch("/api/v1/pods", from);
  cluster.createPod({ namespace: "default", name: "a" });
  await watch.next();
  api.restart();
  await t.rejects(watch.next());
  const resumed = await client.watch("/api/v1/pods", from);
  t.match(await resumed.rest(), [{ type: "ERROR", object: { code: 410 } }]);
});

t.test("an answer can be cut off in the middle", async (t) => {
  const { client, cluster, api } = await scene(t);
  for (let n = 0; n < 100; n += 1) cluster.createPod({ namespace: "default", name: `p${String(n)}` });
  api.faults.add({ kind: "truncate", bytes: 100_000, times: 1 });
  await t.rejects(client.call("GET", "/api/v1/pods"));
  t.equal((await client.call("GET", "/api/v1/pods")).body.items?.length, 100);
});

t.test("a slow answer comes after its time, a cut one not at all", async (t) => {
  const { client, api } = await scene(t);
  api.faults.add({ kind: "slow", ms: 150, times: 1 });
  const started = performance.now();
  t.equal((await client.call("GET", "/api/v1/nodes")).status, 200);
  t.ok(performance.now() - started >= 145);
  api.faults.add({ kind: "cut", times: 1 });
  await t.rejects(client.call("GET", "/api/v1/nodes"));
});

t.test("garbage comes as a line of its own", async (t) => {
  const { client, from, api } = await scene(t);
  api.faults.add({ kind: "garbage", times: 1 });
  const watch = await client.watch("/api/v1/pods", from);
  await t.rejects(watch.next(), SyntaxError);
  watch.close();
});

t.test("watches of clients that went away are forgotten", async (t) => {
  const { client, from, api } = await scene(t);
  const watch = await client.watch("/api/v1/pods", from);
  t.equal(api.watches.length, 1);
  watch.close();
  while (api.watches.length > 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(api.watches.length, 0);
});

t.test("20,000 pods are streamed whole to a slow reader, and 1,000 changes behind them", async (t) => {
  const { client, cluster } = await scene(t);
  for (let n = 0; n < 20_000; n += 1) {
    cluster.createPod({
      namespace: "default",
      name: `p${String(n)}`,
      nodeName: "n",
      addresses: ["10.0.0.1"],
    });
  }
  const watch = await client.watch("/api/v1/pods", {
    sendInitialEvents: "true",
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: "true",
  });
  for (let n = 0; n < 1000; n += 1) cluster.changePod("default", `p${String(n)}`, { labels: { n: "1" } });
  const initial = await watch.until(({ type }) => type === "BOOKMARK");
  t.equal(initial.length, 20_001);
  t.notOk(
    initial.some(({ object }) => object.metadata.labels?.["n"]),
    "the list is of one moment",
  );
  let changes = 0;
  while (changes < 1000 && (await watch.next())?.type === "MODIFIED") changes += 1;
  watch.close();
  t.equal(changes, 1000);
});
