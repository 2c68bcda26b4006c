import t, { type Test } from "tap";
import { MemoryBusServer } from "../../src/bus/memory.ts";
import { Publisher, WINDOW } from "../../src/bus/publisher.ts";
import { follow, readAll } from "../../src/bus/reader.ts";
import { streamFor, TOPOLOGY_DEFAULTS } from "../../src/bus/topology.ts";
import { memberSubject, streamOf } from "../../src/contract/subjects.ts";
import { seededRandom } from "../../src/runtime/random.ts";
import { stateOf, text } from "./environment.ts";
import { outcome } from "./scene.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A publisher on a server in memory and on time that passes by itself. */
function stage(t: Test) {
  const clock = new VirtualClock();
  const server = new MemoryBusServer({ clock });
  const ending = new AbortController();
  t.teardown(() => ending.abort());
  const bus = server.connect("watcher");
  const options = { clock, random: seededRandom(1), signal: ending.signal };
  const said: string[] = [];
  const publisher = new Publisher({
    bus,
    stream: streamOf("c"),
    ...options,
    onTrouble: (kind, message) => said.push(`${kind}: ${message}`),
  });
  const create = (more: Partial<typeof TOPOLOGY_DEFAULTS> = {}): Promise<unknown> =>
    server.connect("pusher").createStream(streamFor("c", { ...TOPOLOGY_DEFAULTS, ...more }));
  const claim = async (): Promise<void> => {
    let claimed = false;
    const claiming = publisher.claim((epoch) => stateOf("c", epoch)).then(() => (claimed = true));
    await clock.run(60_000, () => claimed);
    await claiming;
  };
  const write = (n: number, body = "add"): Promise<number> =>
    publisher.publish({ subject: memberSubject("c", "web", `10.0.0.${n}`), data: text(body) });
  return { clock, server, bus, options, publisher, said, create, claim, write };
}

t.test("a claim waits for the stream and says what it waits for", async (t) => {
  const { clock, publisher, said, create } = stage(t);
  const claiming = publisher.claim((epoch) => stateOf("c", epoch));
  await clock.run(30_000);
  t.match(said[0], /no-stream: stream PODGATE_c does not exist; the pusher creates it/);
  t.ok(said.length > 5 && said.length < 40, `backs off (${said.length} times in 30 s)`);
  await create();
  await clock.run(10_000);
  t.equal(await outcome(claiming), "done");
});

t.test("while the bus forbids, messages wait; when it allows again, they follow in order", async (t) => {
  const { clock, server, said, create, claim, write, publisher } = stage(t);
  await create();
  await claim();
  server.refuse("watcher");
  const waiting = [1, 2, 3].map((n) => write(n));
  await clock.run(20_000);
  t.equal(publisher.pending, 3);
  t.match(said.at(-1), /^forbidden: /);
  server.allow("watcher");
  await clock.run(20_000);
  const [first = 0, ...others] = await Promise.all(waiting);
  t.same(others, [first + 1, first + 2]);
});

t.test("more messages than one window, of which the first were refused, follow in order", async (t) => {
  const { clock, server, create, claim, publisher } = stage(t);
  await create();
  await claim();
  server.refuse("watcher");
  const order: string[] = [];
  const waiting = Array.from({ length: 3 * WINDOW }, (_, n) => `10.0.${n >> 8}.${n & 255}`).map((address) =>
    publisher
      .publish({ subject: memberSubject("c", "web", address), data: text("add") })
      .then((sequence) => void (order[sequence] = address)),
  );
  await clock.run(1000);
  server.allow("watcher");
  await clock.run(60_000, () => publisher.pending === 0);
  await Promise.all(waiting);
  const stored = order.filter((address) => address !== undefined);
  t.equal(stored.length, 3 * WINDOW);
  t.equal(stored.join(), stored.map((_, n) => `10.0.${n >> 8}.${n & 255}`).join());
});

t.test("a stream that was made anew during the claim is claimed anew", async (t) => {
  const clock = new VirtualClock();
  const ending = new AbortController();
  t.teardown(() => ending.abort());
  let stored = 0;
  const server: MemoryBusServer = new MemoryBusServer({
    clock,
    // Between the claim's last message and its look at what it was stored in.
    onStored: (name) => {
      stored += 1;
      if (stored === WINDOW + 1) server.remakeStream(name);
    },
  });
  const bus = server.connect("watcher");
  await bus.createStream(streamFor("c"));
  const options = { bus, stream: streamOf("c"), clock, random: seededRandom(1), signal: ending.signal };
  const claiming = new Publisher(options).claim((next) => stateOf("c", next));
  await clock.run(60_000, () => stored > WINDOW + 1);
  await clock.run(60_000);
  const { created } = await claiming;
  t.equal(created, (await bus.streamInfo(streamOf("c")))?.created);
  t.equal(stored, 2 * (WINDOW + 1));
});

t.test("when the connection comes back, nothing waits for the back-off", async (t) => {
  const { clock, server, create, claim, write } = stage(t);
  await create();
  await claim();
  server.stop();
  const waiting = write(1);
  await clock.run(60_000);
  const before = clock.now();
  server.start();
  let stored = 0;
  void waiting.then(() => (stored = clock.now()));
  await clock.run(10_000, () => stored > 0);
  t.ok(stored > 0 && stored - before < 200, `${stored - before} ms`);
});

t.test("a message that is too large comes back alone", async (t) => {
  const { clock, create, claim, write } = stage(t);
  await create({ maxMessageBytes: 1000 });
  await claim();
  const results = [write(1), write(2, "x".repeat(1001)), write(3)].map((sent) => outcome(sent));
  await clock.run(10_000);
  t.same(await Promise.all(results), ["done", "BusError too-large", "done"]);
});

t.test("a claim that is stopped ends", async (t) => {
  const { clock, server, bus } = stage(t);
  const ending = new AbortController();
  const publisher = new Publisher({
    bus,
    stream: streamOf("c"),
    clock,
    random: Math.random,
    signal: ending.signal,
  });
  server.stop();
  const claiming = outcome(publisher.claim((epoch) => stateOf("c", epoch)));
  await clock.run(1000);
  ending.abort();
  await clock.run(1000);
  t.equal(await claiming, "BusError closed");
  t.match(publisher.ended, { kind: "closed" });
});

t.test("a reader that is forbidden says so and comes back by itself", async (t) => {
  const { clock, server, bus, options, create } = stage(t);
  await create();
  server.refuse("watcher");
  const items: string[] = [];
  void (async () => {
    for await (const item of follow(bus, streamOf("c"), options)) {
      items.push(item.kind === "interrupted" ? item.reason : item.kind);
    }
  })();
  await clock.run(30_000);
  t.match(items[0], /NATS forbids/);
  t.ok(items.length < 30, `backs off (${items.length} times in 30 s)`);
  server.allow("watcher");
  await clock.run(10_000);
  t.same(items.slice(-2), ["session", "caught-up"]);
});

t.test("reading the whole table ends with the signal", async (t) => {
  const { clock, bus } = stage(t);
  const ending = new AbortController();
  const options = { clock, random: Math.random, signal: ending.signal };
  const reading = readAll(bus, streamOf("c"), options, () => () => undefined);
  await clock.run(5000);
  ending.abort();
  await clock.run(1000);
  t.equal(await reading, false);
});
