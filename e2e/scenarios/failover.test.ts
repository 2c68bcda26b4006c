import t, { type Test } from "tap";
import { skipWithout } from "../tools/tool.ts";
import { startFleet, type Fleet } from "./fleet.ts";

const skip = skipWithout("nats-server");
t.setTimeout(300_000);

const NEWS_MS = 200;
/** From a kill to the next pusher's first write. */
const TAKEOVER_MS = 10_000;
/** What "at once" may take on a machine that runs all of this at once. */
const AT_ONCE_MS = 2000;
const ROUNDS = 3;

/** Starts a fleet of which the first pusher runs and has written. */
function on(firewalls: number, play: (t: Test, fleet: Fleet) => Promise<void>): (t: Test) => Promise<void> {
  return async (t) => {
    const fleet = await startFleet(firewalls);
    let isOver = false;
    try {
      const address = await fleet.news();
      for (let n = 0; n < firewalls; n += 1) {
        await fleet.until(`${address} on firewall ${n}`, () => fleet.holds(address, n));
      }
      await play(t, fleet);
      isOver = true;
    } finally {
      if (!isOver || !t.passing()) fleet.explain();
      await fleet.close();
    }
  };
}

/** A standby that is ready to take over. */
async function standby(fleet: Fleet, pusher: number): Promise<void> {
  const service = fleet.pushers[pusher];
  const before = service?.log.length;
  await service?.start();
  await service?.logged(
    "that its cluster is verified",
    ({ msg }) => msg === "the cluster is verified",
    before,
  );
}

/** Milliseconds from now until a pusher's next write arrives. */
async function nextWrite(fleet: Fleet, pusher: number, ms: number): Promise<number> {
  const from = Date.now();
  const write = await fleet.until(
    `a write of pusher ${pusher}`,
    () => fleet.writes(pusher).find(({ at }) => at >= from),
    ms,
  );
  return write.at - from;
}

/** Writes of different pushers that a firewall had to do at one time. */
function mixed(fleet: Fleet, firewall = 0): string[] {
  const writes = fleet.allWrites(firewall);
  return writes.flatMap((one) =>
    writes
      .filter((other) => other.token !== one.token && other.at > one.at && other.at < one.appliedAt)
      .map((other) => `${other.token} wrote ${other.path} while ${one.token} wrote ${one.path}`),
  );
}

const ready = async (fleet: Fleet, pusher: number, path: string): Promise<number> =>
  (await fetch(`${fleet.pushers[pusher]?.opsUrl}/${path}`)).status;

t.test(
  "a standby is ready and calls no firewall; told to stop, the first leaves it the device at once; killed, within 10 s",
  { skip },
  on(1, async (t, fleet) => {
    const [first, second] = fleet.pushers;
    await standby(fleet, 1);
    await fleet.withNews(NEWS_MS, async () => {
      t.strictSame([await ready(fleet, 1, "readyz"), await ready(fleet, 1, "livez")], [200, 200]);
      await first?.logged("that the second joined", ({ msg }) => msg === "another pusher joined");
      t.strictSame([await fleet.leases(0), await fleet.leases(1)], [1, 0]);
      t.strictSame(
        fleet.firewalls[0]?.log().filter(({ token }) => token === "pusher-1"),
        [],
      );

      const next = nextWrite(fleet, 1, TAKEOVER_MS);
      t.equal(await first?.stop(), 0);
      const orderly = await next;
      t.comment(`SIGTERM → first write of the next: ${orderly} ms`);
      t.ok(orderly <= AT_ONCE_MS);

      await standby(fleet, 0);
      const taken = nextWrite(fleet, 0, 30_000);
      await second?.kill();
      const killed = await taken;
      t.comment(`SIGKILL → first write of the next: ${killed} ms`);
      t.ok(killed <= TAKEOVER_MS);
    });
    const last = await fleet.news();
    await fleet.until("the last address", () => fleet.holds(last));
    t.strictSame(mixed(fleet), []);
  }),
);

t.test(
  "killed while the firewall takes 10 s for a write, the next one writes within 10 s, and what was left behind is corrected",
  { skip },
  on(1, async (t, fleet) => {
    const [firewall] = fleet.firewalls;
    if (firewall === undefined) return;
    await standby(fleet, 1);
    firewall.device.latency = { ...firewall.device.latency, write: 10_000 };
    const from = Date.now();
    const left = await fleet.news();
    await fleet.until("a call in flight", () => fleet.pushers[0]?.running && Date.now() - from > 1000);
    const taken = Date.now();
    await fleet.pushers[0]?.kill();
    const write = await fleet.until(
      "a write of the next",
      () => fleet.writes(1).find(({ at }) => at >= taken),
      60_000,
    );
    t.comment(`SIGKILL, 10 s a write → first write of the next: ${write.at - taken} ms`);
    t.ok(write.at - taken <= TAKEOVER_MS);
    firewall.device.latency = { ...firewall.device.latency, write: 0 };
    await fleet.until("what was left", () => fleet.holds(left), 60_000);
  }),
);

t.test(
  "one that stood still past its lease begins nothing when it wakes, and no two write at one time",
  { skip },
  on(1, async (t, fleet) => {
    const [firewall] = fleet.firewalls;
    if (firewall === undefined) return;
    firewall.device.latency = { ...firewall.device.latency, write: 50 };
    await standby(fleet, 1);
    let holder = 0;
    await fleet.withNews(NEWS_MS, async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const paused = fleet.pushers[holder];
        const next = 1 - holder;
        const lines = paused?.log.length ?? 0;
        const taken = nextWrite(fleet, next, 30_000);
        paused?.pause();
        const ms = await taken;
        t.comment(`SIGSTOP → first write of the next: ${ms} ms`);
        t.ok(ms <= TAKEOVER_MS);
        await fleet.until("a while", async () => (await nextWrite(fleet, next, 10_000)) >= 0);
        const woken = Date.now();
        paused?.resume();
        await paused?.logged(
          "that it lost the lease",
          ({ msg }) => msg.startsWith("the lease was lost"),
          lines,
        );
        await nextWrite(fleet, next, 10_000);
        const zombie = fleet.writes(holder).filter(({ at }) => at >= woken);
        t.comment(`calls that it sent all the same: ${zombie.length}`);
        t.ok(zombie.length <= 1, "at most the one that was leaving when it was stopped");
        holder = next;
      }
    });
    const last = await fleet.news();
    await fleet.until("the last address", () => fleet.holds(last));
    t.strictSame(mixed(fleet), []);
  }),
);

t.test(
  "pushers that join and leave share two firewalls; every change is on both all the time",
  { skip },
  on(2, async (t, fleet) => {
    const shares = async () => [await fleet.leases(0), fleet.pushers[1]?.running ? await fleet.leases(1) : 0];
    const times: number[] = [];
    const ending = new AbortController();
    const changing = (async () => {
      while (!ending.signal.aborted) {
        const from = performance.now();
        const address = await fleet.news();
        await fleet.until(address, () => fleet.holds(address, 0) && fleet.holds(address, 1));
        times.push(performance.now() - from);
      }
    })();
    t.strictSame(await shares(), [2, 0]);
    await standby(fleet, 1);
    await fleet.until("one each", async () => (await shares()).join() === "1,1");
    await fleet.pushers[1]?.stop();
    await fleet.until("both again", async () => (await shares()).join() === "2,0");
    await fleet.pushers[0]?.logged("that it left", ({ msg }) => msg.startsWith("another pusher left"));
    ending.abort();
    await changing;
    const slowest = Math.max(...times);
    t.comment(`slowest of ${times.length} changes while pushers joined and left: ${Math.round(slowest)} ms`);
    t.ok(slowest <= AT_ONCE_MS);
    const lines = fleet.pushers[0]?.log.filter(({ msg }) => msg.startsWith("another pusher")) ?? [];
    t.strictSame(
      lines.map(({ msg }) => msg),
      ["another pusher joined", "another pusher left, or is not heard any more"],
    );
    t.strictSame([...mixed(fleet, 0), ...mixed(fleet, 1)], []);
  }),
);
