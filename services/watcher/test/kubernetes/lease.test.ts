import t, { type Test } from "tap";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import { askForPhase } from "../../src/kubernetes/asked-phase.ts";
import { LeaseElection } from "../../src/kubernetes/lease.ts";
import { LeaseStore } from "./lease-store.ts";

const SECONDS = 10;

function scene(t: Test) {
  const clock = new VirtualClock();
  const store = new LeaseStore();
  const errors: string[] = [];
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  return {
    clock,
    store,
    errors,
    stop,
    holder: () => store.lease?.spec["holderIdentity"],
    candidate(identity: string) {
      const transport = store.client();
      const election = new LeaseElection({
        transport,
        clock,
        namespace: "podgate",
        name: "podgate-watcher",
        identity,
        seconds: SECONDS,
        onError: (message) => errors.push(message),
      });
      return { transport, election };
    },
    /** Takes it and keeps it; what became of that. */
    lead(election: LeaseElection) {
      const life = { acquired: -1, lost: -1 };
      const signal = stop.signal;
      const running = (async () => {
        await election.acquire(signal);
        life.acquired = clock.monotonic();
        await election.keep(signal);
        life.lost = clock.monotonic();
      })().catch(() => undefined);
      t.teardown(() => {
        stop.abort();
        return running;
      });
      return life;
    },
  };
}

t.test("of two candidates one leads, for as long as it renews", async (t) => {
  const s = scene(t);
  const a = s.lead(s.candidate("a").election);
  const b = s.lead(s.candidate("b").election);
  await s.clock.run(120_000);
  t.strictSame([a.acquired, a.lost], [0, -1]);
  t.equal(b.acquired, -1);
  t.equal(s.holder(), "a");
  t.match(s.store.lease, { spec: { leaseDurationSeconds: SECONDS, leaseTransitions: 0 } });
  t.ok(s.store.writes > 50, "renewed at a fifth of its duration");
  t.strictSame(s.errors, []);
});

t.test("a leader that is cut off gives up before its Lease can be taken, and another takes it", async (t) => {
  for (const fault of ["down", "mute"] as const) {
    const s = scene(t);
    const first = s.candidate("a");
    const a = s.lead(first.election);
    const b = s.lead(s.candidate("b").election);
    await s.clock.run(20_000);
    first.transport.fault = fault;
    await s.clock.run(30_000);
    t.ok(a.lost > 20_000 && a.lost < b.acquired, `${fault}: lost at ${a.lost}, taken at ${b.acquired}`);
    t.ok(b.acquired <= 20_000 + (SECONDS + 4) * 1000);
    t.match(s.store.lease, { spec: { holderIdentity: "b", leaseTransitions: 1 } });
    t.ok(s.errors.length > 0, "what failed was told");
  }
});

t.test("a record that does not change expires on the own clock, whatever times it carries", async (t) => {
  const s = scene(t);
  const metadata = { name: "podgate-watcher", resourceVersion: "1" };
  const spec = {
    holderIdentity: "dead",
    leaseDurationSeconds: 15,
    renewTime: "2099-01-01T00:00:00.000000Z",
    leaseTransitions: 7,
  };
  s.store.lease = { metadata, spec };
  const a = s.lead(s.candidate("a").election);
  await s.clock.run(14_900);
  t.equal(a.acquired, -1);
  await s.clock.run(3000);
  t.ok(a.acquired >= 15_000);
  t.match(s.store.lease, { spec: { holderIdentity: "a", leaseTransitions: 8 } });
});

t.test("released in order, it is taken at the next look", async (t) => {
  const s = scene(t);
  const first = s.candidate("a").election;
  await first.acquire(s.stop.signal);
  const b = s.lead(s.candidate("b").election);
  await s.clock.run(3000);
  await first.release(s.stop.signal);
  const released = s.clock.monotonic();
  await s.clock.run(2500);
  t.ok(b.acquired - released <= 2000, `taken ${b.acquired - released} ms later`);
});

t.test("nobody releases what is another's", async (t) => {
  const s = scene(t);
  const [a, b] = [s.candidate("a").election, s.candidate("b").election];
  await a.acquire(s.stop.signal);
  await b.release(s.stop.signal);
  t.equal(s.holder(), "a");
});

t.test("only a fresh read says that it is still ours", async (t) => {
  const s = scene(t);
  const { election, transport } = s.candidate("a");
  await election.acquire(s.stop.signal);
  t.equal(await election.verify(s.stop.signal), true);
  transport.fault = "down";
  t.equal(await election.verify(s.stop.signal), false, "not known is no");
  transport.fault = undefined;
  s.store.lease = {
    metadata: { name: "podgate-watcher", resourceVersion: "99" },
    spec: { holderIdentity: "b" },
  };
  t.equal(await election.verify(s.stop.signal), false);
});

t.test("a write of somebody else in between costs the leadership, not the other's change", async (t) => {
  const s = scene(t);
  const { election } = s.candidate("a");
  const a = s.lead(election);
  await s.clock.run(1000);
  const spec = { ...s.store.lease?.spec, holderIdentity: "b" };
  s.store.touch();
  s.store.lease = { metadata: s.store.lease?.metadata ?? { name: "", resourceVersion: "" }, spec };
  await s.clock.run(3000);
  t.ok(a.lost > 0);
  t.equal(s.holder(), "b");
});

t.test("labels on the Lease stay", async (t) => {
  const s = scene(t);
  s.store.lease = {
    metadata: { name: "podgate-watcher", resourceVersion: "1", labels: { "app.kubernetes.io/part-of": "x" } },
    spec: {},
  };
  await s.candidate("a").election.acquire(s.stop.signal);
  t.match(s.store.lease, { metadata: { labels: { "app.kubernetes.io/part-of": "x" } } });
});

t.test("waiting for it ends at the signal", async (t) => {
  const s = scene(t);
  await s.candidate("a").election.acquire(s.stop.signal);
  const waiting = t.rejects(s.candidate("b").election.acquire(s.stop.signal));
  await s.clock.run(3000);
  s.stop.abort(new Error("stop"));
  await waiting;
});

t.test(
  "a phase that is asked for is noticed within one renewal, costs no leadership, and stays",
  async (t) => {
    const s = scene(t);
    const { election } = s.candidate("a");
    const a = s.lead(election);
    await s.clock.run(5000);
    let told = 0;
    election.onAsked(() => (told += 1));
    const place = { namespace: "podgate", name: "podgate-watcher" };
    await askForPhase(s.store.client(), place, "maintenance", s.stop.signal);
    t.ok(await s.clock.run(2000, () => told === 1));
    t.equal(election.asked, "maintenance");
    await s.clock.run(60_000);
    t.strictSame([a.lost, told, s.holder()], [-1, 1, "a"]);
    const next = s.candidate("b").election;
    await election.release(s.stop.signal);
    await next.acquire(s.stop.signal);
    t.equal(next.asked, "maintenance", "whoever leads next obeys");
    await askForPhase(s.store.client(), place, "synced", s.stop.signal);
    await next.verify(s.stop.signal);
    t.equal(next.asked, "synced");
    t.strictSame(s.store.lease?.metadata.annotations, {});
  },
);

t.test("somebody who annotates the Lease during a renewal does not cost the leadership", async (t) => {
  const s = scene(t);
  const { election, transport } = s.candidate("a");
  const a = s.lead(election);
  const direct = s.store.client();
  let meddle = true;
  transport.open = async (request) => {
    const answer = await direct.open(request);
    if (request.method === "GET" && meddle && s.clock.monotonic() > 1000) {
      meddle = false;
      await askForPhase(direct, { namespace: "podgate", name: "podgate-watcher" }, "draining", s.stop.signal);
    }
    return answer;
  };
  await s.clock.run(30_000);
  t.notOk(meddle);
  t.equal(a.lost, -1);
  t.equal(election.asked, "draining");
});

t.test("where no watcher ran yet the Lease is made, and the first one obeys", async (t) => {
  const s = scene(t);
  await askForPhase(
    s.store.client(),
    { namespace: "podgate", name: "podgate-watcher" },
    "draining",
    s.stop.signal,
  );
  const { election } = s.candidate("a");
  await election.acquire(s.stop.signal);
  t.equal(election.asked, "draining");
});

t.test("a phase that nobody knows freezes the cluster", async (t) => {
  const s = scene(t);
  const annotations = { "podgate.dev/phase": "drain" };
  s.store.lease = { metadata: { name: "podgate-watcher", resourceVersion: "1", annotations }, spec: {} };
  const { election } = s.candidate("a");
  await election.acquire(s.stop.signal);
  t.equal(election.asked, "maintenance");
});
