import t from "tap";
import { MemoryBusServer } from "../../src/bus/memory.ts";
import { bucketWire, streamWire } from "../../src/bus/stream-wire.ts";
import { buckets, ensureTopology, streamFor, TOPOLOGY_DEFAULTS } from "../../src/bus/topology.ts";
import { VirtualClock } from "./virtual-clock.ts";

t.test("a cluster's stream keeps the last message per subject, of its members and its state", async (t) => {
  t.match(streamWire(streamFor("prod", { ...TOPOLOGY_DEFAULTS, replicas: 3 })), {
    name: "PODGATE_prod",
    subjects: ["podgate.members.prod.>", "podgate.clusters.prod"],
    max_msgs_per_subject: 1,
    storage: "file",
    num_replicas: 3,
    discard: "new",
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
    allow_msg_ttl: true,
    subject_delete_marker_ttl: 0,
    max_bytes: TOPOLOGY_DEFAULTS.maxBytes,
    max_msgs: TOPOLOGY_DEFAULTS.maxMessages,
    max_msg_size: TOPOLOGY_DEFAULTS.maxMessageBytes,
  });
  const names = buckets().map((config) => config.name);
  t.same(names, ["podgate-status", "podgate-pusher"]);
});

t.test("what is missing is made, what is right is left, what is wrong is named", async (t) => {
  const server = new MemoryBusServer({ clock: new VirtualClock() });
  const bus = server.connect();
  t.same(await ensureTopology(bus, ["a", "b"]), []);
  const made = await bus.streamInfo("PODGATE_a");
  t.same(await ensureTopology(bus, ["a", "b", "c"]), []);
  t.equal((await bus.streamInfo("PODGATE_a"))?.created, made?.created);
  t.ok(await bus.streamInfo("PODGATE_c"));

  server.create({ ...streamWire(streamFor("d")), storage: "memory", max_age: 60e9 });
  const [status] = buckets();
  if (status === undefined) throw new Error("a bucket");
  const other = new MemoryBusServer({ clock: new VirtualClock() });
  other.create({ ...bucketWire(status), allow_rollup_hdrs: true });
  t.same(await ensureTopology(bus, ["a", "d"]), [
    {
      name: "PODGATE_d",
      differences: ['storage is "memory", should be "file"', "max_age is 60000000000, should be 0"],
    },
  ]);
  t.same(await ensureTopology(other.connect(), []), [
    { name: "podgate-status", differences: ["allow_rollup_hdrs is true, should be false"] },
  ]);
});
