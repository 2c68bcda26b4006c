import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import t from "tap";
import { replicaKey } from "../src/reconcile/lease-entry.ts";
import { withDevice } from "../src/reconcile/lease-loan.ts";
import { callsOf, devices, leases, link } from "./replica.ts";
import { configurationOf, Stage } from "./stage.ts";
import type { TestWatcher } from "./test-watcher.ts";

t.setTimeout(120_000);

t.test(
  "pushers that join and leave share the devices evenly, without a gap and without flapping",
  async (t) => {
    const stage = new Stage(configurationOf({ targets: devices(6) }));
    const watcher = await stage.watcher("east", "web");
    await stage.watcher("west");
    const replicas = [stage.replica(link(1))];
    let address = 0;
    let slowest = 0;
    /** Time passes with news each second; each is on every device at once, whoever has it. */
    const pass = async (ms: number): Promise<void> => {
      for (const end = stage.clock.now() + ms; stage.clock.now() < end;) {
        address += 1;
        const news = `10.0.${Math.floor(address / 250)}.${(address % 250) + 1}`;
        const from = stage.clock.now();
        await stage.during(watcher.add("web", news));
        const hosts = [...stage.devices.keys()];
        await stage.until(
          () => hosts.every((host) => stage.group("web", "root", host).includes(news)),
          30_000,
        );
        slowest = Math.max(slowest, stage.clock.now() - from);
        await stage.clock.run(Math.max(0, from + 1000 - stage.clock.now()));
      }
    };
    const shares = () => Promise.all(replicas.map(leases));
    const turns = () => stage.lines.filter(({ msg }) => msg === "the lease is held from now on").length;
    await pass(5000);
    t.strictSame(await shares(), [6]);
    slowest = 0;
    replicas.push(stage.replica(link(2)));
    await pass(10_000);
    t.strictSame(await shares(), [3, 3]);
    replicas.push(stage.replica(link(3)));
    await pass(10_000);
    t.strictSame(await shares(), [2, 2, 2]);
    const before = turns();
    await pass(40_000);
    t.equal(turns(), before, "nobody hands over what is shared evenly");
    const joined = stage.lines.filter(({ msg }) => msg === "another pusher joined");
    t.equal(joined.length, 6, "each of three hears of two others");
    await replicas[0]?.stop();
    replicas.shift();
    await pass(10_000);
    t.strictSame(await shares(), [3, 3]);
    t.comment(`slowest change, from the bus to the last device: ${slowest} ms`);
    t.ok(slowest <= 500);
    t.equal(stage.lines.filter(({ msg }) => msg.startsWith("another pusher left")).length, 2);
    t.ok(turns() - before <= 4, "and no more than the devices it had change hands");
    for (const replica of replicas) await replica.stop();
  },
);

t.test("statuses are written by who holds, and no two write one again and again", async (t) => {
  const stage = new Stage(configurationOf({ targets: devices(2) }));
  const watcher = await stage.watcher("east", "web");
  const bucket = await stage.server
    .connect("test")
    .bucket({ name: "podgate-status", replicas: 1, maxBytes: 0 });
  const written: string[] = [];
  const ending = new AbortController();
  const first = stage.replica(link(1));
  const second = stage.replica(link(2));
  await stage.during(watcher.add("web", "10.0.0.1"));
  await stage.clock.run(20_000);
  t.strictSame([await leases(first), await leases(second)], [1, 1]);
  void (async () => {
    for await (const { key } of bucket.watch(">", ending.signal)) written.push(key);
  })();
  await stage.clock.run(1);
  written.length = 0;
  await stage.clock.run(60_000);
  const counts = Object.groupBy(written, (key) => key);
  t.strictSame(Object.keys(counts).toSorted(), [
    "east",
    "east.fw1",
    "east.fw2",
    "west",
    "west.fw1",
    "west.fw2",
  ]);
  t.ok(
    Object.values(counts).every((each) => (each?.length ?? 0) <= 2),
    "each renewed every 30 s",
  );
  await first.stop();
  await stage.clock.run(5000);
  for (const target of ["fw1", "fw2"]) {
    const status = await stage.during(stage.targetStatus("east", target));
    t.match(status?.groups["web"], { desired: 1, applied: 1, inSync: true }, target);
  }
  ending.abort();
  await second.stop();
});

t.test(
  "a short list that one pusher has no quarrel with is not believed while another one holds back what it leaves open",
  async (t) => {
    for (const lost of [0, 3]) {
      const routes = ["web", "db"].map((group, n) => ({
        targets: [`fw${n + 1}`],
        clusters: ["east"],
        groups: [group],
      }));
      const stage = new Stage(configurationOf({ targets: devices(2), routes, clusters: [{ name: "east" }] }));
      const listed = async () => {
        const bucket = await stage.server
          .connect("test")
          .bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
        const entry = await stage.during(bucket.get("cluster.east"));
        return (JSON.parse(new TextDecoder().decode(entry?.value)) as { listed: { pods: number } }).listed
          .pods;
      };
      const fill = async (watcher: TestWatcher, web: number, db: number): Promise<void> => {
        for (let n = 1; n <= web; n += 1) await stage.during(watcher.add("web", `10.0.1.${n}`));
        for (let n = 1; n <= db; n += 1) await stage.during(watcher.add("db", `10.0.2.${n}`));
      };
      const onDb = (): number => stage.group("db", "root", "fw2.example.com").length;
      const before = await stage.watcher("east", "web", "db");
      const only = stage.replica(link(3));
      await fill(before, 16, 4);
      t.ok(await stage.until(() => stage.group("web").length === 16 && onDb() === 4, 60_000));
      await stage.clock.run(10_000);
      await only.stop();
      t.equal(await listed(), 20);

      // While nobody looks, the stream is made anew, and what the API server lists is half of what it was.
      before.stop();
      stage.server.remakeStream("PODGATE_east");
      const after = await stage.silentWatcher("east");
      after.pods = 10;
      await stage.during(after.start("web", "db"));
      await fill(after, 16, 4 - lost);
      const replicas = [stage.replica(link(1)), stage.replica(link(2))];
      await stage.clock.run(30_000);
      t.strictSame(await Promise.all(replicas.map(leases)), [1, 1]);
      t.equal(onDb(), 4);
      t.equal(
        await listed(),
        lost === 0 ? 10 : 20,
        lost === 0 ? "nobody misses anything" : "the list stays unbelieved",
      );
      for (const replica of replicas) {
        replica.cut();
        await stage.clock.run(30_000);
        t.equal(onDb(), 4, "also when another one takes the firewall over");
        replica.mend();
        await stage.clock.run(30_000);
        t.equal(onDb(), 4);
      }
      for (const replica of replicas) await replica.stop();
    }
  },
);

t.test(
  "one device behind two names is written by the first target only, though two pushers hold them",
  async (t) => {
    const targets = [{ name: "fw1" }, { name: "alias", url: "https://alias.example.com" }];
    const stage = new Stage(
      configurationOf({
        targets,
        clusters: [{ name: "east" }],
        routes: [{ targets: ["fw1", "alias"], clusters: ["east"], groups: ["*"] }],
      }),
    );
    stage.devices.set("alias.example.com", stage.device);
    const watcher = await stage.watcher("east", "web");
    const replicas = [stage.replica(link(1)), stage.replica(link(2))];
    for (let n = 1; n <= 20; n += 1) {
      await stage.during(watcher.add("web", `10.0.0.${n}`));
      await stage.clock.run(1000);
    }
    t.strictSame(await Promise.all(replicas.map(leases)), [1, 1]);
    t.equal(stage.group("web").length, 20);
    t.strictSame(
      stage.sent.filter(({ host, method }) => host === "alias.example.com" && method !== "GET"),
      [],
    );
    t.match(await stage.during(stage.targetStatus("east", "alias")), {
      error: /which target fw1 writes already/,
    });
    t.equal((await stage.during(stage.targetStatus("east", "fw1")))?.error, undefined);
    for (const replica of replicas) await replica.stop();
  },
);

t.test("a command gets the device to itself, and the pusher has it back afterwards", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  const pusher = stage.replica(link(1));
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(3000);
  const loan = { device: "fw1.example.com", identity: "command_1", seconds: 6, waitMs: 10_000 };
  const ports = stage.ports({ user: "command", source: "192.0.2.9", isCut: false });
  let begun = Number.NaN;
  let calls = Number.NaN;
  const asked = stage.clock.now();
  const done = await stage.during(
    withDevice(loan, ports, async (holds, lost) => {
      begun = stage.clock.now();
      calls = callsOf(stage, 1).length;
      await watcher.add("web", "10.0.0.2");
      await stage.clock.sleep(40_000);
      return { held: holds(), lost: lost.aborted, calls: callsOf(stage, 1).length };
    }),
  );
  t.ok(begun - asked <= 500, "at once");
  t.strictSame(
    done,
    { held: true, lost: false, calls },
    "the pusher calls it no more, however long it takes",
  );
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 1000), "and goes on at once");
  pusher.cut();
  await t.rejects(
    stage.during(withDevice({ ...loan, identity: "command_2", waitMs: 3000 }, ports, async () => undefined)),
    { message: "device fw1.example.com: the pusher that writes it did not give it up within 3 s" },
  );
  pusher.mend();
  await pusher.stop();
});

t.test("what a killed pusher left behind in the bucket is cleared away", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  await stage.watcher("west");
  const first = stage.replica(link(1));
  const second = stage.replica(link(2));
  await stage.clock.run(10_000);
  const bucket = await stage.server.connect("test").bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 0 });
  const entry = () => stage.during(bucket.get(replicaKey(first.identity)));
  t.ok(await entry());
  first.cut();
  await stage.clock.run(90_000);
  t.equal(await entry(), undefined);
  first.mend();
  await stage.clock.run(5000);
  t.ok(await entry(), "one that was only away announces itself again");
  await Promise.all([first.stop(), second.stop()]);
});

t.test(
  "a list that falls short while they run is not settled by what the others said before they saw it",
  async (t) => {
    // Who holds what, and who spoke last, is another one each time.
    for (const apart of [300, 700, 1300, 1900]) {
      const routes = ["web", "db"].map((group, n) => ({
        targets: [`fw${n + 1}`],
        clusters: ["east"],
        groups: [group],
      }));
      const stage = new Stage(configurationOf({ targets: devices(2), routes, clusters: [{ name: "east" }] }));
      const watcher = await stage.watcher("east", "web", "db");
      const first = stage.replica(link(1));
      await stage.clock.run(apart);
      const second = stage.replica(link(2));
      for (let n = 1; n <= 16; n += 1) await stage.during(watcher.add("web", `10.0.1.${n}`));
      for (let n = 1; n <= 4; n += 1) await stage.during(watcher.add("db", `10.0.2.${n}`));
      await stage.clock.run(30_000);
      t.strictSame([await leases(first), await leases(second)], [1, 1]);
      watcher.pods = 10;
      for (let n = 2; n <= 4; n += 1) await stage.during(watcher.remove("db", `10.0.2.${n}`, "vanished"));
      await stage.clock.run(30_000);
      for (const replica of [first, second]) {
        replica.cut();
        await stage.clock.run(30_000);
        t.equal(stage.group("db", "root", "fw2.example.com").length, 4);
        replica.mend();
        await stage.clock.run(30_000);
      }
      t.equal(stage.group("db", "root", "fw2.example.com").length, 4);
      await Promise.all([first.stop(), second.stop()]);
    }
  },
);
