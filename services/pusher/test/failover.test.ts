import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import t from "tap";
import { configurationOf, Stage, type Link, type Replica } from "./stage.ts";
import type { TestWatcher } from "./test-watcher.ts";

const link = (n: number): Link => ({ user: `pusher-${n}`, source: `192.0.2.${n}`, isCut: false });

t.setTimeout(120_000);

/** What one pusher sent, by its source address. */
const callsOf = (stage: Stage, n: number) => stage.sent.filter(({ source }) => source === `192.0.2.${n}`);
const writesOf = (stage: Stage, n: number) => callsOf(stage, n).filter(({ method }) => method !== "GET");

async function leases(replica: Replica): Promise<number> {
  const lines = (await replica.metrics.render()).split("\n");
  const values = lines.filter((line) => line.startsWith("podgate_pusher_device_lease{"));
  return values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

t.test(
  "of two pushers one writes a device; the other follows, is not stuck, and calls no device",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    const first = stage.replica(link(1));
    await stage.clock.run(2000);
    const second = stage.replica(link(2));
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
    await stage.clock.run(700_000);
    t.strictSame(callsOf(stage, 2), []);
    t.equal(second.pusher.stuck(), undefined);
    t.strictSame([await leases(first), await leases(second)], [1, 0]);
    await Promise.all([first.stop(), second.stop()]);
  },
);

t.test("a pusher that is told to stop leaves its device to the other one at once", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  const first = stage.replica(link(1));
  await stage.clock.run(2000);
  const second = stage.replica(link(2));
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  await stage.clock.run(5000);
  const before = stage.writes().length;
  const from = stage.clock.now();
  await first.stop();
  t.ok(await stage.until(() => callsOf(stage, 2).length > 0, 500));
  t.comment(`orderly stop → first call of the next: ${stage.clock.now() - from} ms`);
  await stage.clock.run(60_000);
  t.equal(stage.writes().length, before, "and nothing is written because of it");
  await stage.during(watcher.add("web", "10.0.0.2"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 500));
  t.ok(writesOf(stage, 2).length > 0);
  await second.stop();
});

t.test("after a pusher is gone without a word, the other one writes within 10 s", async (t) => {
  for (const writeMs of [0, 10_000]) {
    const stage = new Stage(configurationOf(), { latency: { write: writeMs } });
    const watcher = await stage.watcher("east", "web");
    const first = stage.replica(link(1));
    await stage.clock.run(2000);
    const second = stage.replica(link(2));
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1"), 120_000));
    await stage.clock.run(5000);
    await stage.during(watcher.add("web", "10.0.0.2"));
    const from = stage.clock.now();
    first.cut();
    t.ok(await stage.until(() => writesOf(stage, 2).length > 0, 60_000));
    const [write] = writesOf(stage, 2);
    const ms = (write?.at ?? Number.NaN) - from;
    t.comment(`device of ${writeMs} ms a write: cut → first write ${ms} ms`);
    t.ok(ms <= 10_000);
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 120_000));
    first.mend();
    await Promise.all([first.stop(), second.stop()]);
  }
});

const devices = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ name: `fw${n + 1}`, url: `https://fw${n + 1}.example.com` }));

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

t.test("the silence that a refused token asks for is kept by the next pusher, too", async (t) => {
  const stage = new Stage();
  await stage.watcher("east", "web");
  stage.token = () => "wrong";
  const first = stage.replica(link(1));
  await stage.clock.run(2000);
  const second = stage.replica(link(2));
  await stage.clock.run(10_000);
  t.equal(stage.sent.length, 1, "one call with the wrong token");
  await first.stop();
  await stage.clock.run(60_000);
  t.equal(stage.sent.length, 1, "and none by the second");
  await stage.clock.run(30_000);
  t.equal(stage.sent.length, 2);
  t.match(stage.sent[1], { source: "192.0.2.2" });
  await second.stop();
});

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
  "without NATS nothing is written; with it again, what was missed is, after a look at the device",
  async (t) => {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    const only = stage.replica(link(1));
    await stage.during(watcher.add("web", "10.0.0.1"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
    await stage.clock.run(3000);
    stage.server.stop();
    await stage.clock.run(7000);
    const calls = stage.sent.length;
    await stage.clock.run(300_000);
    t.equal(stage.sent.length, calls, "its lease is over: nobody knows who else may write");
    stage.server.start();
    const back = stage.clock.now();
    await stage.during(watcher.add("web", "10.0.0.2"));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2"), 10_000));
    t.comment(`NATS is back → written: ${stage.clock.now() - back} ms`);
    t.equal(stage.sent[calls]?.method, "GET", "it looks before it writes");
    await only.stop();
  },
);

t.test("a write that arrives after another pusher took over is found and corrected", async (t) => {
  for (const lagMs of [8000, 10_000, 20_000, 28_000]) {
    const stage = new Stage();
    const watcher = await stage.watcher("east", "web");
    const own = link(1);
    const first = stage.replica(own);
    await stage.clock.run(2000);
    const second = stage.replica(link(2));
    for (const n of [1, 2]) await stage.during(watcher.add("web", `10.0.0.${n}`));
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.1", "10.0.0.2")));
    await stage.clock.run(5000);
    own.lagMs = lagMs;
    await stage.during(watcher.remove("web", "10.0.0.1"));
    const sent = stage.clock.now();
    t.ok(await stage.until(() => writesOf(stage, 1).some(({ at }) => at >= sent), 1000));
    first.cut();
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.2"), 10_000), "the second does it");
    await stage.during(watcher.add("web", "10.0.0.3"));
    t.ok(
      await stage.until(
        () => stage.holds("web", "10.0.0.2", "10.0.0.3"),
        sent + lagMs - stage.clock.now() - 1,
      ),
    );
    t.ok(
      await stage.until(() => !stage.holds("web", "10.0.0.2", "10.0.0.3"), 60_000),
      "it comes late, and undoes it",
    );
    const late = stage.clock.now();
    t.equal(late - sent, lagMs);
    t.ok(await stage.until(() => stage.holds("web", "10.0.0.2", "10.0.0.3"), 60_000));
    const ms = stage.clock.now() - late;
    t.comment(`a write of ${lagMs} ms, left behind: wrong for ${ms} ms`);
    t.ok(ms <= 2 * lagMs + 5000);
    await Promise.all([second.stop(), first.stop()]);
  }
});

t.test("one that finds out late that it had lost a device has the next holder read it again", async (t) => {
  const stage = new Stage();
  const watcher = await stage.watcher("east", "web");
  const first = stage.replica(link(1));
  await stage.clock.run(2000);
  const second = stage.replica(link(2));
  await stage.during(watcher.add("web", "10.0.0.1"));
  t.ok(await stage.until(() => stage.holds("web", "10.0.0.1")));
  first.cut();
  await stage.clock.run(50_000);
  const quiet = callsOf(stage, 2).length;
  t.ok(quiet > 0, "the second has it");
  first.mend();
  t.ok(await stage.until(() => callsOf(stage, 2).length > quiet, 2000));
  t.match(
    stage.lines.find(({ msg }) => msg.includes("may have written late")),
    { device: "fw1.example.com", by: first.identity },
  );
  await Promise.all([first.stop(), second.stop()]);
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
