import type { Delivery } from "../../src/bus/bus.ts";
import type { Case } from "./contract.ts";
import { until } from "./environment.ts";
import { bodies, drained, outcome, Scene } from "./scene.ts";

/** Reading: sessions, their ends, and what follows them. */
export function consumeCases(add: Case): void {
  add("a session gives the last of each subject, says when it has, and goes on live", async (t, env) => {
    const scene = await Scene.make(env);
    await scene.put("web/10.0.0.1", "one");
    await scene.put("web/10.0.0.2", "two");
    const last = await scene.put("web/10.0.0.1", "three");
    const items = scene.follow();
    await until("caught up", () => items.some((item) => item.kind === "caught-up"));
    await scene.put("web/10.0.0.3", "four");
    await until("live", () => bodies(items).includes("four"));
    t.same(
      items.map((item) => item.kind),
      ["session", "message", "message", "caught-up", "message"],
    );
    const { created } = await scene.info();
    t.match(items[0], { created, lastSequence: last });
    t.same(bodies(items), ["two", "three", "four"]);
    t.same(
      items.flatMap((item) => (item.kind === "message" ? [item.replayed] : [])),
      [true, true, false],
    );
    scene.end();
  });

  add("an empty stream is caught up at once, also when all of it has expired", async (t, env) => {
    const scene = await Scene.make(env);
    const items = scene.follow();
    await until("caught up", () => items.length >= 2);
    t.same(
      items.map((item) => item.kind),
      ["session", "caught-up"],
    );
    const stored = await scene.put("web/10.0.0.1", "short", 1);
    await until("expiry", async () => (await scene.bus.readMessage(scene.stream, stored)) === undefined);
    const later = scene.follow();
    await until("caught up again", () => later.length >= 2);
    t.same(
      later.map((item) => item.kind),
      ["session", "caught-up"],
    );
    scene.end();
  });

  add("thousands of subjects arrive whole and in order", async (t, env) => {
    const scene = await Scene.make(env);
    const writer = await scene.claim();
    const count = 6000;
    const done: Promise<number>[] = [];
    for (let n = 0; n < count; n += 1) done.push(writer.write(`web/10.1.${n >> 8}.${n & 255}`, String(n)));
    const sequences = await Promise.all(done);
    t.same(
      sequences,
      sequences.map((_, n) => (sequences[0] ?? 0) + n),
      "in the order of the calls, without a gap",
    );
    const table = await scene.table();
    t.equal(new Set(table.map(({ subject }) => subject)).size, count + 1);
    const order = table.map(({ sequence }) => sequence);
    t.same(
      order,
      order.toSorted((a, b) => a - b),
    );
    scene.end();
  });

  add("a table that is read across a lost connection is read anew, whole", async (t, env) => {
    const scene = await Scene.make(env);
    const reader = await env.link();
    const writer = await scene.claim();
    // More than a session asks for at once, so that the cut comes in the middle.
    const count = 3000;
    const done: Promise<number>[] = [];
    for (let n = 0; n < count; n += 1) done.push(writer.write(`web/10.1.${n >> 8}.${n & 255}`, String(n)));
    await Promise.all(done);
    let seen = 0;
    const table = await scene.table(reader.bus, () => {
      seen += 1;
      if (seen === 10) reader.cut();
    });
    t.ok(seen > count + 1, "it began twice");
    t.equal(table.length, count + 1);
    t.equal(new Set(table.map(({ subject }) => subject)).size, count + 1);
    scene.end();
  });

  add("add, remove, add of one address within a moment: nothing is swallowed", async (t, env) => {
    const scene = await Scene.make(env);
    const items = scene.follow();
    await until("attached", () => items.length >= 2);
    const writer = await scene.claim();
    const claimed = bodies(items).length;
    await Promise.all(["add", "remove", "add"].map((body) => writer.write("web/10.0.0.1", body)));
    t.same(Object.values(await scene.rows()), ["add"]);
    await until(
      "live",
      () =>
        bodies(items)
          .slice(claimed)
          .filter((body) => body === "add").length > 0,
    );
    scene.end();
  });

  add("the signal ends a session without an error, also one that waits", async (t, env) => {
    const scene = await Scene.make(env);
    const ending = new AbortController();
    const items: Delivery[] = [];
    const reading = (async () => {
      for await (const item of scene.bus.consume(scene.stream, ending.signal)) items.push(item);
    })();
    await until("caught up", () => items.length >= 2);
    ending.abort();
    t.equal(await outcome(reading), "done");
    t.equal(await outcome(drained(scene.bus.consume(scene.stream, ending.signal))), "done");
    const signal = new AbortController().signal;
    t.equal(await outcome(drained(scene.bus.consume("PODGATE_nowhere", signal))), "BusError no-stream");
  });

  add("a lost connection ends the session; the next one begins from the start", async (t, env) => {
    const scene = await Scene.make(env);
    const reader = await env.link();
    await scene.put("web/10.0.0.1", "one");
    const items = scene.follow(reader.bus);
    await until("caught up", () => items.at(-1)?.kind === "caught-up");
    reader.cut();
    await scene.put("web/10.0.0.2", "two");
    await until("caught up again", () => items.filter((item) => item.kind === "caught-up").length === 2);
    const second = items.slice(items.findIndex((item) => item.kind === "interrupted"));
    t.same(bodies(second), ["one", "two"]);
    scene.end();
  });

  add("a stream made anew ends the session; the next one says so", async (t, env) => {
    const scene = await Scene.make(env);
    const reader = await env.link();
    const old = await scene.put("web/10.0.0.1", "old");
    const before = await scene.info();
    const items = scene.follow(reader.bus);
    await until("caught up", () => items.at(-1)?.kind === "caught-up");
    await env.deleteStream(scene.stream);
    await scene.remake();
    t.ok((await scene.info()).firstSequence > old, "it begins beyond the old one");
    await scene.put("web/10.0.0.2", "new");
    await until("the new one", () => bodies(items).includes("new"));
    const sessions = items.flatMap((item) => (item.kind === "session" ? [item.created] : []));
    t.equal(sessions[0], before.created);
    t.not(sessions.at(-1), before.created);
    t.notOk(bodies(items.slice(items.findIndex((item) => item.kind === "interrupted"))).includes("old"));
    scene.end();
  });

  add("a server killed and started again: the reader goes on within a bounded time", async (t, env) => {
    const scene = await Scene.make(env);
    const reader = await env.link();
    const writer = await scene.claim();
    await writer.write("web/10.0.0.1", "before");
    const items = scene.follow(reader.bus);
    await until("live", () => bodies(items).includes("before"));
    await env.kill(scene.stream);
    const during = writer.write("web/10.0.0.2", "during");
    if (env.replicas === 1) await until("the loss", () => items.some((item) => item.kind === "interrupted"));
    const returned = performance.now();
    await env.start();
    t.equal(await outcome(during), "done");
    await until("what was written while it was away", () => bodies(items).includes("during"));
    const lag = Math.round(performance.now() - returned);
    t.comment(`lag after the return: ${lag} ms`);
    t.ok(lag < 15_000, "bounded");
    await env.start();
    scene.end();
  });

  if (add.replicas === 1)
    add(
      "a stream restored from an older copy: the session ends, and the next one has the older table",
      async (t, env) => {
        const scene = await Scene.make(env);
        const reader = await env.link();
        await scene.put("web/10.0.0.1", "kept");
        const restore = await env.copy(scene.stream);
        await until("connected", () => scene.bus.connected && reader.bus.connected);
        const lost = await retried(() => scene.put("web/10.0.0.2", "lost"));
        const items = scene.follow(reader.bus);
        await until("live", () => bodies(items).includes("lost"));
        await restore();
        const gone = (): number => items.findIndex((item) => item.kind === "interrupted");
        await until(
          "a new session",
          () => gone() >= 0 && items.slice(gone()).some((item) => item.kind === "caught-up"),
        );
        const since = items.slice(gone());
        t.same(bodies(since), ["kept"]);
        const session = since.find((item) => item.kind === "session");
        t.ok(session?.kind === "session" && session.lastSequence < lost);
        scene.end();
      },
    );
}

/** Right after a restart a server may not have its streams yet. */
async function retried<T>(run: () => Promise<T>): Promise<T> {
  let result: T | undefined;
  await until("the server answers again", async () => {
    try {
      result = await run();
      return true;
    } catch {
      return false;
    }
  });
  return result as T;
}
