import fc from "fast-check";
import t from "tap";
import { MemoryBusServer } from "@podgate/shared/bus/memory";
import { PUSHER_BUCKET } from "@podgate/shared/bus/topology";
import { silentLogger } from "@podgate/shared/runtime/logger";
import { VirtualClock } from "../../../../shared/test/bus/virtual-clock.ts";
import { Lease } from "../../src/reconcile/lease.ts";
import { LeaseBoard } from "../../src/reconcile/lease-board.ts";
import { deviceLeaseKey } from "../../src/reconcile/lease-entry.ts";
import { aimOf, surplusOf, type Sharing } from "../../src/reconcile/lease-share.ts";
import { Tenure, type Post } from "../../src/reconcile/lease-tenure.ts";

const KEY = deviceLeaseKey("fw:443");
const SECONDS = 6;
const LEASE_MS = SECONDS * 1000;

/** A server with its bucket, and processes on it that each want the one lease. */
class Scene {
  readonly clock = new VirtualClock();
  readonly server = new MemoryBusServer({ clock: this.clock });
  readonly stopping = new AbortController();

  static async make(): Promise<Scene> {
    const scene = new Scene();
    const config = { name: PUSHER_BUCKET, replicas: 1, maxBytes: 1_000_000 } as const;
    await scene.server.connect("test").bucket(config, { create: true });
    return scene;
  }

  process(user: string): Process {
    return new Process(user, this);
  }
}

/** Holds the lease whenever it can, and notes when it did. */
class Process {
  readonly lease: Lease;
  readonly began: { readonly at: number; readonly clean: boolean }[] = [];
  readonly turns: string[] = [];
  /** Milliseconds from the end to the moment at which what is in flight is finished. */
  finishMs = 0;
  readonly #tenure: Tenure;
  readonly stopping = new AbortController();
  readonly running: Promise<unknown>;

  constructor(user: string, { clock, server }: Scene) {
    const ports = { bus: server.connect(user), clock, logger: silentLogger };
    const board = new LeaseBoard(ports);
    this.lease = new Lease({ key: KEY, identity: user, seconds: SECONDS }, { ...ports, board });
    const post: Post = {
      fields: { device: "fw" },
      begin: (clean) => void this.began.push({ at: clock.monotonic(), clean }),
      run: async (signal, lost) => {
        await new Promise<void>((resolve) =>
          signal.addEventListener("abort", () => resolve(), { once: true }),
        );
        if (!lost.aborted) await clock.sleep(this.finishMs, lost).catch(() => undefined);
      },
      end: async () => true,
    };
    this.#tenure = new Tenure(this.lease, post, {
      ...ports,
      board,
      patience: () => 0,
      missed: () => undefined,
      turned: (turn) => void this.turns.push(turn),
    });
    this.running = Promise.all([board.run(this.stopping.signal), this.#tenure.run(this.stopping.signal)]);
  }
}

/** Lets time pass, and tells whether two ever held it at one moment. */
async function together(clock: VirtualClock, ms: number, processes: readonly Process[]): Promise<boolean> {
  let both = false;
  await clock.run(ms, () => {
    both ||= processes.filter(({ lease }) => lease.held).length > 1;
    return false;
  });
  return both;
}

t.test("a free lease is taken at once, and kept by its holder", async (t) => {
  const scene = await Scene.make();
  const a = scene.process("a");
  await scene.clock.run(1000);
  const b = scene.process("b");
  await scene.clock.run(600_000);
  t.equal(a.began[0]?.at, 0);
  t.strictSame([a.turns, b.turns], [["acquired"], []]);
  t.ok(a.lease.held);
});

t.test("a holder that stops finishes first and then gives it to the next at once, clean", async (t) => {
  const scene = await Scene.make();
  const a = scene.process("a");
  a.finishMs = 9000;
  await scene.clock.run(1000);
  const b = scene.process("b");
  await scene.clock.run(1000);
  a.stopping.abort();
  t.notOk(await together(scene.clock, 60_000, [a, b]), "never both");
  t.strictSame(b.began, [{ at: 11_000, clean: true }]);
  t.strictSame(a.turns, ["acquired", "released"]);
});

t.test("one that is not heard for a lease loses it to another, and knows before", async (t) => {
  const scene = await Scene.make();
  const a = scene.process("a");
  await scene.clock.run(1000);
  const b = scene.process("b");
  await scene.clock.run(1500);
  scene.server.refuse("a");
  const from = scene.clock.now();
  t.notOk(await together(scene.clock, 30_000, [a, b]), "never both");
  const [taken] = b.began;
  t.ok((taken?.at ?? Infinity) - from <= LEASE_MS + 1000, `after ${(taken?.at ?? 0) - from} ms`);
  t.equal(taken?.clean, false, "nobody knows what is still on its way");
  t.strictSame(a.turns, ["acquired", "lost"]);
  scene.server.allow("a");
  await scene.clock.run(60_000);
  t.ok(b.lease.held, "the first one comes back and leaves it to the second");
});

t.test(
  "without NATS even a single holder stops when its lease is over, and comes back by itself",
  async (t) => {
    const scene = await Scene.make();
    const a = scene.process("a");
    await scene.clock.run(2500);
    scene.server.stop();
    const from = scene.clock.now();
    await scene.clock.run(60_000, () => !a.lease.held);
    const ms = scene.clock.now() - from;
    t.ok(ms <= LEASE_MS && ms >= LEASE_MS / 2, `stopped after ${ms} ms`);
    await scene.clock.run(120_000);
    scene.server.start();
    const back = scene.clock.now();
    await scene.clock.run(60_000, () => a.lease.held);
    t.ok(scene.clock.now() - back <= 500, "no lease has to run out: it is its own");
    t.equal(a.began.at(-1)?.clean, false, "what it broke off may have been done");
  },
);

t.test("a short loss of NATS costs nothing", async (t) => {
  const scene = await Scene.make();
  const a = scene.process("a");
  const b = scene.process("b");
  for (let n = 0; n < 20; n += 1) {
    await scene.clock.run(3100);
    scene.server.stop();
    await scene.clock.run(1500);
    scene.server.start();
  }
  t.strictSame([...a.turns, ...b.turns], ["acquired"]);
});

t.test("answers that get lost, of a claim as of a renewal, make nobody wrong", async (t) => {
  const scene = await Scene.make();
  scene.server.mute("a");
  const a = scene.process("a");
  await scene.clock.run(100);
  const b = scene.process("b");
  t.notOk(await together(scene.clock, 4000, [a, b]));
  scene.server.cut("a");
  t.notOk(await together(scene.clock, 20_000, [a, b]));
  t.ok(a.lease.held || b.lease.held, "one has it");
  const holder = a.lease.held ? a : b;
  const name = holder === a ? "a" : "b";
  for (let n = 0; n < 5; n += 1) {
    scene.server.mute(name);
    await scene.clock.run(1500);
    scene.server.cut(name);
    await scene.clock.run(1500);
  }
  t.strictSame(holder.turns.slice(-1), ["acquired"], "stored renewals count, though their answers were lost");
});

t.test("a bucket that is lost with everything in it makes no second holder", async (t) => {
  const scene = await Scene.make();
  const a = scene.process("a");
  await scene.clock.run(1000);
  const b = scene.process("b");
  await scene.clock.run(1000);
  scene.server.remakeStream(`KV_${PUSHER_BUCKET}`);
  t.notOk(await together(scene.clock, 30_000, [a, b]), "never both");
  t.ok(a.lease.held !== b.lease.held);
});

t.test("a lease in the form of another version is somebody's as long as it is renewed", async (t) => {
  const scene = await Scene.make();
  const bucket = await scene.server
    .connect("test")
    .bucket({ name: PUSHER_BUCKET, replicas: 1, maxBytes: 1_000_000 });
  const renew = () => bucket.put(KEY, new TextEncoder().encode('{"v":2,"owner":"newer"}'));
  await renew();
  const a = scene.process("a");
  for (let n = 0; n < 60; n += 1) {
    await scene.clock.run(2000);
    await renew();
  }
  t.strictSame(a.turns, []);
  await scene.clock.run(59_000);
  t.strictSame(a.turns, [], "how long it holds is not known");
  await scene.clock.run(5000);
  t.strictSame(a.turns, ["acquired"], "but not for ever");
});

t.test("a renewal that arrives late does not bring back what another one has taken", async (t) => {
  const scene = await Scene.make();
  const a = scene.process("a");
  await scene.clock.run(1000);
  const b = scene.process("b");
  await scene.clock.run(500);
  scene.server.hold("a");
  t.notOk(await together(scene.clock, 20_000, [a, b]));
  t.ok(b.lease.held);
  scene.server.release("a");
  t.notOk(await together(scene.clock, 20_000, [a, b]));
  t.ok(b.lease.held);
  t.strictSame(b.turns, ["acquired"]);
});

t.test("an answer that does not come proves nothing where the old entry is the own", async (t) => {
  const scene = await Scene.make();
  const [b, c] = [scene.process("b"), scene.process("c")];
  await scene.clock.run(100);
  scene.server.stop();
  await scene.clock.run(5980);
  // What b sends first to have its lease back is lost; c has seen its entry for a whole lease.
  scene.server.dropRequests(1);
  scene.server.start();
  t.notOk(await together(scene.clock, 30_000, [b, c]), "never both");
});

t.test(
  "whatever happens to three that want one lease, no two hold it at one moment",
  { timeout: 120_000 },
  async () => {
    const user = fc.constantFrom("a", "b", "c");
    const fault = fc.record({
      kind: fc.constantFrom("hold", "release", "mute", "cut", "refuse", "allow", "drop", "stop", "start"),
      user,
      ms: fc.integer({ min: 0, max: 9000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 30 }), async (faults) => {
        const scene = await Scene.make();
        const processes = ["a", "b", "c"].map((name) => scene.process(name));
        for (const { kind, user: name, ms } of faults) {
          if (kind === "drop") scene.server.dropRequests(1);
          else if (kind === "stop" || kind === "start") scene.server[kind]();
          else scene.server[kind](name);
          if (await together(scene.clock, ms, processes)) return false;
        }
        scene.server.start();
        for (const name of ["a", "b", "c"]) {
          scene.server.allow(name);
          scene.server.release(name);
          scene.server.cut(name);
        }
        if (await together(scene.clock, 30_000, processes)) return false;
        return processes.filter(({ lease }) => lease.held).length === 1;
      }),
      { numRuns: 100 },
    );
  },
);

t.test("a share is even, and what is handed over is what others lack", async (t) => {
  const counts = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(counts, fc.nat({ max: 5 }), (held, free) => {
      const replicas = held.map((_, at) => `r${at}`);
      const devices = held.reduce((sum, count) => sum + count, free);
      const sharing = (self: string): Sharing => ({
        self,
        devices,
        replicas,
        held: new Map(held.map((count, at) => [`r${at}`, count])),
      });
      const aim = aimOf({ devices, replicas });
      const surpluses = replicas.map((replica) => surplusOf(sharing(replica)));
      const room = held.reduce((sum, count) => sum + Math.max(0, aim - count), 0);
      t.ok(aim * replicas.length >= devices, "every device has a place");
      t.ok(surpluses.every((surplus, at) => surplus <= Math.max(0, (held[at] ?? 0) - aim)));
      const given = surpluses.reduce((sum, surplus) => sum + surplus, 0);
      const above = held.reduce((sum, count) => sum + Math.max(0, count - aim), 0);
      t.equal(given, Math.min(above, Math.max(0, room - free)), "as much as fits, and no more");
    }),
  );
});
