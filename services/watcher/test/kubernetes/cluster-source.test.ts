import t, { type Test } from "tap";
import { seededRandom } from "@podgate/shared/runtime/random";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import {
  ADDRESS_GROUPS,
  CLUSTER_ADDRESS_GROUPS,
  NAMESPACES,
  NODES,
  PODS,
} from "../../src/kubernetes/resources.ts";
import { ClusterSource } from "../../src/publish/cluster-source.ts";
import { brief } from "../membership/scene.ts";
import { ApiServer, CRDS, ESTABLISHED } from "./api-server.ts";

const TERMINATING = {
  metadata: { deletionTimestamp: "2026-11-24T00:00:00Z" },
  status: { conditions: [{ type: "Established", status: "True" }] },
};
const silent = (): void => undefined;
const pod = (ip: string) => ({ status: { phase: "Running", podIPs: [{ ip }] } });

/** A cluster with one group of all pods and one pod in it. */
function scene(t: Test, { follow = true } = {}) {
  const clock = new VirtualClock();
  const api = new ApiServer(clock);
  for (const path of [NODES, NAMESPACES, ADDRESS_GROUPS]) api.serve(path);
  for (const path of CRDS) api.single.set(path, ESTABLISHED);
  api.put(CLUSTER_ADDRESS_GROUPS, "web", { spec: { podSelector: {} } });
  api.put(PODS, "a", pod("10.0.0.1"));
  const told: string[] = [];
  const rejected: string[] = [];
  const source = new ClusterSource({
    transport: api,
    clock,
    random: seededRandom(1),
    logger: {
      debug: silent,
      info: silent,
      warn: ({ address }) => typeof address === "string" && rejected.push(address),
      error: silent,
    },
    staticGroups: [],
    customResources: true,
    onError: silent,
    onRejectedAddress: silent,
  });
  const stop = new AbortController();
  if (follow) source.follow();
  const run = source.run("", (changes) => told.push(...brief(changes)), stop.signal);
  t.teardown(async () => {
    stop.abort();
    await run;
  });
  return { clock, api, source, told, rejected };
}

t.test("a CRD that is deleted takes its groups along, and no address leaves", async (t) => {
  const s = scene(t);
  await s.clock.run(1000);
  t.equal(s.source.fresh, true);
  t.strictSame(s.told, ["+ web 10.0.0.1"]);
  const [crd = ""] = CRDS;
  s.api.single.set(crd, TERMINATING);
  s.api.remove(CLUSTER_ADDRESS_GROUPS, "web");
  await s.clock.run(10_000);
  t.strictSame(s.source.stale(), ["clusteraddressgroups"]);
  s.api.single.delete(crd);
  s.api.stopServing(CLUSTER_ADDRESS_GROUPS);
  s.api.cutConnections();
  await s.clock.run(60_000);
  t.equal(s.source.fresh, false, "not synced while it is missing");
  s.api.put(PODS, "b", pod("10.0.0.2"));
  await s.clock.run(1000);
  t.strictSame(s.told, ["+ web 10.0.0.1", "+ web 10.0.0.2"], "its groups go on meanwhile");
  s.api.single.set(crd, ESTABLISHED);
  s.api.put(CLUSTER_ADDRESS_GROUPS, "web", { spec: { podSelector: {} } });
  await s.clock.run(10_000);
  t.equal(s.source.fresh, true);
  t.strictSame(s.told, ["+ web 10.0.0.1", "+ web 10.0.0.2"]);
});

t.test("a watcher that starts while the CRD is being deleted is not synced", async (t) => {
  const s = scene(t);
  for (const path of CRDS) s.api.single.set(path, TERMINATING);
  await s.clock.run(30_000);
  t.equal(s.source.fresh, false);
  t.strictSame(s.source.stale().toSorted(), ["addressgroups", "clusteraddressgroups"]);
});

t.test("what was there before somebody follows is no news", async (t) => {
  const s = scene(t, { follow: false });
  await s.clock.run(1000);
  t.strictSame(s.told, []);
  t.match([...s.source.members()], [{ group: "web", address: "10.0.0.1" }]);
  s.source.follow();
  s.api.put(PODS, "b", pod("10.0.0.2"));
  await s.clock.run(1000);
  t.strictSame(s.told, ["+ web 10.0.0.2"]);
});

t.test("a group that somebody deletes is gone at once", async (t) => {
  const s = scene(t);
  await s.clock.run(1000);
  s.api.remove(CLUSTER_ADDRESS_GROUPS, "web");
  await s.clock.run(100);
  t.strictSame(s.told, ["+ web 10.0.0.1", "-undefined web 10.0.0.1"]);
  t.equal(s.source.fresh, true);
});

t.test("unusable addresses of pods and of nodes are told", async (t) => {
  const s = scene(t);
  s.api.put(PODS, "b", pod("127.0.0.1"));
  s.api.put(NODES, "n1", { status: { addresses: [{ type: "InternalIP", address: "fe80::1" }] } });
  await s.clock.run(1000);
  t.strictSame(s.rejected.toSorted(), ["127.0.0.1", "fe80::1"]);
});

t.test(
  "lists are whole when the namespace of every pod is known, and stay so while it is deleted",
  async (t) => {
    const { clock, api, source } = scene(t);
    api.remove(PODS, "a");
    api.put(PODS, "b", { metadata: { namespace: "shop" }, ...pod("10.0.0.2") });
    await clock.run(1000);
    t.strictSame([source.fresh, source.whole], [true, false]);
    let changes = 0;
    source.onChange(() => (changes += 1));
    api.put(NAMESPACES, "shop", {});
    await clock.run(10);
    t.ok(changes > 0, "who waits for it is told");
    t.equal(source.whole, true);
    api.remove(NAMESPACES, "shop");
    await clock.run(10);
    t.equal(source.whole, true);
  },
);
